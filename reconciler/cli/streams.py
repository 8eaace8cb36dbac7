"""The two streams of a command: known secrets are masked in everything that is written to them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import IO, cast

from reconciler import redaction


class _Masked:
    """A text stream that masks known secrets in what is written to it.

    It has no `buffer`: click would write past it where the stream's encoding is ASCII.
    """

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("expected str")  # which is how click recognizes a text stream
        self.stream.write(redaction.redacted(text))
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
        redirect_stdout(cast("IO[str]", _Masked(sys.stdout))),
        redirect_stderr(cast("IO[str]", _Masked(sys.stderr))),
    ):
        yield


def write_unmasked(body: str) -> None:
    """Write a finished document to stdout: secrets were masked while it was made; again could break its syntax."""
    stream = sys.stdout.stream if isinstance(sys.stdout, _Masked) else sys.stdout
    stream.write(body)
    stream.flush()
