"""The connections of a project file, as checked settings."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from reconciler.manifests.endpoints import base_url_fault
from reconciler.manifests.explain import schema_problems
from reconciler.manifests.overlay import LayeredPositions
from reconciler.manifests.scalars import shown
from reconciler.model.nearest import did_you_mean
from reconciler.model.objects import Positions, Problem, SourceRef
from reconciler.providers.base import ProviderSpec
from reconciler.settings import PLAN_KEY, Connection, Credential

_OPTIONAL = (
    "timeout",
    "settle_after",
    "max_concurrency",
    "requests_per_second",
    "max_object_mb",
    "max_list_mb",
    "allow_http",
)
"""Settings of every provider that a connection may leave out."""
_UNINSTALLED = "correct the name, or install the package that defines this provider"


class _Below(Struct, frozen=True):
    """The places of one connection, so that its schema names its own fields."""

    positions: LayeredPositions
    base: tuple[str | int, ...]

    def locate(self, path: tuple[str | int, ...], *, key: bool = False) -> SourceRef:
        return self.positions.locate((*self.base, *path), key=key)


def misnamed_connections(
    known: Mapping[str, Any], environments: Mapping[str, Any], positions: Positions
) -> Iterator[Problem]:
    """Report what an environment states of a connection that neither the project nor the environment defines."""
    for environment, over in environments.items():
        stated = over.get("connections") if isinstance(over, Mapping) else None
        for name, setting in stated.items() if isinstance(stated, Mapping) else ():
            if isinstance(setting, Mapping) and name not in known and "provider" not in setting:
                what = f"environment {shown(environment)}: connection {shown(name)} is not one of the project"
                expected = f"expected one of {', '.join(sorted(known))}, or a provider{did_you_mean(name, known)}"
                where = positions.locate(("spec", "environments", environment, "connections", name), key=True)
                yield Problem(code="connection", summary=f"{what}; {expected}", where=where)


def connection_problems(
    settings: Mapping[str, Any],
    positions: LayeredPositions,
    schema: str,
    providers: Collection[str],
    known: Collection[str],
) -> Iterator[Problem]:
    """Check what each connection must have once it is merged with its environment, by the schema of the project.

    `known` are the connections of the project without its environments.
    """
    for name, stated in settings.items():
        if not isinstance(stated, Mapping) or ("provider" not in stated and name not in known):
            continue  # reported by the project's schema, or as misnamed
        below = _Below(positions, ("connections", name))
        for found in schema_problems(f"{schema}#/$defs/complete_connection", stated, below):
            summary = f"connection {shown(name)}: {found.summary}"
            yield Problem(code=found.code, summary=summary, where=found.where, hint=found.hint)
        for field, fault in _faults(stated, providers):
            summary = f"connection {shown(name)}: {field} {fault}"
            hint = _UNINSTALLED if field == "provider" else None
            yield Problem(code="connection", summary=summary, where=below.locate((field,)), hint=hint)


def _faults(stated: Mapping[str, Any], providers: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield (field, what is wrong with it) beyond the schema."""
    provider, url, auth = stated.get("provider"), stated.get("base_url"), stated.get("auth")
    for key, source in auth.items() if isinstance(auth, Mapping) else ():
        name = source.get("env") if isinstance(source, Mapping) else None
        if isinstance(name, str) and name.upper() == PLAN_KEY:
            yield "auth", f"sends {PLAN_KEY} as {shown(key)}, but it signs plans; expected the variable of a credential"
    if isinstance(url, str) and url:
        fault = base_url_fault(url, allow_http=stated.get("allow_http") is True)
        if fault is not None:
            yield "base_url", fault
    if isinstance(provider, str) and provider and provider not in providers:
        near = did_you_mean(provider, providers)
        yield "provider", f"{shown(provider)} is unknown; expected one of {', '.join(sorted(providers))}{near}"


def build_connections(
    settings: Mapping[str, Any], positions: LayeredPositions, root: Path, providers: Mapping[str, ProviderSpec]
) -> dict[str, Connection]:
    """Return the connections of settings that have no problem; `root` is where relative paths start."""
    return {
        name: _connection(name, stated, positions, root, providers[stated["provider"]])
        for name, stated in sorted(settings.items())
    }


def _connection(
    name: str, stated: Mapping[str, Any], positions: LayeredPositions, root: Path, spec: ProviderSpec
) -> Connection:
    base = ("connections", name)
    auth = {
        key: credential(source, positions.locate((*base, "auth", key)), root)
        for key, source in sorted(stated.get("auth", {}).items())
    }
    ca_file = stated.get("ca_file")
    return Connection(
        name=name,
        provider=spec.name,
        base_url=stated["base_url"].rstrip("/"),
        where=positions.locate(base, key=True),
        base_url_at=positions.locate((*base, "base_url")),
        auth=auth,
        settings=spec.settings.parse(stated),
        ca_file=None if ca_file is None else _absolute(ca_file, root),
        **{key: stated[key] for key in _OPTIONAL if key in stated},
    )


def credential(source: Mapping[str, Any], where: SourceRef, root: Path) -> Credential:
    """Return a credential of settings that have no problem; `root` is where relative paths start."""
    if "env" in source:
        return Credential(source="env", name=source["env"], where=where)
    if "file" in source:
        return Credential(source="file", name=_absolute(source["file"], root), where=where)
    command = tuple(source["command"])
    # Only the program is named: a word after it may be a token in the wrong place.
    name = shlex.quote(command[0]) + (" …" if len(command) > 1 else "")
    return Credential(source="command", name=name, command=command, folder=str(root), where=where)


def _absolute(path: str, root: Path) -> str:
    return str(root / os.path.expanduser(path))  # noqa: PTH111 - keeps an unknown ~user
