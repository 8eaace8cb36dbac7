"""Where the values of an object come from, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler import commands
from reconciler.model.change import Action
from reconciler.model.objects import SourceRef
from reconciler.model.provenance import Concern, Explanation, Provenance, Setting, Standing, Template
from reconciler.model.words import count, more
from reconciler.render import phrases, values
from reconciler.render.console import Console, Piece, say

TEMPLATES_SHOWN = 5
"""Templates of one field that are shown; the rest is counted."""

_STANDINGS: Mapping[Standing, str] = {
    "managed": "declared and managed",
    "new": "declared and not managed yet",
    "undeclared": "managed, but no manifest declares it: the next plan deletes it",
    "released": "no longer managed by this project, as the manifests say",
    "unfinished": "not declared; the state has unfinished calls of an earlier run, or that it expired",
    "unmanaged": "live, but neither declared nor managed",
}
_ACTIONS: Mapping[Action, str] = {"noop": "nothing"}
_SIDES = {"applied": "last applied", "live": "live", "default": "API default"}


def why(console: Console, found: Explanation) -> None:
    """Write where each value comes from, what the object depends on, and who last wrote it."""
    for pieces in (*_head(found), *(line for item in found.fields for line in _field(found, item)), *_more(found)):
        say(console, *pieces)


def _head(found: Explanation) -> Iterator[tuple[Piece, ...]]:
    title = f" {commands.kept(found.title)}" if found.title else ""
    yield ((f"{found.address}{title}", "bold"),)
    identity = f", id {found.shown_id}" if found.shown_id is not None else ""
    connection = f" (connection {found.connection}{identity})" if found.connection else identity
    environment = f" in environment {found.environment}" if found.environment is not None else ""
    yield (f"  {_STANDINGS[found.standing]}{environment}{connection}",)
    if found.source is not None and found.standing != "released":
        yield (f"  declared at {found.source}",)
    if found.next is not None:
        yield (f"  next plan: {_ACTIONS.get(found.next.action, found.next.action)}: {found.next.reason}",)
    elif found.standing != "unmanaged":
        yield (("  the live system was not read (--offline)", "dim"),)
    if found.applied is not None:
        yield (f"  last written {phrases.applied(found.applied)}",)
    yield from (("  to manage it: ", (command, "bold")) for command in found.commands)


def _field(found: Explanation, item: Provenance) -> Iterator[tuple[Piece, ...]]:
    yield ("",)
    shown = item.rule if item.rule is not None and item.value is None else _value(found, item.value)
    known = item.origin != "none"
    yield ((f"{item.path}: ", "bold"), shown if known else "")
    if item.where is not None:
        yield (f"    {item.where}", *((f"  {item.templates[0].text}",) if _is_one(item) else ()))
    else:
        yield (f"    not stated; {_unstated(item)}",)
    templates = item.templates[:TEMPLATES_SHOWN]
    for template in templates:
        yield from _template(found, template, named=not _is_one(item))
    if len(templates) < len(item.templates):
        yield (f"    {more(len(item.templates) - len(templates), 'template')}",)
    yield from (((f"    {line}", "dim"),) for line in _compared(found, item))
    if item.ignored is not None:
        yield (f"    drift is ignored: {item.ignored.reason}",)


def _unstated(item: Provenance) -> str:
    match item.origin:
        case "api-default":
            return "API default" if "live" in item.sides else "the API's default for a new object"
        case "live":
            return "the value of the live system"
        case "applied":
            return "the value that was last applied"
        case _:
            return "nothing is known of it"


def _is_one(item: Provenance) -> bool:
    """Whether the whole value is one template."""
    return len(item.templates) == 1 and item.templates[0].path == item.path


def _template(found: Explanation, template: Template, *, named: bool) -> Iterator[tuple[Piece, ...]]:
    if named:
        yield (f"    {template.path}: {template.where}  {template.text}",)
    yield from ((f"    {line}",) for setting in template.settings for line in _setting(found, setting))


def _setting(found: Explanation, setting: Setting) -> Iterator[str]:
    if setting.where is None:
        chosen = " (--env)" if setting.name == "environment" else ""
        yield f"{setting.name} = {_value(found, setting.value)}{chosen}"
        return
    by = f" (environment {found.environment})" if setting.environment else ""
    instead = f", not {_places(setting.overrides)}" if setting.overrides else ""
    yield f"{setting.name} = {_value(found, setting.value)} from {setting.where}{by}{instead}"


def _places(places: Iterable[SourceRef]) -> str:
    return ", ".join(map(str, places))


def _compared(found: Explanation, item: Provenance) -> Iterator[str]:
    sides = {side: item.sides[side] for side in _SIDES if side in item.sides and not _is_items(item.value)}
    same = [side for side, value in sides.items() if value == item.value]
    if item.where is not None and len(same) == len(sides) > 0:
        yield f"{' and '.join(_SIDES[side] for side in same)}: the same"
    else:
        others = [side for side in sides if item.where is not None or side not in same]
        lines = [f"{_SIDES[side]}: {_value(found, sides[side])}" for side in others]
        yield from ["; ".join(lines)] if lines else []
    if item.verifiable is False and item.where is not None:
        yield "the API does not return it"
    if item.pending:
        yield "the next plan changes it"


def _value(found: Explanation, value: Any) -> str:
    if _is_items(value):
        return count(len(value), "item")
    return values.words(value, zone=found.zone)


def _is_items(value: Any) -> bool:
    """Whether a value is a list whose items have fields: FIELD shows them."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _more(found: Explanation) -> Iterator[tuple[Piece, ...]]:
    lists = (
        ("Depends on", [str(address) for address in found.depends_on]),
        ("Objects that depend on it", [str(address) for address in found.dependents]),
        ("What else concerns it", [_concern(concern) for concern in found.concerns]),
    )
    for heading, lines in lists:
        if lines:
            yield ("",)
            yield ((heading, "bold"),)
            yield from ((f"  {line}",) for line in lines)


def _concern(concern: Concern) -> str:
    match concern.setting:
        case "protect":
            said = "protect: it is never deleted or replaced"
        case "annotation":
            said = f"annotation {concern.name}: {concern.value}"
        case "drift-ignore":
            said = f"drift.ignore{f' of {concern.name}' if concern.name else ''}: {concern.value}"
        case "forget":
            said = "metadata.forget: it is no longer managed and stays as it is"
        case "removed":
            said = "kind Removed: it is no longer managed and stays as it is"
        case "moved-from":
            said = f"moved from {concern.value}: the next apply renames it in the state"
    return f"{said} ({concern.where})" if concern.where is not None else f"{said} (in the state)"
