"""Files: reading a file that this program did not write, and writing a file completely or not at all."""

from __future__ import annotations

import errno
import os
import re
import select
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

if os.name == "posix":
    import fcntl

_PASSED = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""Where a shell passes an open pipe: `validate <(jsonnet …)`."""

_OPEN_FILE = re.compile(r"/dev/stdout|/dev/stderr|/(?:dev|proc/self|proc/thread-self)/fd/([0-9]+)")

LARGEST_DOCUMENT = 256 * 1024 * 1024
"""Bytes of a saved document at most; a plan that changes nothing of a hundred thousand objects takes 74 MB."""

_BINARY = getattr(os, "O_BINARY", 0)
_BLOCK = 1 << 20

_LINKS = 40
"""Number of symbolic links that are followed, as in Linux."""

_PARTIAL = ".partial"
_ATTEMPTS = 10
_ABANDONED = 3600.0
"""Seconds after which an unfinished file belongs to no run any more."""

_LOCK_TRIES, _LOCK_PAUSE = 100, 0.05

Content = bytes | Callable[[], Iterable[bytes]]
"""What a file is to get: all of it, or what returns it in pieces."""

_BUFFERED = 65_536
"""Bytes of small pieces that are written at once."""

_OCCUPIED = frozenset({errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES, errno.EROFS})
"""Why a file cannot be replaced that can be written: it is a mount point (a container's single file), or a rule."""


def shipped(*parts: str) -> Traversable:
    """Return a public file or folder, such as `examples`: in the package of a wheel, else beside the package."""
    from importlib import resources  # noqa: PLC0415 - 12 ms, for a quick --help and completion

    inside = resources.files("reconciler").joinpath("_data", *parts)
    return inside if inside.is_dir() or inside.is_file() else Path(__file__).resolve().parents[1].joinpath(*parts)


_EDITS: ContextVar[Mapping[str, bytes]] = ContextVar("edits", default=MappingProxyType({}))


@contextmanager
def as_edited(contents: Mapping[str, bytes]) -> Iterator[None]:
    """Let what is read inside this block be as an edit will leave it: contents by real path. Nothing is written."""
    token = _EDITS.set(contents)
    try:
        yield
    finally:
        _EDITS.reset(token)


def read_regular(path: Path | str, limit: int) -> tuple[bytes, int]:
    """Return at most `limit` bytes of a file, and its mode.

    OSError for a folder, a device or a pipe: opening or reading one may never end. A pipe that the shell passed is
    read. Inside `as_edited` it is the content that the file is to get.
    """
    edits = _EDITS.get()
    if edits and (content := edits.get(os.path.realpath(path))) is not None:
        return content[:limit], 0
    passed = os.fspath(path).startswith(_PASSED)
    # Without O_NONBLOCK, opening a pipe waits until another program writes to it.
    flags = os.O_RDONLY if passed else os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    file = os.open(path, flags | _BINARY | getattr(os, "O_CLOEXEC", 0))
    try:
        found = os.fstat(file)
        mode = found.st_mode
        if stat.S_ISDIR(mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not (stat.S_ISREG(mode) or (passed and stat.S_ISFIFO(mode))):
            raise OSError(errno.EINVAL, "it is not a regular file")
        # The size is only the first guess: a buffer of the limit for each small file would take longer than the rest.
        content = os.read(file, min(limit, found.st_size + 1))
        if len(content) == limit or not (more := os.read(file, 1)):
            return content, mode
        parts = [content, more]
        while more and (left := limit - sum(map(len, parts))) > 0:
            more = os.read(file, min(left, _BLOCK))
            parts.append(more)
        return b"".join(parts), mode
    finally:
        os.close(file)


def write_whole(path: Path, content: Content, *, private: bool = False, durable: bool = False) -> None:
    """Write a file; OSError if it cannot be written.

    A regular file is replaced whole or not at all, and keeps its mode and owner. Anything else (a device, a pipe,
    `/dev/stdout`) is written to. A symbolic link stays one and its target is written. `private`: only the owner can
    read a new file. `durable`: it survives a power failure.
    """
    if (number := open_number(path)) is not None:
        _write(os.dup(number), content, durable=False)
        return
    target, found = _target(path)
    if found is not None and not _replaceable(target, found):
        _write_in_place(target, content, durable=durable)
        return
    try:
        with _beside(target, found, private=private) as (partial, file):
            _write(file, content, durable=durable)
            partial.replace(target)
    except _Irreplaceable:
        _write_in_place(target, content, durable=durable)


def check_writable(path: Path) -> None:
    """Raise the OSError now that a later `write_whole` would raise; remove what runs left that were killed there."""
    if (number := open_number(path)) is not None:
        os.write(number, b"")
        return
    target, found = _target(path)
    if found is not None and not _replaceable(target, found):
        return
    try:
        with _beside(target, found, private=True) as (_, file):
            os.close(file)
        _clean_up(target)
    except _Irreplaceable:
        pass


class _Irreplaceable(Exception):
    """A file that can be written but not replaced, as in a folder without permission to write."""


def open_number(path: Path) -> int | None:
    """Return the number of the open file that a path stands for: `/dev/stdout`, or `/dev/fd/63` for `>(…)`.

    Opening the path would truncate a file to which the shell appends (`>> log`), and fails for a socket.
    """
    text = os.fspath(path)
    for _ in range(_LINKS):
        match = _OPEN_FILE.fullmatch(text.replace(f"/proc/{os.getpid()}/", "/proc/self/"))
        if match:
            return {"/dev/stdout": 1, "/dev/stderr": 2}.get(text) or int(match[1])
        try:
            text = os.path.normpath(Path(text).parent / Path(text).readlink())
        except OSError:
            break
    return None


def _target(path: Path) -> tuple[Path, os.stat_result | None]:
    """Return the file that a path leads to and what is there; OSError for a folder, or where links form a circle."""
    try:
        found = path.stat()
    except FileNotFoundError:
        found = None
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    if not target.name or (found is not None and stat.S_ISDIR(found.st_mode)):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    return target, found


def _replaceable(target: Path, found: os.stat_result) -> bool:
    """Whether another file may take the place of what is there; OSError where it must not be written at all."""
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return stat.S_ISREG(found.st_mode) and found.st_nlink <= 1  # 0: another run replaced it at this moment


@contextmanager
def _beside(target: Path, found: os.stat_result | None, *, private: bool) -> Iterator[tuple[Path, int]]:
    """Open a new file next to the one to be written, with its mode and owner; remove it at the end if still there."""
    mode = 0o600 if private or found is not None else 0o666
    try:
        partial, file = _new(target, mode)
    except OSError as error:
        if found is None:
            raise
        raise _Irreplaceable from error
    try:
        if found is not None:
            _adopt(file, found)
        yield partial, file
    except OSError as error:
        if error.errno in _OCCUPIED and error.filename2 is not None and found is not None:
            raise _Irreplaceable from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def _new(target: Path, mode: int) -> tuple[Path, int]:
    """Make and open a file beside another one. Its name cannot be foreseen, and no file or link that is there is used.

    Another run may write the same file: each has its own.
    """
    for attempt in range(_ATTEMPTS):
        partial = target.with_name(f"{_partial_start(target)}{os.urandom(8).hex()}{_PARTIAL}")
        try:
            return partial, os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, mode)
        except FileExistsError:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError


def _partial_start(target: Path) -> str:
    return f".{target.name[:40]}."  # so that the whole name fits where the name of the file does


def _clean_up(target: Path) -> None:
    """Remove what runs left beside a file that were killed while they wrote it; a run that still writes is young."""
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if entry.name.startswith(_partial_start(target)) and entry.name.endswith(_PARTIAL):
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(found.st_mode) and time.time() - found.st_mtime > _ABANDONED:
                    os.unlink(entry.path)  # noqa: PTH108 - a path that scandir returned


def _write_in_place(target: Path, content: Content, *, durable: bool) -> None:
    """Write to what cannot be replaced: of two runs that write to one regular file, the second one waits."""
    file = os.open(target, os.O_WRONLY | _BINARY)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        _write(file, content, durable=durable)
        return
    try:
        whole = content if isinstance(content, bytes) else b"".join(content())  # before anything is lost
        _lock(file)
        os.truncate(file, 0)
    except BaseException:
        os.close(file)
        raise
    _write(file, whole, durable=durable)


def _lock(file: int) -> None:
    """Lock an open file until it is closed. What locks it for long, or a system without locks, is not waited for."""
    if os.name != "posix":
        return
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE)
        except OSError:
            return
        else:
            return


def _adopt(file: int, found: os.stat_result) -> None:
    """Give a new file the owner, group and mode of the one that it replaces; _Irreplaceable if that is not allowed."""
    if not hasattr(os, "fchown"):  # Windows has neither
        return
    mine = os.fstat(file)
    try:
        if (mine.st_uid, mine.st_gid) != (found.st_uid, found.st_gid):
            os.fchown(file, found.st_uid, found.st_gid)
        os.fchmod(file, stat.S_IMODE(found.st_mode))
    except OSError as error:
        os.close(file)
        raise _Irreplaceable from error


def _write(file: int, content: Content, *, durable: bool) -> None:
    """Write everything to an open file and close it."""
    try:
        rest = bytearray()
        for piece in (content,) if isinstance(content, bytes) else content():
            rest += piece
            if len(rest) >= _BUFFERED:
                write_all(file, rest)
                rest.clear()
        write_all(file, rest)
        if durable:
            os.fsync(file)
    finally:
        os.close(file)


def write_all(file: int, content: bytes | bytearray | memoryview) -> None:
    """Write all bytes to an open file, also where the system takes only some of them at a time."""
    rest = memoryview(content)
    while rest:
        try:
            rest = rest[os.write(file, rest) :]
        except BlockingIOError:  # the other end of a pipe made it so, and is slow
            select.select((), (file,), ())
