"""All kinds and providers: the built-in ones, and those that other packages define."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.model.kind import Kind
from reconciler.providers.base import ProviderSpec

_KINDS = ("session", "resource", "block", "booking_session")
_PROVIDERS = ("bookingbug_sessions", "bookingbug_admin", "checkfront")


@cache
def kinds() -> Mapping[str, Kind]:
    """Return every kind by name; ReconcilerError where an installed package defines an invalid one."""
    built_in = [import_module(f"reconciler.kinds.{name}").KIND for name in _KINDS]
    return _discover("reconciler.kinds", Kind, built_in)


@cache
def providers() -> Mapping[str, ProviderSpec]:
    """Return every provider by name; ReconcilerError where an installed package defines an invalid one."""
    built_in = [import_module(f"reconciler.providers.{name}").SPEC for name in _PROVIDERS]
    return _discover("reconciler.providers", ProviderSpec, built_in)


def _discover(group: str, wanted: type[Any], built_in: list[Any]) -> Mapping[str, Any]:
    found = {item.name: item for item in built_in}
    for point in sorted(entry_points(group=group), key=lambda item: (item.name, item.value)):
        item = _load(point, group, wanted)
        if item.name in found:
            message = f"{group} entry point {point.name!r} ({point.value}) defines {item.name!r}, which already exists"
            raise ReconcilerError(message, hint="uninstall one of the two packages")
        found[item.name] = item
    return MappingProxyType(dict(sorted(found.items())))


def _load(point: EntryPoint, group: str, wanted: type[Any]) -> Any:
    try:
        item = point.load()
    except Exception as error:  # a foreign package may fail in any way; the error must name it
        message = f"{group} entry point {point.name!r} ({point.value}) cannot be loaded: {error}"
        raise ReconcilerError(message, hint="fix or uninstall that package") from error
    if not isinstance(item, wanted):
        message = f"{group} entry point {point.name!r} ({point.value}) is not a {wanted.__name__}"
        raise ReconcilerError(message, hint="fix or uninstall that package")
    return item
