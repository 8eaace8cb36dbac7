"""Field changes as rows: nested values taken apart, slots shown as slots, many of them folded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct

from reconciler.model.canonical import ATOMS
from reconciler.model.change import CREATING, DESTRUCTIVE, EDITING, Action, FieldChange
from reconciler.model.field import Default
from reconciler.model.report import Drifted, Outcome
from reconciler.model.words import more
from reconciler.render import values
from reconciler.render.safe import shown_value

Sign = Literal["+", "~", "-", " "]

SLOTS_SHOWN = 12
"""Slots of one change that are shown; the rest is folded."""

UNVERIFIED = "last applied; the API does not return it"
OUTSIDE = "changed outside reconciler"
API_DEFAULT = "API default"

_SIGN_WORDS: tuple[tuple[Sign, str], ...] = (("-", "deleted"), ("~", "changed"), ("+", "added"))


class Row(Struct, frozen=True, kw_only=True):
    """One line of a change."""

    label: str
    before: str | None
    """The old value; None where the field is new."""
    after: str | None
    """The new value; None where the field is removed."""
    note: str = ""
    is_slot: bool = False
    is_default: bool = False
    """Whether the remote system sets the value, which no one stated."""

    @property
    def sign(self) -> Sign:
        """Whether the field is new, changes or is removed; a blank for a default."""
        if self.is_default:
            return " "
        if self.before is None:
            return "+"
        return "-" if self.after is None else "~"

    @property
    def is_short(self) -> bool:
        """Whether it may be kept for other objects that have the same."""
        return len(self.before or "") + len(self.after or "") <= _SHORT

    @property
    def step(self) -> str:
        """`35.00 → 40.00`, or the one value there is."""
        return " → ".join(side for side in (self.before, self.after) if side is not None)

    @property
    def remark(self) -> str:
        """The note in brackets, after two blanks; empty where there is none."""
        return f"  ({self.note})" if self.note else ""


def _new_row(label: str, before: str | None, after: str | None, note: str) -> Row:
    return Row(label=label, before=before, after=after, note=note)


_SHORT = 80
_row = lru_cache(4096)(_new_row)
"""Thousands of objects have mostly the same rows: a page that holds them all holds each short one once."""


class Rows(Struct, frozen=True, kw_only=True):
    """The rows of one change."""

    fields: tuple[Row, ...]
    slots: tuple[Row, ...]
    rest: tuple[Row, ...] = ()
    """Slots that are folded."""
    folded: str | None = None
    """How many slots are folded, as text."""


def of_change(
    action: Action,
    fields: Iterable[FieldChange],
    *,
    defaults: Iterable[Default] = (),
    width: int | None = values.WIDTH,
    fold: bool = True,
    zone: str | None = None,
) -> Rows:
    """Return the rows of a planned change; values are shortened to `width` characters (None: never).

    Instants are shown in `zone`, the one of its manifest (None: UTC).
    """
    stated = [row for field in fields for row in _rows(field, _note(action, field), width, zone)]
    return _arranged([*stated, *(_default(item, width, zone) for item in defaults)], fold)


def of_outcome(outcome: Outcome, *, width: int | None = values.WIDTH, fold: bool = True) -> Rows:
    """Return the rows of what an apply changed, or may have changed; none where nothing was sent.

    Only a change of an object has two sides: what was created is in its manifest.
    """
    if outcome.action not in EDITING or not outcome.calls:
        return Rows(fields=(), slots=())
    return of_change(outcome.action, outcome.fields, width=width, fold=fold, zone=outcome.zone)


def of_drift(item: Drifted, *, width: int | None = values.WIDTH, fold: bool = True) -> Rows:
    """Return the rows of an object that changed outside: from what was last applied to what is live."""
    return _arranged([row for field in item.fields for row in _rows(field, "", width, item.zone)], fold)


def _note(action: Action, field: FieldChange) -> str:
    if action in CREATING | DESTRUCTIVE:
        return ""
    if field.origin == "drift":
        return OUTSIDE
    if field.verifiable:
        return ""
    return UNVERIFIED if field.before is not None else "not verifiable: the API does not return it"


def _default(item: Default, width: int | None, zone: str | None) -> Row:
    value = values.words(item.value, width=width, zone=zone) if item.rule is None else shown_value(item.rule)
    return Row(label=shown_value(item.path), before=None, after=value, note=API_DEFAULT, is_default=True)


def _rows(field: FieldChange, note: str, width: int | None, zone: str | None) -> Iterator[Row]:
    for path, before, after in _leaves(field.path, field.before, field.after):
        if before == after and type(before) is type(after):
            continue
        if _is_slot(path, before, after):
            old, new = (None if side is None else values.slot(side) for side in (before, after))
            yield Row(label="slot", before=old, after=new, note=note, is_slot=True)
            continue
        if before is None or after is None:
            old, new = (
                None if side is None else values.words(side, width=width, zone=zone) for side in (before, after)
            )
        else:
            old, new = values.pair(before, after, width=width, zone=zone)
        yield (_row if len(old or "") + len(new or "") <= _SHORT else _new_row)(shown_value(path), old, new, note)


def _leaves(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """Take mappings and keyed lists apart: `address.postcode`, `items[court].quantity`."""
    if type(before) in ATOMS and type(after) in ATOMS:
        yield path, before, after
        return
    before, after = _keyed(before), _keyed(after)
    sides = [side for side in (before, after) if side is not None]
    if not any(sides) or not all(isinstance(side, Mapping) for side in sides) or _is_slot(path, before, after):
        yield path, before, after
        return
    for key in dict.fromkeys(key for side in sides for key in side):
        inner = f"{path}{key}" if str(key).startswith("[") else f"{path}.{key}"
        yield from _leaves(inner, (before or {}).get(key), (after or {}).get(key))


def _keyed(value: Any) -> Any:
    """Return a list whose members have an identity as a mapping from it; anything else as it is."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, Mapping) for item in value):
        return value
    names = [_identity(item) for item in value]
    if not names or None in names or len(set(names)) < len(names):
        return value
    return {f"[{name}]": item for name, item in zip(names, value, strict=True)}


def _identity(item: Mapping[str, Any]) -> str | None:
    if "key" in item:
        return str(item["key"])
    return f"{item['date']} {item['time']}" if "date" in item and "time" in item else None


def _is_slot(path: str, *sides: Any) -> bool:
    return path.startswith("slots[") and all(
        isinstance(side, Mapping) and "date" in side for side in sides if side is not None
    )


def _arranged(rows: Sequence[Row], fold: bool) -> Rows:
    fields = tuple(row for row in rows if not row.is_slot)
    slots = [row for row in rows if row.is_slot]
    hidden = len(slots) - SLOTS_SHOWN
    if not fold or hidden <= 1:  # a line that says that one is folded takes as much room as that one
        return Rows(fields=fields, slots=tuple(slots))
    # Deletions matter most: none may be folded while something harmless is shown.
    rank = {sign: index for index, (sign, _) in enumerate(_SIGN_WORDS)}
    slots.sort(key=lambda row: rank[row.sign])
    shown, rest = tuple(slots[:SLOTS_SHOWN]), tuple(slots[SLOTS_SHOWN:])
    counts = Counter(row.sign for row in rest)
    kinds = ", ".join(f"{counts[sign]} {word}" for sign, word in _SIGN_WORDS if counts[sign])
    return Rows(fields=fields, slots=shown, rest=rest, folded=f"{more(hidden, 'slot')} ({kinds})")
