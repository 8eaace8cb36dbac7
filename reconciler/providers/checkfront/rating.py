"""Rated items: the slip in an answer, or why there is none, and whether it is for what was asked (notes §2).

A server may rate other days, times or numbers than it was asked for, and say OK: what the answer shows is compared with
the query before its slip is used. What the answer does not show cannot be compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from reconciler.model import canonical
from reconciler.model.nearest import did_you_mean
from reconciler.model.objects import Fields
from reconciler.providers.answer import is_identifier, neutral
from reconciler.providers.checkfront.answers import mapping
from reconciler.providers.checkfront.slips import Meaning, is_slip, meaning, read_time

QTY = "qty"
"""The parameter of a simple item, which its slip shows as a bare number."""

_FINE = frozenset({"", "A", "AVAILABLE", "OK"})
_SHORT = re.compile(
    r"sold[ _-]?out|over[ _-]?book|unavailab|(?:not|no longer) available|no[ _]availability|fully booked"
    r"|out[ _]of[ _]stock|insufficient|\b(?:only|just) [0-9]+\b[^.;]*\b(?:available|left|remain)",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"([12][0-9]{3})-?([0-9]{2})-?([0-9]{2})(?:[T ][0-9:.+Z-]*)?")
_SHOWN_DAY = re.compile(r"\b([A-Z][a-z]{2}) ([0-9]{1,2}),? ([0-9]{4})\b")
_SHORT_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_SHORT_MONTHS, start=1)}
_COUNTED = re.compile(r"([0-9]{1,9}) [^\W\d]")
"""A count with what is counted, `2 Adults`; beside it are prices, `$130.00`."""
_ONE = timedelta(days=1)


class Rated(Struct, frozen=True, kw_only=True):
    """A rated item."""

    slip: str | None = None
    error: str | None = None
    """Why there is no slip, in the server's words."""
    is_short: bool = False
    """Whether that is because too few are left."""
    params: tuple[str, ...] = ()
    """The names of its parameters; empty where the answer does not list them."""
    by_days: bool = False
    """Whether it is taken by days, so that its last day is taken too."""
    shown: tuple[tuple[str, Any], ...] = ()
    """What the answer is for: names of fields, each with one value that it shows."""
    repeated: tuple[tuple[str, Any], ...] = ()
    """What the answer repeats of the query, as the server understood it: no proof that it was rated."""

    @property
    def meant(self) -> Meaning | None:
        """What the slip means."""
        return meaning(self.slip) if self.slip is not None else None


def rated(data: Mapping[str, Any]) -> Rated:
    """Return the result of a rated query; the request can be OK and the rate an error (notes §1.6)."""
    item = mapping(data.get("item"))
    rate = mapping(item.get("rate"))
    if not item or not rate:
        raise ValueError("no rated item")
    params, slip = tuple(_names(item.get("param"))), rate.get("slip")
    status, error = str(rate.get("status") or "").strip(), rate.get("error")
    if status.upper() not in _FINE or error:
        words = _why(status, error, mapping(rate.get("summary")))
        marks = f"{status} {mapping(error).get('id', '')} {words}"
        return Rated(error=words, is_short=_SHORT.search(marks) is not None, params=params)
    if not is_slip(slip):
        return Rated(error="the server returned no slip", params=params)
    return Rated(
        slip=str(slip),
        params=params,
        by_days=item.get("unit") == "D",
        shown=tuple(_shown(item, rate)),
        repeated=tuple(_repeated(mapping(data.get("query")))),
    )


def _names(params: object) -> Iterator[str]:
    if isinstance(params, list):
        yield from (str(named) for each in params if (named := mapping(each).get("id")))
    else:
        yield from mapping(params)


def _why(status: str, error: object, summary: Mapping[str, Any]) -> str:
    """Return why there is no slip: the words of the error, or else the status and what the answer shows."""
    said = mapping(error)
    words = error if isinstance(error, str) else said.get("title") or said.get("details") or said.get("id")
    if isinstance(words, str) and words.strip():
        return neutral(words)
    title = summary.get("title")
    return neutral(f"{status or 'ERROR'} ({title})" if isinstance(title, str) and title.strip() else status or "ERROR")


def _shown(item: Mapping[str, Any], rate: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    summary = mapping(rate.get("summary"))
    text = _SHOWN_DAY.findall(str(summary.get("date", "")))
    spoken = [compact_day(f"{year}-{_MONTHS.get(month, 0):02d}-{int(number):02d}") for month, number, year in text]
    days = (
        ("start_date", compact_day(rate.get("start_date"))),
        ("last_day", compact_day(rate.get("end_date"))),
        *((("start_date", spoken[0]), ("last_day", spoken[-1])) if spoken else ()),
        ("days", tuple(sorted(day for key in mapping(rate.get("dates")) if (day := compact_day(key)) is not None))),
    )
    yield from ((name, value) for name, value in days if value)
    yield from _shown_times(rate)
    yield from _shown_counts({"item_id": item.get("item_id"), "units": item.get("days"), "qty": rate.get("qty")})
    yield from _shown_counts({"qty": item.get("qty")})
    for name, words in mapping(mapping(summary.get("price")).get("param")).items():
        if (counted := _COUNTED.match(str(words))) is not None:
            yield f"params.{name}", int(counted[1])
    for part in (rate, item):
        if (amount := mapping(part.get("discount")).get("amount")) is not None:
            yield "discount", str(amount)


def _repeated(query: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("start_date", "end_date"):
        if (day := compact_day(query.get(name))) is not None:
            yield name, day
    yield from _shown_times(query)
    yield from _shown_counts({f"params.{name}": number for name, number in mapping(query.get("param")).items()})
    if isinstance(code := query.get("discount_code"), str):
        yield "discount_code", code


def _shown_times(part: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("start_time", "end_time"):
        if (time := read_time(part.get(name))) is not None:
            yield name, time


def _shown_counts(values: Mapping[str, object]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if is_identifier(str(value)):
            yield name, str(int(str(value))) if name == "item_id" else int(str(value))


def compact_day(value: object) -> str | None:
    """Return the day that `20140408` or `2014-04-08` shows; None for anything else, such as a unix time."""
    found = _COMPACT.fullmatch(str(value))
    try:
        return canonical.day("-".join(found.groups())) if found is not None else None
    except ValueError:
        return None


def unknown_params(item: Fields, found: Rated) -> Iterator[str]:
    """Say which stated parameters the item does not have: a server may ignore them and rate its defaults."""
    for name in item.get("params", {}):
        if found.params and name not in found.params:
            known = ", ".join(neutral(each, 30) for each in found.params)
            yield f"params.{name} is not a parameter of this item{did_you_mean(name, found.params)}; expected {known}"


def differences(item: Fields, found: Rated, quantity_param: str) -> Iterator[str]:
    """Say what a rated answer is for, where that is not what the item asks for."""
    named: set[str] = set()
    asked = {**item, "params": asked_params(item, quantity_param)}
    for name, wanted, got in (*_by_slip(asked, found), *_by_answer(asked, found)):
        if name not in named:
            named.add(name)
            place = "quantity" if name == f"params.{quantity_param}" and "quantity" in item else name
            yield f"{place} is {wanted} in the manifest, but the server rated {neutral(str(got), 40)}"


def left_open(item: Fields, found: Rated, quantity_param: str) -> Iterator[str]:
    """Say which parameters a new slip would set to their defaults, where it is not known what the old one holds."""
    asked = asked_params(item, quantity_param)
    missing = [neutral(name, 30) for name in found.params if name not in asked]
    if missing or not (found.params or asked):
        what = " and ".join(f"params.{name}" for name in missing) or "its params"
        yield f"its line's slip cannot be read, and a new one would set {what} to a default; state {what}, or that slip"


def unseen(item: Fields, found: Rated, quantity_param: str) -> list[str]:
    """Return what an item states and its rated answer does not show, so that nothing could be compared."""
    names, asked = {name for name, _ in found.shown}, asked_params(item, quantity_param)
    if found.meant is not None:
        names |= {"start_date", "last_day", *found.meant.times, *(f"params.{name}" for name in asked)}
    is_simple = set(found.params) <= {QTY} and set(asked) == {QTY}
    seen = {
        "start_date": not names.isdisjoint({"start_date", "days"}),
        "end_date": not names.isdisjoint({"last_day", "days", "units"}),
        "params": names >= {f"params.{name}" for name in item.get("params", {})},
        "quantity": f"params.{quantity_param}" in names or (is_simple and "qty" in names),
        **{name: name in names for name in ("start_time", "end_time")},
    }
    return [name for name, is_seen in seen.items() if name in item and not is_seen]


def asked_params(item: Fields, quantity_param: str) -> dict[str, int]:
    """Return the parameters of the query that rates an item; a quantity is one like the others."""
    quantity = {quantity_param: item["quantity"]} if "quantity" in item else {}
    return {**item.get("params", {}), **quantity}


def _by_slip(asked: Fields, found: Rated) -> Iterator[tuple[str, Any, Any]]:
    """Compare with what the slip means: that is what will be held."""
    meant = found.meant
    if meant is None:
        return
    yield from _unequal(asked, "item_id", meant.item_id)
    yield from _unequal(asked, "start_date", meant.start_date)
    yield from _units(asked, meant.units)
    for name, time in meant.times.items():
        yield from _unequal(asked, name, time)
    if meant.start_time is None and "start_time" in asked and ("start_time", asked["start_time"]) not in found.shown:
        yield "start_time", asked["start_time"], "no time"
    numbers = asked["params"]
    for name, number in numbers.items():
        bare = meant.quantity if name == QTY or (len(numbers) == 1 and not meant.params) else None
        got = meant.params.get(name, bare)
        if got != number and not (got is None and number == 0):
            yield f"params.{name}", number, "none" if got is None else got


def _by_answer(asked: Fields, found: Rated) -> Iterator[tuple[str, Any, Any]]:
    shown: dict[str, list[Any]] = {}
    for name, value in (*found.shown, *found.repeated):
        shown.setdefault(name, []).append(value)
    for name in ("item_id", "start_date", "end_date", "start_time", "end_time"):
        for got in shown.get(name, ()):
            yield from _unequal(asked, name, got)
    yield from _last_days(asked, found, shown)
    for name, number in asked["params"].items():
        yield from ((f"params.{name}", number, got) for got in shown.get(f"params.{name}", ()) if got != number)
    yield from _numbers(asked, found, shown)


def _last_days(asked: Fields, found: Rated, shown: Mapping[str, list[Any]]) -> Iterator[tuple[str, Any, Any]]:
    """Compare the last days that are shown: for an item by nights, that may be the last night."""
    first, end = date.fromisoformat(asked["start_date"]), date.fromisoformat(asked["end_date"])
    ends = {end.isoformat(), *([] if found.by_days or first == end else [(end - _ONE).isoformat()])}
    yield from (("end_date", asked["end_date"], got) for got in shown.get("last_day", ()) if got not in ends)
    for days in shown.get("days", ()):
        if asked["start_date"] not in days:
            yield "start_date", asked["start_date"], days[0]
        elif ends.isdisjoint(days):
            yield "end_date", asked["end_date"], days[-1]
    for got in shown.get("units", ()):
        yield from _units(asked, got)


def _numbers(asked: Fields, found: Rated, shown: Mapping[str, list[Any]]) -> Iterator[tuple[str, Any, Any]]:
    """Compare what the answer shows without saying of which parameter: `qty` counts the only one of a simple item."""
    quantities = shown.get("qty", ())
    is_simple = set(found.params) <= {QTY} and set(asked["params"]) == {QTY}
    if is_simple and found.meant is None and quantities and asked["params"][QTY] not in quantities:
        yield f"params.{QTY}", asked["params"][QTY], quantities[0]
    code = asked.get("discount_code", "")
    for got in shown.get("discount_code", ()) if code else ():
        if got.strip().casefold() != code.strip().casefold():  # servers write codes in one case
            yield "discount_code", code, got or "no code"
    if "discount_code" in asked and shown.get("discount") and all(map(_is_nothing, shown["discount"])):
        yield "discount_code", asked["discount_code"], "no discount"


def _is_nothing(amount: str) -> bool:
    digits = re.sub("[^0-9]", "", amount)
    return bool(digits) and int(digits) == 0


def _unequal(asked: Fields, name: str, got: Any) -> Iterator[tuple[str, Any, Any]]:
    if name in asked and asked[name] != got:
        yield name, asked[name], got


def _units(asked: Fields, got: int) -> Iterator[tuple[str, Any, Any]]:
    """Compare the number of days, or of nights: which of them an item is taken by is not known in each answer."""
    nights = (date.fromisoformat(asked["end_date"]) - date.fromisoformat(asked["start_date"])).days
    if got not in {max(nights, 1), nights + 1}:
        yield "end_date", asked["end_date"], f"{got} days from {asked['start_date']}"
