"""What each command imports, beyond a bare interpreter: python startup_imports.py"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from lab import MAIN, ROOT, Server
from projects import CREDENTIALS, write_project

COMPLETED = {
    "completion": "plan --target Sess",
    "completion again": "plan --target Sess",
    "completion of an option": "plan --ta",
}
"""The lines whose last word is completed."""
SETTLED = 2.1
"""Seconds after which completion trusts that a file which has the same times has not changed."""
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "version": ("--version",),
    "help": ("--help",),
    "plan help": ("plan", "--help"),
    **dict.fromkeys(COMPLETED, ()),
    "validate": ("validate",),
    "plan": ("plan",),
    "plan again": ("plan", "--format", "json"),
    "apply": ("apply", "--yes"),
    "drift": ("drift",),
    "state list": ("state", "list"),
}
"""In the order in which they run; the first apply creates an object."""


def imported(code: str, folder: Path, env: Mapping[str, str], *arguments: str) -> set[str]:
    """Return the names of the modules that a process imports."""
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done
    rows = [line.split("|") for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {row[2].strip() for row in rows}


def imports() -> dict[str, tuple[int, list[str]]]:
    """Return for each command how many modules it imports, and the packages of others among them."""
    found = {}
    with tempfile.TemporaryDirectory() as home, Server() as server:
        folder = write_project(Path(home, "project"), server.url, 1)
        trusted = {"RECONCILER_TRUST_HOSTS": server.url.removeprefix("http://"), "HOME": home, **CREDENTIALS}
        bare = imported("pass", folder, trusted)
        time.sleep(SETTLED)
        for name, arguments in COMMANDS.items():
            more = _question(COMPLETED[name]) if name in COMPLETED else {}
            found[name] = summary(imported(MAIN, folder, {**trusted, **more}, *arguments) - bare)
    return found


def _question(line: str) -> Mapping[str, str]:
    words = f"reconciler {line}"
    return {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_RECONCILER_COMPLETE": "bash_complete"}


def summary(modules: set[str]) -> tuple[int, list[str]]:
    """Return the number of modules, and the packages of others. Those that are not installed were only looked for."""
    tops = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - {"reconciler"}
    return len(modules), sorted(name for name in tops if not name.startswith("_") and find_spec(name) is not None)


if __name__ == "__main__":
    for command, (number, packages) in imports().items():
        print(f"{command:<14}{number:>5}  {' '.join(packages)}")  # noqa: T201
