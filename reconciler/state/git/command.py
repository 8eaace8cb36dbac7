"""Running git: with the credentials of the user, and with nothing that a checkout can decide.

Every call works in a separate bare repository. Hooks are off, only the protocol of the remote is allowed, and no
question is asked. Of the variables that steer git, only those of credentials and connections are passed on.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import unicodedata
from collections.abc import Mapping
from contextlib import suppress

from msgspec import Struct

from reconciler.errors import ReconcilerError
from reconciler.redaction import hide, redacted
from reconciler.state.git.scratch import Scratch

LIMIT = 30.0
"""Seconds that one call of git may take."""

FIRST_LIMIT = 120.0
"""Seconds that the first fetch of a state may take."""

_KEPT = re.compile(
    "GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|SSL_.+|PROXY_.+|HTTP_.+|CONFIG_COUNT|CONFIG_(KEY|VALUE)_[0-9]+"
    "|CONFIG_GLOBAL|CONFIG_SYSTEM|CONFIG_NOSYSTEM|CONFIG_PARAMETERS)"
)
"""Variables of git that say how a server is reached. The others could name another repository, or log secrets."""

_SECRET = re.compile(r"GIT_CONFIG_(VALUE_[0-9]+|PARAMETERS)")
"""Variables that a pipeline passes credentials in."""

_SETTINGS: tuple[str, ...] = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.fsckObjects=true",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "push.recurseSubmodules=no",
    "push.gpgSign=false",
    "push.followTags=false",
    "http.followRedirects=false",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
)
"""Settings of every call, also where the files of this user say otherwise."""

_CREDENTIALS = re.compile(r"//[^/@\s]+@")

_LONGEST = 500
"""Characters of git's own words that are shown."""

_NOISE = ("hint:", "To ", "Done", "Everything up-to-date")

_LABELS = re.compile("^((remote|fatal|error|warning): *)+")
"""What git puts before its sentences."""

_NO_REASON = (
    "Could not read from remote repository",
    "Please make sure you have the correct access rights",
    "and the repository exists",
    "failed to push some refs",
)
"""The lines in which git repeats that it failed. They are shown only where it says nothing else."""


class Answer(Struct, frozen=True, kw_only=True):
    """How a call of git ended."""

    code: int
    out: bytes
    words: str
    """What it said on stderr, for a person: without control characters and credentials."""
    late: bool = False
    """Whether it was ended because it took too long."""


class Git:
    """A private bare repository in a temporary folder, and the calls in it."""

    def __init__(self, scheme: str) -> None:
        """Make the repository; `scheme` is the protocol of the remote. ReconcilerError where there is no git."""
        program = shutil.which("git")
        if program is None:
            message = "git was not found on the PATH, and spec.state is a Git remote"
            raise ReconcilerError(message, hint="install git 2.34 or newer, or set spec.state to a database")
        self._scratch = Scratch()
        folder = self._scratch.path / "bare"
        folder.mkdir()
        self._folder = str(folder)
        allowed = () if scheme in {"https", "ssh"} else (f"protocol.{scheme}.allow=always",)
        options = [part for setting in (*_SETTINGS, *allowed) for part in ("-c", setting)]
        self._command = [program, *options, f"--git-dir={self._folder}"]
        self._environment = _environment(os.environ)
        made = self.run("init", "--quiet", "--bare", "--template=", "--initial-branch=none", self._folder)
        if made.code:
            raise ReconcilerError(f"git cannot make a repository in {self._folder}: {made.words}")

    def run(self, *arguments: str, given: bytes = b"", limit: float = LIMIT) -> Answer:
        """Run one command of git. It has a separate session, so that Ctrl-C does not cut a push."""
        process = subprocess.Popen(  # noqa: S603 - a fixed program; its arguments are fixed options and checked names
            [*self._command, *arguments],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, said = process.communicate(given, timeout=limit)
        except subprocess.TimeoutExpired:
            out, said = _ended(process)
            return Answer(code=-1, out=out, words=_late(limit, _plain(said)), late=True)
        except BaseException:
            _ended(process)
            raise
        return Answer(code=process.returncode, out=out, words=_plain(said))

    def close(self) -> None:
        """Remove the repository."""
        self._scratch.remove()


def _ended(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """End a call with everything that it started, such as ssh."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    return process.communicate()


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    for name, value in given.items():
        if _SECRET.fullmatch(name):
            for word in value.replace("'", " ").split():
                hide(word)
    kept = {name: value for name, value in given.items() if not name.startswith("GIT_") or _KEPT.fullmatch(name)}
    return {
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "SSH_ASKPASS_REQUIRE": "never",
        "LANG": "C",
        "LC_ALL": "C",
        "LANGUAGE": "C",
    }


def _late(limit: float, words: str) -> str:
    return f"git gave no answer within {limit:g} s" + (f"; it said: {words}" if words else "")


def _plain(said: bytes) -> str:
    """Return what git said in one sentence, without the lines that give no reason."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", said.decode("utf-8", "replace"))]
    seen = [_LABELS.sub("", line, count=1).rstrip(".") for line in lines if line and not line.startswith(_NOISE)]
    reasons = [line for line in dict.fromkeys(seen) if line and not line.startswith(_NO_REASON)] or seen[:1]
    text = "".join(char for char in "; ".join(reasons) if unicodedata.category(char) not in {"Cc", "Cf", "Zl", "Zp"})
    return redacted(_CREDENTIALS.sub("//***@", text))[:_LONGEST]
