"""The items of a held booking: which line is which item, and how the lines become the wanted ones.

Lines have positions instead of ids, and no field for our own key (checkfront API notes §1.4). A line is
recognised by its slip, which the state keeps for every key, or else by its item, dates and parameters. A slip
covers the whole order, so a line that still shows its recorded slip is unchanged since it was applied. Any other slip
counts only as far as it can be parsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from reconciler.kinds.booking_session.fields import WHAT
from reconciler.kinds.booking_session.lines import (
    TIMES,
    Item,
    Line,
    contradicts,
    differences,
    is_parsed,
    is_recounted,
    quantity_of,
    recounted_field,
    shows,
    strays,
    unstated,
)
from reconciler.model.change import Edit, FieldChange, Origin
from reconciler.model.kind import PartRevision

_FRESH = "a new one"
"""Shown where a line is replaced because the meaning of its slip is not known."""


class _Match(Struct, frozen=True, kw_only=True):
    """One wanted item with its line."""

    item: Item
    line: Line
    base: Item | None = None
    """What was applied to the line, where it still shows that slip."""
    is_adopted: bool = False
    """Whether nothing was ever applied to the session."""

    @property
    def is_recounted(self) -> bool:
        """Whether the quantity was changed outside to another than the wanted one, and the slip does not show it."""
        if self.base is None or not is_recounted(self.line, self.base):
            return False
        is_own = recounted_field(self.line, self.item, self.base) == "quantity"
        return not (is_own and self.item["quantity"] == self.line["rated_quantity"])

    @property
    def facts(self) -> dict[str, Any]:
        """What to record of the line: as it was applied, where it still shows that slip."""
        quantity = {"qty": self.line["rated_quantity"]} if "rated_quantity" in self.line else {}
        if "key" not in self.line:
            return {"slip": self.line["slip"], **quantity}
        recorded = self.line.get("recorded", {})
        accepted = {} if self.is_recounted or "qty" not in recorded else quantity
        return {"slip": self.line["slip"], **recorded, **accepted}


def compare_items(desired: Any, live: Any, applied: Any, reset_by: str | None = None) -> PartRevision:
    """Return how the `live` lines become the `desired` items; `applied` are the items last applied, or None.

    `lines` says what a live line is.
    """
    del reset_by  # no field of a held booking resets its lines
    wanted, lines = list(desired), list(live or ())
    before = {item["key"]: item for item in applied or ()}
    if live is None:
        return PartRevision(unverified=tuple(name for name, _ in _named(wanted, {})))
    matches = _matches(wanted, lines, before, is_adopted=applied is None)
    staying = {match.line["line"] for match in matches.values() if not _moves(match)}
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
    names = dict(_named(wanted, matches))
    known = {name: match.facts for name, match in matches.items()}
    return PartRevision(
        fields=(*changes, *_gone(leftover, before)),
        edits=tuple(edits),
        verified=tuple(name for name, shown in names.items() if shown),
        unverified=tuple(name for name, shown in names.items() if not shown),
        computed={**known, **{_line_name(line): {"slip": line["slip"]} for line in (leftover if edits else ())}},
        information=_information([line for line in lines if line["line"] in staying]),
    )


def _name(item: Item) -> str:
    return str(item["key"]) if "key" in item else _line_name(item)


def _line_name(line: Line) -> str:
    """Return the name of a line that no wanted item claims."""
    return str(line["key"]) if "key" in line else f"line {line['line']}"


def _position(line: Line) -> int:
    return int(line["line"])


def _moves(match: _Match) -> bool:
    """Whether the item leaves its line for other days or times: what is free on the old ones says nothing then."""
    return not {"slip", "item_id", "start_date", "end_date", *TIMES}.isdisjoint(_changed(match))


def _matches(
    wanted: Sequence[Item], lines: Sequence[Line], before: Mapping[str, Item], *, is_adopted: bool
) -> dict[str, _Match]:
    """Find each item's line: by recorded slip, then a renamed item's, then by facts, then by item alone."""
    free = {line["line"]: line for line in lines}
    found: dict[str, _Match] = {}

    def take(item: Item, line: Line, base: Item | None) -> None:
        found[_name(item)] = _Match(item=item, line=line, base=base, is_adopted=is_adopted)
        del free[line["line"]]

    by_key = {line["key"]: line for line in lines if "key" in line}
    for item in wanted:
        if _name(item) in by_key.keys() - found.keys():  # what was applied in part can hold one key twice
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
    return not differences(line, item) and "discount_code" not in item


def _is_of(line: Line, item: Item) -> bool:
    """Whether a line is of the same item, so that it is replaced rather than removed and added."""
    return "slip" not in item and line.get("item_id") == item.get("item_id")


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
            Edit(
                part="items",
                part_id=name,
                values=item,
                replaces=held,
                changed=tuple(changed),
                keeps=unstated(line, item, held or {}),
            ),
        )
        edits += _choices(item, needs_quantity="slip" in item and changed != ["quantity"])
    elif wrong:
        edits.append(Edit(part="items", part_id=name, values=item, replaces=before.get(name), changed=("options",)))
    return fields, edits


def _changed(match: _Match) -> list[str]:
    item, line, base = match.item, match.line, match.base
    if base is not None:
        names = [name for name in (*WHAT, "discount_code", "slip") if item.get(name) != base.get(name)]
        names += strays(line, item) if "slip" not in item else []
        if is_recounted(line, base):
            names = [name for name in names if name != "quantity"]
            names += [recounted_field(line, item, base)] if match.is_recounted else []
        return ["slip"] if "slip" in names else list(dict.fromkeys(names))
    if "slip" in item:
        return [] if line["slip"] == item["slip"] else ["slip"]
    if match.is_adopted and not is_parsed(line) and not contradicts(line, item):
        return []  # a new slip would lose what this one holds and no one stated
    differing = differences(line, item)
    return [*differing, "discount_code"] if "discount_code" in item else differing


def _choices(item: Item, *, needs_quantity: bool) -> Iterator[Edit]:
    """Yield the edit that sets what a new line starts without: add-on choices, and the quantity of a given slip."""
    quantity = ("quantity",) if needs_quantity and "quantity" in item else ()
    options = ("options",) if item.get("options") else ()
    if quantity or options:
        yield Edit(part="items", part_id=_name(item), values=item, replaces=item, changed=(*options, *quantity))


def _field_change(match: _Match, attribute: str, origin: Origin) -> FieldChange:
    name, line, base = _name(match.item), match.line, match.base
    is_off = base is not None and attribute in strays(line, base)
    seen = (base if base is not None and not is_off else line).get(attribute)
    if attribute == "quantity" and (base is None or match.is_recounted):
        seen = line.get("rated_quantity") if match.is_recounted else quantity_of(line, match.item)
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


def _named(wanted: Sequence[Item], matches: Mapping[str, _Match]) -> Iterator[tuple[str, bool]]:
    """Yield `room.start_date` for each thing that is stated of an item, and whether its line shows it."""
    for item in wanted:
        match = matches.get(_name(item))
        for attribute in item:
            if attribute != "key" and (attribute == "discount_code" or not matches or match is not None):
                shown = attribute != "discount_code" and match is not None and shows(match.line, item, attribute)
                yield f"{_name(item)}.{attribute}", shown


def _information(lines: Sequence[Line]) -> str | None:
    """Return other facts that the server shows: never compared, because they change with everyday business."""
    facts = []
    for line in lines:
        shown = [f"{line['available']} available"] if line.get("available") is not None else []
        shown += [f"at {line['total']}"] if line.get("total") else []
        if shown:
            facts.append(f"{line.get('key') or line.get('name') or line['line']}: {' '.join(shown)}")
    return f"now {', '.join(facts)}" if facts else None
