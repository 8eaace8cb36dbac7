"""The items of a held booking: which line is which item, and how the lines become the wanted ones.

Lines have positions instead of ids, and no field for our own key (checkfront API notes §1.4). A line is
recognised by its slip, which the state keeps for every key, or else by its item, dates and parameters. A slip
covers the whole order, so a line that still shows its recorded slip is unchanged since it was applied. Any other slip
counts only as far as it can be parsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.kinds.booking_session.fields import WHAT
from reconciler.model.change import Edit, FieldChange, Origin
from reconciler.model.kind import PartRevision

Item = Mapping[str, Any]
Line = Mapping[str, Any]

_NEVER_SHOWN = ".discount_code"
"""End of the name of what a line does not show (checkfront API notes §1.3)."""

_FRESH = "a new one"
"""Shown where a line is replaced because the meaning of its slip is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    """One wanted item with its line."""

    item: Item
    line: Line
    base: Item | None = None
    """What was applied to the line, where it still shows that slip."""


def compare_items(desired: Any, live: Any, applied: Any, reset_by: str | None = None) -> PartRevision:
    """Return how the `live` lines become the `desired` items; `applied` are the items last applied, or None.

    Live lines are `{line, slip, item_id, options, key?, start_date?, end_date?, params?, quantity?}`; `key`
    is set where the line shows the slip recorded for that item.
    """
    del reset_by  # no field of a held booking resets its lines
    wanted, lines = list(desired), list(live or ())
    before = {item["key"]: item for item in applied or ()}
    if live is None:
        return PartRevision(unverified=tuple(_named(wanted, {})))
    matches = _matches(wanted, lines, before)
    taken = {match.line["line"] for match in matches.values()}
    leftover = [line for line in lines if line["line"] not in taken]
    if not wanted and lines:
        return PartRevision(
            fields=tuple(_gone(leftover, before)),
            edits=(Edit(values={"items": []}),),
            note="the items are removed and the session is kept",
        )
    changes: list[FieldChange] = []
    edits: list[Edit] = []
    for item in wanted:
        match = matches.get(_name(item))
        fields, steps = _missing(item, before) if match is None else _revised(match, before)
        changes += fields
        edits += steps
    added = {edit.part_id for edit in edits if edit.effect == "create"}
    edits.sort(key=lambda edit: edit.part_id in added)
    edits += [_removal(line, before) for line in sorted(leftover, key=_position, reverse=True)]
    names = tuple(_named(wanted, matches))
    known = {name: {"slip": match.line["slip"]} for name, match in matches.items()}
    return PartRevision(
        fields=(*changes, *_gone(leftover, before)),
        edits=tuple(edits),
        verified=tuple(name for name in names if not name.endswith(_NEVER_SHOWN)),
        unverified=tuple(name for name in names if name.endswith(_NEVER_SHOWN)),
        computed={**known, **{_line_name(line): {"slip": line["slip"]} for line in (leftover if edits else ())}},
        information=_information(lines),
    )


def _name(item: Item) -> str:
    return str(item["key"]) if "key" in item else _line_name(item)


def _line_name(line: Line) -> str:
    """Return the name of a line that no wanted item claims."""
    return str(line["key"]) if "key" in line else f"line {line['line']}"


def _position(line: Line) -> int:
    return int(line["line"])


def _matches(wanted: Sequence[Item], lines: Sequence[Line], before: Mapping[str, Item]) -> dict[str, _Match]:
    """Find each item's line: by recorded slip, then a renamed item's, then by facts, then by item alone."""
    free = {line["line"]: line for line in lines}
    found: dict[str, _Match] = {}

    def take(item: Item, line: Line, base: Item | None) -> None:
        found[_name(item)] = _Match(item=item, line=line, base=base)
        del free[line["line"]]

    by_key = {line["key"]: line for line in lines if "key" in line}
    for item in wanted:
        if _name(item) in by_key:
            take(item, by_key[_name(item)], before.get(_name(item)))
    for item in _waiting(wanted, found):
        for line in list(free.values()):
            base = before.get(line.get("key", ""))
            if base is not None and _content(base) == _content(item):
                take(item, line, base)
                break
    for fits in (_fits, _is_of):
        for item in _waiting(wanted, found):
            fitting = [line for line in free.values() if fits(line, item)]
            if fitting:
                take(item, fitting[0], None)
    return found


def _waiting(wanted: Sequence[Item], found: Mapping[str, _Match]) -> list[Item]:
    return [item for item in wanted if _name(item) not in found]


def _content(item: Item) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "key"}


def _fits(line: Line, item: Item) -> bool:
    """Whether a line shows all fields of an item, as far as a slip can show them."""
    if "slip" in item:
        return bool(line["slip"] == item["slip"])
    return not _differences(line, item) and "discount_code" not in item


def _is_of(line: Line, item: Item) -> bool:
    """Whether a line is of the same item, so that it is replaced rather than removed and added."""
    return "slip" not in item and line.get("item_id") == item.get("item_id")


def _differences(line: Line, item: Item) -> list[str]:
    """Return the names of what a line does not show as stated; what cannot be seen counts as different."""
    params = line.get("params")
    differing = [name for name in ("item_id", "start_date", "end_date") if line.get(name) != item.get(name)]
    differing += [name for name in ("start_time", "end_time") if name in item and line.get(name) != item[name]]
    if params is None and "quantity" not in line:
        return [*differing, "slip"]
    stated = item.get("params", {})
    if any((params or {}).get(name) != number for name, number in stated.items()):
        differing.append("params")
    if "quantity" in item and item["quantity"] != _quantity(line):
        differing.append("quantity")
    return differing


def _quantity(line: Line) -> Any:
    """Return a line's quantity: the bare number of a simple item's slip, or the only parameter of another's."""
    params = line.get("params") or {}
    return line["quantity"] if "quantity" in line else next(iter(params.values())) if len(params) == 1 else None


def _missing(item: Item, before: Mapping[str, Item]) -> tuple[list[FieldChange], list[Edit]]:
    name = _name(item)
    change = FieldChange(path=f"items[{name}]", before=None, after=_stated(item), origin=_origin(item, before))
    edits = [Edit(part="items", part_id=name, values=item, effect="create")]
    return [change], [*edits, *_choices(item, needs_quantity="slip" in item)]


def _revised(match: _Match, before: Mapping[str, Item]) -> tuple[list[FieldChange], list[Edit]]:
    """Return what differs between an item and its line, and the edits that correct it."""
    item, line, name = match.item, match.line, _name(match.item)
    changed = _changed(match)
    origin = _origin(item, before)
    fields = [_field_change(match, attribute, origin) for attribute in changed]
    chosen = line.get("options") or {}
    wrong = {option: choice for option, choice in item.get("options", {}).items() if chosen.get(option) != choice}
    fields += [
        FieldChange(path=f"items[{name}].options.{option}", before=chosen.get(option), after=choice, origin=origin)
        for option, choice in wrong.items()
    ]
    edits: list[Edit] = []
    if changed:
        held = before.get(line.get("key", name)) or before.get(name)
        edits.append(
            Edit(part="items", part_id=name, values=item, replaces=held, changed=tuple(changed)),
        )
        edits += _choices(item, needs_quantity="slip" in item and changed != ["quantity"])
    elif wrong:
        edits.append(Edit(part="items", part_id=name, values=item, replaces=before.get(name), changed=("options",)))
    return fields, edits


def _changed(match: _Match) -> list[str]:
    item, base = match.item, match.base
    if base is not None:
        names = [name for name in (*WHAT, "discount_code", "slip") if item.get(name) != base.get(name)]
        return ["slip"] if "slip" in names else names
    if "slip" in item:
        return [] if match.line["slip"] == item["slip"] else ["slip"]
    differing = _differences(match.line, item)
    return [*differing, "discount_code"] if "discount_code" in item else differing


def _choices(item: Item, *, needs_quantity: bool) -> Iterator[Edit]:
    """Yield the edit that sets what a new line starts without: add-on choices, and the quantity of a given slip."""
    quantity = ("quantity",) if needs_quantity and "quantity" in item else ()
    options = ("options",) if item.get("options") else ()
    if quantity or options:
        yield Edit(part="items", part_id=_name(item), values=item, replaces=item, changed=(*options, *quantity))


def _field_change(match: _Match, attribute: str, origin: Origin) -> FieldChange:
    name, line, base = _name(match.item), match.line, match.base
    seen = (base if base is not None else line).get(attribute)
    if attribute == "quantity" and base is None:
        seen = _quantity(line)
    return FieldChange(
        path=f"items[{name}].{attribute}",
        before=seen,
        after=match.item.get(attribute, _FRESH if attribute == "slip" else None),
        origin=origin,
        verifiable=attribute != "discount_code",
    )


def _removal(line: Line, before: Mapping[str, Item]) -> Edit:
    held = before.get(line.get("key", ""))
    return Edit(part="items", part_id=_line_name(line), values={}, replaces=held, effect="delete")


def _gone(lines: Sequence[Line], before: Mapping[str, Item]) -> Iterator[FieldChange]:
    for line in lines:
        origin: Origin = "manifest" if line.get("key") in before else "drift"
        yield FieldChange(path=f"items[{_line_name(line)}]", before=_stated(line), after=None, origin=origin)


def _stated(item: Item) -> dict[str, Any]:
    """Return an item or a line as it is shown; prices and availability are information, not content."""
    shown = {name: item[name] for name in ("name", *WHAT, "discount_code", "options") if item.get(name)}
    return shown if "item_id" in item and "slip" not in shown else {"slip": item.get("slip"), **shown}


def _origin(item: Item, before: Mapping[str, Item]) -> Origin:
    return "drift" if before.get(_name(item)) == item else "manifest"


def _named(wanted: Sequence[Item], matches: Mapping[str, _Match]) -> Iterator[str]:
    """Yield `room.start_date` for each thing that is stated of an item."""
    for item in wanted:
        for attribute in item:
            if attribute != "key" and (attribute == "discount_code" or not matches or _name(item) in matches):
                yield f"{_name(item)}.{attribute}"


def _information(lines: Sequence[Line]) -> str | None:
    """Return other facts that the server shows: never compared, because they change with everyday business."""
    facts = []
    for line in lines:
        shown = [f"{line['available']} available"] if line.get("available") is not None else []
        shown += [f"at {line['total']}"] if line.get("total") else []
        if shown:
            facts.append(f"{line.get('key') or line.get('name') or line['line']}: {' '.join(shown)}")
    return f"now {', '.join(facts)}" if facts else None
