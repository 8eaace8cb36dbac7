"""Which item each line of a session belongs to, and what a call changed. No I/O.

Lines have positions instead of ids, positions may shift, and an OK answer does not prove that a line was
added (checkfront API notes §1.4, §1.5): the lines before and after show what happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.providers.checkfront.slips import meaning

Line = Mapping[str, Any]

Posted = tuple[str, str, str | None]
"""The key of an item, its slip, and its item id where it is known."""


def assign(
    lines: Sequence[Line], slips: Mapping[str, str], options: Mapping[str, Mapping[str, str]]
) -> dict[str, Line]:
    """Return each key's line by its recorded slip; of lines with one slip, first those with the stated choices."""
    free: dict[str, list[Line]] = {}
    for line in lines:
        free.setdefault(line["slip"], []).append(line)
    found: dict[str, Line] = {}
    for fits_choices in (True, False):
        for key in sorted(slips.keys() - found.keys()):
            alike = free.get(slips[key], [])
            for line in alike:
                if not fits_choices or _chosen(line, options.get(key, {})):
                    found[key] = line
                    alike.remove(line)
                    break
    return found


def _chosen(line: Line, options: Mapping[str, str]) -> bool:
    return all(line["options"].get(item_id) == choice for item_id, choice in options.items())


def named(
    lines: Sequence[Line], assigned: Mapping[str, Line], recorded: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the lines with the keys that were found for them and what is recorded of these, ready to compare."""
    keys = {line["line"]: key for key, line in assigned.items()}
    found = []
    for line in lines:
        key = keys.get(line["line"])
        extra = {} if key is None else {"key": key, "recorded": dict(recorded[key])}
        found.append({name: value for name, value in line.items() if name != "add_ons"} | extra)
    return found


def facts(line: Line, unseen: Sequence[str] = ()) -> dict[str, Any]:
    """Return what is recorded of an item's line; `unseen` is what the rated answer did not show."""
    quantity = {"qty": line["rated_quantity"]} if "rated_quantity" in line else {}
    return {"slip": line["slip"], **quantity, **({"unseen": sorted(unseen)} if unseen else {})}


def arrived(before: Iterable[Line], after: Sequence[Line], posted: Sequence[Posted]) -> dict[str, Line]:
    """Return the line that each posted `(key, slip, item id)` became; a key without one was not added.

    A server may show another slip than the posted one: then new lines of the item are taken in order,
    unless fewer came than were posted, because then it is not known which of them are missing.
    """
    known = {(line["line"], line["slip"]) for line in before}
    new = [line for line in after if (line["line"], line["slip"]) not in known]
    found: dict[str, Line] = {}
    for key, slip, _ in posted:
        line = next((line for line in new if line["slip"] == slip), None)
        if line is not None:
            found[key] = line
            new.remove(line)
    for item_id in sorted({_item_id(slip, given) for key, slip, given in posted if key not in found}):
        keys = [key for key, slip, given in posted if key not in found and _item_id(slip, given) == item_id]
        candidates = [line for line in new if line.get("item_id", "") == item_id or not item_id]
        if len(candidates) == len(keys):
            found.update(zip(keys, candidates, strict=True))
            new = [line for line in new if line not in candidates]
    return found


def _item_id(slip: str, given: str | None) -> str:
    """Return the item that a slip was rated for, or that a given slip seems to name; empty where it is not known."""
    meant = meaning(slip)
    return given or (meant.item_id if meant is not None else "")
