"""The two streams of a command: known secrets are masked in them, and no byte of them is lost without an error.

Text is adapted to the encoding of the stream. Documents for programs are always UTF-8.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import IO, TYPE_CHECKING, cast

from reconciler import redaction
from reconciler.errors import OutputFailed
from reconciler.files import write_all
from reconciler.render.safe import fitting

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_CLOSED = -1
"""The number of no open file: a write to it fails as a write to a closed stream does."""


class _Whole(io.RawIOBase):
    """An open file that takes all bytes of a write: Python alone drops what a short write leaves.

    A reader that ended (`| head`) is not reported. Any other failure is one for stdout; for stderr there is no one left
    to report it to. After a failure it drops what is written, so that a command comes to its own end.
    """

    def __init__(self, number: int, *, required: bool) -> None:
        self._number = number
        self._required = required
        self.lost = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return self._number != _CLOSED and os.isatty(self._number)

    def write(self, data: ReadableBuffer, /) -> int:
        content = memoryview(data).cast("B")
        try:
            if not self.lost:
                write_all(self._number, content)
        except OSError as error:
            self.lost = True
            if self._required and not isinstance(error, BrokenPipeError):
                hint = "free disk space, or send stdout to another place"
                reason = "it is closed" if error.errno == errno.EBADF else error.strerror
                raise OutputFailed(f"cannot write to stdout: {reason}", hint=hint) from None
        return len(content)


class _Masked:
    """A text stream that masks known secrets in what is written to it.

    It has no `buffer`: click would write past it where the stream's encoding is ASCII.
    """

    def __init__(self, stream: IO[str], whole: _Whole | None = None) -> None:
        self.stream = stream
        self.whole = whole
        self.rich_proxied_file = self
        """Rich asks for it at each line, and a missing attribute takes longer to find than the line to write."""

    def write(self, text: str | bytes) -> int:
        if isinstance(text, bytes):
            if not text:
                raise TypeError("expected str")  # which is how click recognizes a text stream
            return self.write(text.decode("utf-8"))  # as click writes a completion script
        self.stream.write(fitting(redaction.redacted(text), getattr(self.stream, "encoding", None) or "utf-8"))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> object:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self.stream, name)


@contextmanager
def masked() -> Iterator[None]:
    """Mask every known secret on both streams for the time of one command line."""
    with (
        redaction.run(),
        redirect_stdout(_masked(sys.stdout, required=True)),
        redirect_stderr(_masked(sys.stderr, required=False)),
    ):
        yield


def _masked(stream: IO[str] | None, *, required: bool) -> IO[str]:
    """Return a stream to the same open file that loses nothing; other streams (of tests, a Windows console) as is."""
    if stream is None:  # it was closed before the start: `>&-`
        whole = _Whole(_CLOSED, required=required)
        closed = io.TextIOWrapper(cast("IO[bytes]", whole), "utf-8", write_through=True)
        return cast("IO[str]", _Masked(closed, whole))
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)
    if not isinstance(stream, io.TextIOWrapper) or type(raw) is not io.FileIO:
        return cast("IO[str]", _Masked(stream))
    stream.flush()
    whole = _Whole(raw.fileno(), required=required)
    unbuffered = stream.write_through  # PYTHONUNBUFFERED
    made = io.TextIOWrapper(
        cast("IO[bytes]", whole if unbuffered else io.BufferedWriter(whole)),
        stream.encoding,
        "backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=unbuffered,
    )
    return cast("IO[str]", _Masked(made, whole))


def on_screen(stream: IO[str]) -> bool:
    """Whether a person reads a stream on a screen: a terminal, but not one that a CI system records."""
    return stream.isatty() and os.environ.get("CI", "").lower() in {"", "0", "false"}


def animates(stream: IO[str]) -> bool:
    """Whether a stream can show what moves: its cursor can be moved, and a person looks at it."""
    try:
        return on_screen(stream) and os.isatty(stream.fileno()) and os.environ.get("TERM") not in {"dumb", "unknown"}
    except (OSError, ValueError):  # not an open file
        return False


def stdout_lost() -> bool:
    """Whether something that was written to stdout did not arrive: it failed, or its reader has ended."""
    return isinstance(sys.stdout, _Masked) and sys.stdout.whole is not None and sys.stdout.whole.lost


def write_unmasked(pieces: Iterable[str]) -> None:
    """Write a document to stdout: secrets are masked while it is made; again could break its syntax."""
    stream = sys.stdout.stream if isinstance(sys.stdout, _Masked) else sys.stdout
    stream.flush()
    buffer: IO[bytes] | None = getattr(stream, "buffer", None)
    for piece in pieces:
        if buffer is None:
            stream.write(piece)
        else:
            buffer.write(utf8(piece))
    stream.flush()


def utf8(body: str) -> bytes:
    """Return a document's bytes. Half a surrogate pair, as in the name of a broken file, becomes its escape."""
    return body.encode("utf-8", "backslashreplace")
