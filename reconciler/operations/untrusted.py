"""Checking files of a stranger, in a separate process that has no credentials and can only read and compute.

The limits are those of the operating system, so they also hold inside the parsers, which are written in C and Rust.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from reconciler.errors import InvalidInput, ReconcilerError, UsageError
from reconciler.model.objects import Address, Problem, SourceRef, problem_order
from reconciler.model.source import SourceLine
from reconciler.operations.project import Validation, check, open_project

SECONDS = 60
"""Computing time."""
DEADLINE = 180.0
"""Seconds until the answer must be there."""
MEMORY = 1 << 30
OUTPUT = 1_000_000
"""Bytes of the answer."""
SHOWN = 200
"""Problems that are shown."""
LONGEST = 1_000
"""Characters of one sentence."""

PASSED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONHASHSEED"),
)
"""Variables that the process gets: what Python needs to start. Credentials are in none of them."""

_FORBIDDEN = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "pty.", "os.kill",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "os.utime", "os.setxattr", "os.removexattr", "shutil.", "sqlite3.", "ctypes.dlopen",
)  # fmt: skip
"""Beginnings of the names of events (PEP 578) that end the process: nothing here needs them."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
BROKEN = 70
"""The exit code of a process that tried what is forbidden."""


def check_untrusted(
    project: Path | None,
    environment: str | None,
    trusted_config: str | None,
    paths: Sequence[str],
    *,
    stdin: IO[bytes] | None = None,
) -> Validation:
    """Check files as `check` does, in a process with limits; ReconcilerError names a limit that is exceeded."""
    if os.name != "posix":
        raise ReconcilerError("--untrusted needs Linux or macOS, which can limit a process")
    request = {
        "project": None if project is None else str(project),
        "environment": environment,
        "trusted_config": trusted_config,
        "paths": list(paths),
        "seconds": SECONDS,
    }
    process = subprocess.Popen(  # noqa: S603 - this program itself; the request is one argument, and no shell reads it
        [sys.executable, "-P", "-B", "-c", f"import {__name__} as here; here.answer()", json.dumps(request)],
        stdin=stdin if "-" in paths else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in PASSED if name in os.environ},
    )
    try:
        written = read_answer(process, OUTPUT, DEADLINE)
    except Stopped as error:
        raise _stopped(str(error)) from None
    finally:
        process.kill()
        code = process.wait()
    return _validation(written, code)


class Stopped(Exception):
    """A process exceeded a limit, which the text names."""


def read_answer(process: subprocess.Popen[bytes], most: int, deadline: float) -> bytes:
    """Return what a process writes; Stopped where that is too much or takes too long."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    number, ends, written = process.stdout.fileno(), time.monotonic() + deadline, bytearray()
    with process.stdout:
        while select.select((number,), (), (), max(0.0, ends - time.monotonic()))[0]:
            block = os.read(number, 1 << 16)
            written += block
            if len(written) > most:
                raise Stopped(f"its result is larger than {most // 1_000_000} MB")
            if not block:
                process.wait()
                return bytes(written)
    raise Stopped(f"it took more than {deadline:g} s")


def _stopped(why: str) -> ReconcilerError:
    return ReconcilerError(f"the check was stopped: {why}", hint="check fewer or smaller files; nothing was checked")


def _validation(written: bytes, code: int) -> Validation:
    """Return what a process reported; ReconcilerError where it could not."""
    if -code in {signal.SIGXCPU, signal.SIGKILL} and not written:
        raise _stopped(f"it took more than {SECONDS} s of computing")
    if code == BROKEN:
        raise _stopped("it tried to use the network, a program or a file that it must not use")
    try:
        found = json.loads(written)
    except ValueError:
        raise _stopped(f"it took more than {MEMORY >> 20} MB of memory") from None
    problems = tuple(map(_problem, found["problems"]))
    if "error" in found:
        kind = {"InvalidInput": InvalidInput, "UsageError": UsageError}.get(found["kind"], ReconcilerError)
        if kind is InvalidInput:
            raise InvalidInput(found["error"], problems, hint=found["hint"])
        raise kind(found["error"], hint=found["hint"])
    return Validation(
        problems=problems,
        files=found["files"],
        documents=found["documents"],
        unread=tuple(map(_problem, found["unread"])),
    )


def _problem(data: Mapping[str, Any]) -> Problem:
    where, address = data["where"], data["address"]
    return Problem(
        code=data["code"],
        summary=data["summary"],
        severity=data["severity"],
        hint=data["hint"],
        where=None if where is None else _place(where, data["quote"]),
        address=None if address is None else Address(*address),
    )


def _place(where: tuple[str, int, int], quote: tuple[Any, ...] | None) -> SourceRef:
    """Return a place, with the line that the other process read there."""
    path, line, column = where
    if quote is None:
        return SourceRef(path, line, column)
    text, secrets, exact = quote
    return SourceRef(path, line, column, SourceLine(line, text, [(start, end) for start, end in secrets]), exact)


def answer() -> None:
    """Check what the first argument says and print the result: the whole of the other process."""
    request = json.loads(sys.argv[1])
    confine(request["seconds"])
    try:
        found = _checked(request)
    except ReconcilerError as error:
        problems = _data(error.problems)
        found = {"error": error.message, "hint": error.hint, "kind": type(error).__name__, "problems": problems}
    except MemoryError:
        os._exit(1)
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()


def _checked(request: Mapping[str, Any]) -> dict[str, Any]:
    from reconciler.manifests.project import nearest_project  # noqa: PLC0415 - only here

    paths, where = request["paths"], request["project"]
    alone = paths and where is None and request["environment"] is None and nearest_project() is None
    project = (
        None
        if alone
        else open_project(where, request["environment"], trusted_config=request["trusted_config"], untrusted=True)
    )
    declared = check(project, paths, stdin=sys.stdin.buffer, untrusted=True)
    return {
        "problems": _data(declared.problems),
        "unread": _data(declared.unread),
        "files": declared.files,
        "documents": declared.documents,
    }


def _data(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Return the first problems as data, errors before warnings, and how many more there are."""
    ranked = sorted(problems, key=lambda problem: problem.severity != "error")
    shown, hidden = sorted(ranked[:SHOWN], key=problem_order), ranked[SHOWN:]
    if hidden:
        summary, last = f"and {len(hidden)} more problems", shown[-1].where
        shown.append(Problem(code="more-problems", summary=summary, severity=hidden[0].severity, where=last))
    return [
        {
            "code": problem.code,
            "summary": _short(problem.summary),
            "severity": problem.severity,
            "hint": None if problem.hint is None else _short(problem.hint),
            "where": problem.where and (_short(problem.where.path), problem.where.line, problem.where.column),
            "quote": _quote(problem.where),
            "address": problem.address and (_short(problem.address.kind), _short(problem.address.name)),
        }
        for problem in shown
    ]


def _quote(where: SourceRef | None) -> tuple[Any, ...] | None:
    """Return the line of a place, which the process outside must not read; None for one that is too long."""
    line = None if where is None else where.quote
    if where is None or where.text is None or line is None or len(line) > LONGEST:
        return None
    return line, where.text.secrets(where.line), where.exact


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def confine(seconds: int) -> None:
    """Limit this process permanently."""
    import resource  # noqa: PLC0415 - Windows has none

    for kind, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """End the process at the first event that is forbidden."""
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
    if writes or event.startswith(_FORBIDDEN):
        os._exit(BROKEN)
