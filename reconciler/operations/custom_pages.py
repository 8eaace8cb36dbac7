"""Pages by templates of the project: `templates/plan.md.j2` and the like, beside the project file.

A template is code that can come from a pull request, so it is rendered in a separate process, as untrusted files are
checked: without credentials, network and writing, with limits of time, memory and output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread
from typing import Any

from reconciler.errors import OutputFailed
from reconciler.files import read_regular
from reconciler.folders import is_below
from reconciler.operations.untrusted import PASSED, Stopped, confine, read_answer
from reconciler.redaction import escape_commands

FOLDER = "templates"
"""The folder of the templates, beside the project file."""

SECONDS = 20
"""Computing time of one page."""
DEADLINE = 60.0
OUTPUT = 16_000_000
"""Bytes of a page."""
_FILES = 32
_LARGEST = 256 * 1024
"""Bytes of a template."""
_ENDING = ".j2"
_FORMS = {"markdown": "md", "html": "html"}


def custom_page(folder: Path | None, kind: str, form: str, headline: str, document: Callable[[], str]) -> str | None:
    """Return a page by the project's own template; None where it has none.

    `kind` is `plan`, `report` or `drift`, and the name of the value that the template gets: the JSON document.
    OutputFailed says where a template goes wrong: another page is never shown instead.
    """
    name = f"{kind}.{_FORMS[form]}{_ENDING}"
    if folder is None or not os.path.lexists(folder / name):
        return None
    if os.name != "posix":
        hint = "remove it to use the built-in page"
        raise OutputFailed(f"{FOLDER}/{name} needs Linux or macOS, which can limit a process", hint=hint)
    values = {kind: json.loads(document()), "headline": headline}
    found = _rendered(name, {"name": name, "sources": _sources(folder), "values": values})
    return escape_commands(_no_commands(found), "&#35;")


def _no_commands(text: str) -> str:
    """Return a page in which no line is a workflow command, also where two values meet."""
    return "\n".join(
        line.replace("::", ":&#58;", 1) if line.lstrip().startswith("::") else line for line in text.split("\n")
    )


def _sources(folder: Path) -> dict[str, str]:
    """Return the templates of a folder by name; OutputFailed for one that cannot be read, or that leads out of it."""
    real = os.path.realpath(folder)
    if not is_below(real, (os.path.realpath(folder.parent),)):
        raise OutputFailed(f"{FOLDER} is a link that leads out of the project", hint="replace it with a folder")
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(_ENDING))  # noqa: PTH208 - names are wanted
        if len(names) > _FILES:
            raise OutputFailed(f"{FOLDER} contains more than {_FILES} templates", hint="remove some")
        return {name: _source(folder / name, real) for name in names}
    except OSError as error:
        raise OutputFailed(f"{FOLDER} cannot be read: {error.strerror}", hint="check the folder") from None


def _source(file: Path, real: str) -> str:
    shown = f"{FOLDER}/{file.name}"
    if not is_below(os.path.realpath(file), (real,)):
        raise OutputFailed(f"{shown} is a link that leads out of the folder", hint="replace it with a file")
    try:
        content, _ = read_regular(file, _LARGEST + 1)
        text = content.decode()
    except OSError as error:
        raise OutputFailed(f"{shown} cannot be read: {error.strerror}", hint="check the file") from None
    except UnicodeDecodeError:
        raise OutputFailed(f"{shown} is not UTF-8 text", hint="save it as UTF-8") from None
    if len(content) > _LARGEST:
        raise OutputFailed(f"{shown} is larger than {_LARGEST // 1024} KB", hint="use a smaller template")
    return text


def _rendered(name: str, request: Mapping[str, Any]) -> str:
    process = subprocess.Popen(  # noqa: S603 - this program itself, without a shell
        [sys.executable, "-P", "-B", "-c", f"import {__name__} as here; here.answer()", str(SECONDS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={key: os.environ[key] for key in PASSED if key in os.environ},
    )
    try:
        Thread(target=_ask, args=(process, json.dumps(request).encode()), daemon=True).start()
        written = read_answer(process, OUTPUT, DEADLINE)
    except Stopped as error:
        raise _failed(name, str(error)) from None
    finally:
        process.kill()
        process.wait()
    try:
        found = json.loads(written)
    except ValueError:
        raise _failed(name, f"it took more than {SECONDS} s of computing, or too much memory") from None
    if "text" not in found:
        raise _failed(str(found["where"]), str(found["error"]))
    return str(found["text"])


def _ask(process: subprocess.Popen[bytes], request: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - it was asked for
    try:
        with process.stdin:
            process.stdin.write(request)
    except OSError:
        return  # the process ended: what it answered says why


def _failed(where: str, why: str) -> OutputFailed:
    return OutputFailed(
        f"{FOLDER}/{where}: the template cannot be rendered: {why}",
        hint="fix the template, or remove it to use the built-in page",
    )


def answer() -> None:
    """Render what stdin says and print the result: the whole of the other process."""
    from reconciler.render.custom import TemplateFault, page  # noqa: PLC0415 - only here: jinja2 and the pages

    request = json.loads(sys.stdin.buffer.read())
    confine(int(sys.argv[1]))
    try:
        found = {"text": page(request["name"], request["sources"], request["values"])}
    except TemplateFault as error:
        found = {"where": error.where, "error": error.summary}
    except MemoryError:
        os._exit(1)
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
