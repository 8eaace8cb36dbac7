"""A Git repository for tests, with nothing of the machine's configuration."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *arguments: str, given: str | None = None, **environ: str) -> str:
    """Run Git in a folder; return what it prints."""
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(
        command, env={**ENVIRON, **environ}, input=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout.strip()


def commit(folder: Path, message: str = "change") -> str:
    """Commit every file; return the commit."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")
