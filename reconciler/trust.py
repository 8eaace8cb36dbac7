"""What the pipeline lets a project file use: hosts, variables, files and programs.

A project file can come from a pull request, so it must not decide alone where credentials come from and where they go.
Variables of the environment, which a pull request cannot edit, bound it. One that is set to nothing allows nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Self
from urllib.parse import urlsplit

from msgspec import Struct

from reconciler.errors import InvalidInput
from reconciler.model.objects import Problem, SourceRef
from reconciler.model.words import listed
from reconciler.settings import Connection, Credential, Project, is_loopback
from reconciler.target import Target, origin_of

HOSTS = "RECONCILER_HOSTS"
ENV = "RECONCILER_ENV"
FILES = "RECONCILER_FILES"
COMMANDS = "RECONCILER_ALLOW_COMMANDS"
TRUST_HOSTS = "RECONCILER_TRUST_HOSTS"
"""Hosts to accept, as `--trust-host` does."""

TRUSTED = "RECONCILER_TRUSTED_CONFIG"
"""The project file that decides on connections, state and policy; see `manifests.project`."""

UNTRUSTED = "untrusted-setting"
"""The code of the warning that the project file states a setting on which the trusted file decides."""

NEVER = (
    *("RECONCILER_*", "PGPASSWORD", "GITHUB_*", "GH_TOKEN", "ACTIONS_*", "CI_JOB_*"),
    *("CI_REGISTRY_PASSWORD", "CI_DEPLOY_PASSWORD", "SYSTEM_ACCESSTOKEN"),
)
"""Variables (globs) that are never a credential of a booking system: those of this program and of the build agent."""

_PSEUDO = ("/proc", "/sys")
"""File systems that show the memory and environment of processes as files."""

_BETWEEN = re.compile(r"[,\s]+")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")
_BELOW = "*."
_NAMED = 3
_EVERY = ("1",)


class HostPattern(Struct, frozen=True):
    """One host, or every host below a domain."""

    scheme: str | None
    """None for every scheme but http, which only this machine may use unless it is written out."""
    host: str
    port: int | None
    """None for every port."""
    below: bool = False
    """Whether it is every host below the domain `host`, not `host` itself."""

    @classmethod
    def parse(cls, text: str, *, globs: bool = True) -> Self:
        """Read `HOST`, `HOST:PORT` or `*.DOMAIN`; ValueError for any other text."""
        scheme, mark, rest = text.rpartition("://")
        below = globs and rest.startswith(_BELOW)
        parts = urlsplit(origin_of(f"https://{rest.removeprefix(_BELOW) if below else rest}"))
        explicit = urlsplit(f"//{rest}").port
        exact = re.search(r"[/?#@\\]", rest) is None and _HOST.fullmatch(_bracketed(parts.hostname or ""))
        if not exact or (mark and scheme.lower() not in {"http", "https"}):
            raise ValueError(text)
        return cls(scheme.lower() if mark else None, parts.hostname or "", explicit, below)

    def matches(self, origin: str) -> bool:
        """Return whether it names the host of an origin such as `https://uk.bookingbug.com`."""
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme)
        named = host.endswith(f".{self.host}") if self.below else host == self.host
        if not named or not _HOST.fullmatch(_bracketed(host)) or self.port not in {None, port}:
            return False
        return parts.scheme == self.scheme or (self.scheme is None and (parts.scheme != "http" or is_loopback(host)))


def hosts(texts: Iterable[str], *, said: str, globs: bool = True) -> tuple[HostPattern, ...]:
    """Read hosts; InvalidInput names every text that is none, and `said`, the option or variable that holds it."""
    found, problems = [], []
    expected = "HOST, HOST:PORT or *.DOMAIN" if globs else "HOST or HOST:PORT"
    for text in texts:
        try:
            found.append(HostPattern.parse(text, globs=globs))
        except ValueError:
            problems.append(Problem(code="host", summary=f"{said}: {text!r} is not a host; expected {expected}"))
    if problems:
        raise InvalidInput(f"{said} cannot be used; nothing was read or sent", problems)
    return tuple(found)


def shown_host(origin: str) -> str:
    """Return an origin as a person names it in an option or variable: with its scheme only where that is needed."""
    scheme, mark, place = origin.partition("://")
    needed = not mark or (scheme == "http" and not is_loopback(urlsplit(origin).hostname or ""))
    return origin if needed else place


class KnownHosts(Struct, frozen=True, kw_only=True):
    """The hosts that credentials may be sent to, as far as the state knows."""

    targets: frozenset[str]
    """Origins, and the targets of managed objects and open calls. Where there is none, any host may be the first."""
    accepted: tuple[HostPattern, ...] = ()
    """What the user accepts for this run."""

    def check(self, connections: Iterable[Connection], managed_at: Mapping[str, Iterable[str]]) -> None:
        """Raise InvalidInput if a connection leads to a host that is not known.

        `managed_at` are the targets of the objects that are managed through each connection.
        """
        problems = []
        for connection in connections if self.targets else ():
            origin = origin_of(connection.base_url)
            if self.knows(origin) or any(pattern.matches(origin) for pattern in self.accepted):
                continue
            name, host = f"connection {connection.name}", shown_host(origin)
            elsewhere = sorted({Target.parse(target).system for target in managed_at.get(connection.name, ())})
            also = f"; its objects are managed at {listed(elsewhere, _NAMED)}" if elsewhere else ""
            problems.append(
                Problem(
                    code="unknown-host",
                    summary=f"{name} leads to {origin}, which this state has never used{also}",
                    hint=f"if the host is right: --trust-host {host}",
                    where=connection.base_url_at or connection.where,
                )
            )
        if problems:
            raise InvalidInput("a connection leads to a host that is not known; no credential was sent there", problems)

    def knows(self, origin: str) -> bool:
        """Return whether a host was used before. The target of an older state names only a host."""
        host = Target(origin).host
        for text in self.targets:
            target = Target.parse(text)
            if origin_of(target.system) == origin if target.is_exact else target.host == host:
                return True
        return False


class Reached(Struct, frozen=True, kw_only=True):
    """What a state uses outside this process."""

    origins: tuple[str, ...] = ()
    """The servers that it connects to. Text that is no origin is not allowed by any bound."""
    files: tuple[str, ...] = ()
    """The files that its URL names, beside the state itself."""


class Bounds(Struct, frozen=True, kw_only=True):
    """The bounds of this process. None does not bound."""

    hosts: tuple[HostPattern, ...] | None = None
    variables: tuple[str, ...] | None = None
    files: tuple[str, ...] | None = None
    commands: tuple[str, ...] | None = None
    """Programs, or `_EVERY`."""
    in_ci: bool = False
    """Whether a build agent runs this: then files and commands are off by default."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """Read the bounds; InvalidInput where a variable cannot be understood."""
        stated = {name: words(environ[name]) for name in (HOSTS, ENV, FILES, COMMANDS) if name in environ}
        commands = stated.get(COMMANDS)
        return cls(
            hosts=hosts(stated[HOSTS], said=HOSTS) if HOSTS in stated else None,
            variables=stated.get(ENV),
            files=tuple(os.path.realpath(os.path.expanduser(item)) for item in stated[FILES])  # noqa: PTH111
            if FILES in stated
            else None,
            commands=() if commands == ("0",) else commands,
            in_ci=environ.get("CI", "").lower() not in {"", "0", "false"},
        )

    def allows_command(self, program: str) -> bool:
        """Return whether a program may run."""
        return not self.in_ci if self.commands is None else self.commands == _EVERY or program in self.commands

    def check(self, project: Project, state: Reached) -> None:
        """Raise InvalidInput with everything in a project that is outside the bounds."""
        problems = [*self._state_problems(project, state)]
        for connection in project.connections.values():
            problems += self._connection_problems(connection)
        for index, hook in enumerate(project.drift.webhooks):
            for key, credential in (("url", hook.url), ("secret", hook.secret)):
                if credential is not None:
                    problems += self._credential_problem(f"drift.webhooks[{index}].{key}", credential)
        if problems:
            message = "the project file uses what the environment does not allow; nothing was read, run or sent"
            raise InvalidInput(message, problems)

    def check_host(self, name: str, origin: str, where: SourceRef | None) -> None:
        """Raise InvalidInput where a host is outside the bounds that a credential chose."""
        problems = tuple(self._host_problem(name, origin, where))
        if problems:
            raise InvalidInput(problems[0].summary, problems)

    def _state_problems(self, project: Project, state: Reached) -> Iterator[Problem]:
        for origin in state.origins:
            yield from self._host_problem("state", origin, project.state_at)
        for file in state.files:
            yield from self._file_problem("state", file, project.state_at, default=True)

    def _connection_problems(self, connection: Connection) -> Iterator[Problem]:
        name = f"connections.{connection.name}"
        at = connection.base_url_at or connection.where
        yield from self._host_problem(f"{name}.base_url", origin_of(connection.base_url), at)
        if connection.ca_file is not None:
            yield from self._file_problem(f"{name}.ca_file", connection.ca_file, connection.where, default=True)
        for key, credential in sorted(connection.auth.items()):
            yield from self._credential_problem(f"{name}.auth.{key}", credential)

    def _credential_problem(self, name: str, credential: Credential) -> Iterator[Problem]:
        if credential.source == "env":
            yield from self._variable_problem(name, credential)
        elif credential.source == "file":
            yield from self._file_problem(name, credential.name, credential.where, default=not self.in_ci)
        else:
            yield from self._command_problem(name, credential)

    def _host_problem(self, name: str, origin: str, where: SourceRef | None) -> Iterator[Problem]:
        if self.hosts is None or any(pattern.matches(origin) for pattern in self.hosts):
            return
        host = shown_host(origin)
        hint = f"no credential was sent there. To allow it, add {host} to {HOSTS} where the pipeline sets its variables"
        yield _problem(f"{name}: {HOSTS} does not allow the host {host}", hint, where)

    def _variable_problem(self, name: str, credential: Credential) -> Iterator[Problem]:
        variable = credential.name
        if _named(variable, NEVER):
            summary = f"{name}: the variable {variable} is never a credential of a booking system"
            yield _problem(summary, "use a separate variable for the credential", credential.where)
        elif self.variables is not None and not _named(variable, self.variables):
            hint = f"to allow it, add {variable} to {ENV} where the pipeline sets its variables"
            yield _problem(f"{name}: {ENV} does not allow the variable {variable}", hint, credential.where)

    def _command_problem(self, name: str, credential: Credential) -> Iterator[Problem]:
        program = credential.command[0]
        if self.allows_command(program):
            return
        why = f"CI is set and {COMMANDS} is not" if self.commands is None else f"{COMMANDS} does not allow it"
        hint = f"to allow it, add {program} to {COMMANDS} where the pipeline sets its variables; 1 allows every command"
        yield _problem(f"{name}: the command {credential.name} must not run: {why}", hint, credential.where)

    def _file_problem(self, name: str, file: str, where: SourceRef | None, *, default: bool) -> Iterator[Problem]:
        real = os.path.realpath(file)
        if any(_within(real, folder) for folder in _PSEUDO):
            yield _problem(f"{name}: {file} is not a stored file", "write the value to a separate file", where)
        elif not default if self.files is None else not any(_within(real, folder) for folder in self.files):
            why = f"CI is set and {FILES} is not" if self.files is None else f"{FILES} does not allow it"
            hint = f"to allow it, add its folder to {FILES} where the pipeline sets its variables"
            yield _problem(f"{name}: the file {file} must not be read: {why}", hint, where)


def _problem(summary: str, hint: str, where: SourceRef | None) -> Problem:
    return Problem(code="not-allowed", summary=summary, hint=hint, where=where)


def words(text: str) -> tuple[str, ...]:
    """Return the entries of a variable: commas or blanks separate them."""
    return tuple(word for word in _BETWEEN.split(text) if word)


def _named(variable: str, patterns: Iterable[str]) -> bool:
    name = variable.upper() if os.name == "nt" else variable
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
