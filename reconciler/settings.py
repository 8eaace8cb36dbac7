"""A project's settings as typed values, and where its credentials come from.

The project file itself is read by `reconciler.manifests.project`; here it is already checked data.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from reconciler.errors import ReconcilerError
from reconciler.model.objects import SourceRef

DEFAULT_STATE = "sqlite:///.reconciler/state.db"
COMMAND_TIMEOUT = 60.0
"""Seconds a credential command may take: long enough for a person to touch a hardware key."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential's value, which no representation, format or traceback shows."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "********"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Where one credential's value comes from; read only when a connection is opened."""

    source: Literal["env", "file", "command"]
    name: str
    """The variable, the path (absolute), or the command's words for messages."""
    command: tuple[str, ...] = ()
    where: SourceRef

    def resolve(self) -> Secret:
        """Return the value; ReconcilerError names the source where there is none (`where` is its place)."""
        value = _READERS[self.source](self)
        if not value:
            raise self._error(f"is empty: {self._described()}")
        return Secret(value)

    def _described(self) -> str:
        return {
            "env": f"environment variable {self.name}",
            "file": f"file {self.name}",
            "command": f"command {self.name}",
        }[self.source]

    def _error(self, what: str) -> ReconcilerError:
        hint = {
            "env": f"set it: export {self.name}=…",
            "file": "write the value into it, readable only by you",
            "command": "run the command by hand and see what it says",
        }[self.source]
        return ReconcilerError(f"credential {what}", hint=hint)

    def from_env(self) -> str:
        """Read the environment variable."""
        value = os.environ.get(self.name)
        if value is None:
            raise self._error(f"is not set: {self._described()}")
        return value

    def from_file(self) -> str:
        """Read the file, without its final newline."""
        try:
            return Path(self.name).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise self._error(f"cannot be read: {self._described()}: {reason}") from None

    def from_command(self) -> str:
        """Run the command without a shell and take its standard output; its own words stay unseen."""
        try:
            done = subprocess.run(  # noqa: S603 - the project's owner wrote the command into the project file
                self.command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT, check=False
            )
        except (OSError, subprocess.TimeoutExpired, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise self._error(f"cannot be had: {self._described()}: {reason}") from None
        if done.returncode != 0:
            raise self._error(f"cannot be had: {self._described()} ended with exit code {done.returncode}")
        return done.stdout.rstrip("\r\n")


_READERS = {"env": Credential.from_env, "file": Credential.from_file, "command": Credential.from_command}


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How one remote system is reached. `timeout` is seconds for a whole call."""

    name: str
    provider: str
    base_url: str
    where: SourceRef
    auth: Mapping[str, Credential] = field(default_factory=dict)
    company_id: int | None = None
    access: Literal["admin", "public"] = "admin"
    on_behalf: str | None = None
    timeout: float = 30.0
    max_concurrency: int = 8
    requests_per_second: float | None = None
    ca_file: str | None = None
    allow_http: bool = False

    @property
    def target(self) -> str:
        """Which remote system ids belong to: host and company, whatever the port or scheme."""
        host = urlsplit(self.base_url).hostname or self.base_url
        return host if self.company_id is None else f"{host} company {self.company_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Limits on what one run may do; places are where the project file sets them, None for defaults."""

    max_deletes: int = 10
    max_change_percent: float = 30
    max_deletes_at: SourceRef | None = None
    max_change_percent_at: SourceRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project, with the chosen environment already laid over it. Paths are absolute."""

    name: str
    file: Path
    root: Path
    manifests: tuple[str, ...]
    connections: Mapping[str, Connection]
    state: str = DEFAULT_STATE
    policy: Policy = field(default_factory=Policy)
    environment: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
