"""All kinds and providers: the built-in ones, and those that other packages define."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from reconciler.entry_points import entry_points
from reconciler.errors import ReconcilerError
from reconciler.model.kind import Kind
from reconciler.model.nearest import did_you_mean
from reconciler.model.objects import is_address
from reconciler.providers.base import BUILT_IN, ProviderSpec, project_schema

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_KINDS = ("session", "resource", "block", "booking_session")
_PROVIDERS = ("bookingbug_sessions", "bookingbug_admin", "checkfront")
_RESERVED = frozenset({"Project", "Removed", "Defaults", "Closure"})
"""What the `kind` of a document can be beside the kinds."""
_FIX = "fix or uninstall that package"


@cache
def kinds() -> Mapping[str, Kind]:
    """Return every kind by name; ReconcilerError where an installed package defines an invalid one."""
    built_in = [import_module(f"reconciler.kinds.{name}").KIND for name in _KINDS]
    return _discover("reconciler.kinds", Kind, built_in, _kind_fault)


@cache
def providers() -> Mapping[str, ProviderSpec]:
    """Return every provider by name; ReconcilerError where an installed package defines an invalid one."""
    built_in = [import_module(f"reconciler.providers.{name}").SPEC for name in _PROVIDERS]
    return _discover("reconciler.providers", ProviderSpec, built_in, _provider_fault)


def project_file_schema() -> str:
    """Return the name of the schema of a project file, with the settings of every provider."""
    return project_schema(providers().values())


def package_of(module: str) -> str | None:
    """Return the package that brings kinds or providers from a module; None for a module of reconciler or a library."""
    points = (*entry_points("reconciler.kinds"), *entry_points("reconciler.providers"))
    top = module.partition(".")[0]
    return next((_package(point) for point in points if point.module.partition(".")[0] == top), None)


def _kind_fault(kind: Kind) -> str | None:
    if not is_address(f"{kind.name}/x") or kind.name in _RESERVED:
        return f"defines the kind {kind.name!r}; expected a name such as Tool that reconciler does not use itself"
    if kind.provider not in providers():
        near = did_you_mean(kind.provider, providers())
        return f"defines the kind {kind.name} for the provider {kind.provider!r}, which is not installed{near}"
    if providers()[kind.provider].schema == BUILT_IN:
        return f"defines the kind {kind.name} for the provider {kind.provider}, which reads only its own kinds"
    return _schema_fault(kind.name, kind.schema)


def _provider_fault(spec: ProviderSpec) -> str | None:
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", spec.name):
        return f"defines the provider {spec.name!r}; expected a name such as tool-hire"
    return _schema_fault(spec.name, spec.schema)


def _schema_fault(name: str, schema: str) -> str | None:
    """Refuse the schema of another package that is not in a package: it could be a built-in one."""
    if re.fullmatch(r"\w+(\.\w+)*:\w+", schema):
        return None
    return (
        f"defines {name} with the schema {schema!r}; expected PACKAGE:NAME for the file NAME.schema.json of a package"
    )


def _discover(
    group: str, wanted: type[Any], built_in: list[Any], fault: Callable[[Any], str | None]
) -> Mapping[str, Any]:
    found = {item.name: item for item in built_in}
    origins = dict.fromkeys(found, "reconciler itself")
    for point in sorted(entry_points(group), key=lambda item: (item.name, item.value)):
        item = _load(point, group, wanted)
        origin = _origin(point)
        if item.name in found:
            message = f"{origin} defines {item.name!r}, which {origins[item.name]} already defines"
            raise ReconcilerError(message, hint="uninstall one of the two packages")
        wrong = fault(item)
        if wrong is not None:
            raise ReconcilerError(f"{origin} {wrong}", hint=_FIX)
        found[item.name], origins[item.name] = item, origin
    return MappingProxyType(dict(sorted(found.items())))


def _load(point: EntryPoint, group: str, wanted: type[Any]) -> Any:
    try:
        item = point.load()
    except (Exception, SystemExit) as error:  # a foreign package may fail in any way; the error must name it
        message = f"{_origin(point)} cannot be loaded: {type(error).__name__}: {error}"
        raise ReconcilerError(message, hint=_FIX) from error
    if not isinstance(item, wanted):
        message = f"{_origin(point)} is not a {wanted.__name__} ({group})"
        raise ReconcilerError(message, hint=_FIX)
    return item


def _origin(point: EntryPoint) -> str:
    """Name the package of an entry point, and the object."""
    return f"{_package(point)} (entry point {point.name!r}, {point.value})"


def _package(point: EntryPoint) -> str:
    return f"the package {point.dist.name} {point.dist.version}" if point.dist else "an installed package"
