"""What was meant by a value in another notation: `31/12/2027`, `3pm`, `£35`, `Spring Yoga`. Nothing here is applied."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import product

from reconciler.model import moments

_QUOTES = str.maketrans("", "", "\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb\"'`")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR_FIRST = re.compile(r"(?P<y>\d{4})[-/. ]?(?P<m>\d{1,2})[-/. ]?(?P<d>\d{1,2})(?:[T ].*)?", re.ASCII)
_YEAR_LAST = re.compile(r"(?P<a>\d{1,2})(?P<by>[-/.])(?P<b>\d{1,2})(?P=by)(?P<y>\d{4}|\d{2})", re.ASCII)
_NAMED = re.compile(
    r"(?:(?P<d>\d{1,2})(?:st|nd|rd|th)?[ .-]+(?P<m>[a-z]{3})[a-z]*|"
    r"(?P<m2>[a-z]{3})[a-z]* (?P<d2>\d{1,2})(?:st|nd|rd|th)?),?[ -]+(?P<y>\d{4})",
    re.ASCII,
)
_CLOCK = re.compile(
    r"(?P<h>\d{1,2})(?:[:.h](?P<m>\d{2})(?::\d{2})?)?h?\s*(?P<half>[ap]\.?m\.?)?(?:\s*[-–].*)?|(?P<hhmm>\d{4})",
    re.ASCII,
)
_DATE_END = re.compile(r"(?<=\d)[Tt](?=\d)")
_OFFSET = re.compile(r" ?(?:Z|(?P<h>[+-]\d{2})(?::?(?P<m>\d{2}))?)$", re.ASCII | re.IGNORECASE)
_LENGTH = re.compile(
    r"(?:pt)?(?:(?P<h>\d+(?:[.,]\d+)?)\s*(?:h|hrs?|hours?)\s*(?P<rest>\d\d?$)?)?"
    r"\s*(?:(?P<m>\d+)\s*(?:m|mins?|minutes?))?\s*(?:(?P<s>\d+)\s*(?:s|secs?|seconds?))?|"
    r"(?P<hh>\d):(?P<mm>\d{2})|(?P<bare>\d+)",
    re.ASCII,
)
_SECONDS = {"minutes": 60, "seconds": 1}
_AMOUNT = re.compile(
    r"[^\d-]{0,4}?(?P<number>\d{1,3}(?:[., ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?|(?<![^\W\d_])[.,]\d{1,2})[.,]?"
    r"(?!\s*(?:p|pence|cents?|ct)$)\s*(?:[^\w\s]|[^\W\d_]{2,12})?",
    re.ASCII | re.IGNORECASE,
)
_LONGEST = 63
"""Maximum length of a value that is looked at: that of a name."""
_NAME = "[a-z0-9-]"
"""What the patterns of names contain."""
_CENTURY = 2000
_NOON = 12


def _days(text: str) -> list[str]:
    """Return the days that a text may mean, as YYYY-MM-DD: `01/02/2027` may mean two."""
    found: list[tuple[str, str, str]] = []
    if match := _YEAR_FIRST.fullmatch(text):
        found = [(match["y"], match["m"], match["d"]), (match["y"], match["d"], match["m"])]
    elif match := _YEAR_LAST.fullmatch(text):
        year = match["y"] if len(match["y"]) > len("27") else str(_CENTURY + int(match["y"]))
        found = [(year, match["b"], match["a"])] + [(year, match["a"], match["b"])] * (match["by"] != ".")
    elif match := _NAMED.fullmatch(text.lower()):
        name = match["m"] or match["m2"]
        found = [(match["y"], str(_MONTHS.index(name) + 1), match["d"] or match["d2"])] if name in _MONTHS else []
    days = [f"{year}-{int(month):02}-{int(day):02}" for year, month, day in found]
    exist = list(dict.fromkeys(day for day in days if moments.is_day(day)))
    return exist[:1] if _YEAR_FIRST.fullmatch(text) else exist


def _times(text: str) -> list[str]:
    """Return the time of day that a text means, as HH:MM."""
    match = _CLOCK.fullmatch({"noon": "12:00", "midday": "12:00", "midnight": "0:00"}.get(text.lower(), text.lower()))
    if match is None:
        return []
    hour, minute = (match["hhmm"][:2], match["hhmm"][2:]) if match["hhmm"] else (match["h"], match["m"] or "00")
    half = (match["half"] or "")[:1]
    number = int(hour) % _NOON + _NOON * (half == "p") if half else int(hour)
    found = f"{number:02}:{minute}"
    return [found] if moments.fault(found) is None and (not half or int(hour) <= _NOON) else []


def _moments(text: str) -> list[str]:
    """Return the date-times that a text may mean. A day alone is none: it is not known when it begins or ends."""
    written, is_iso = _DATE_END.subn(" ", text, count=1)
    day, _, rest = written.partition(" ")
    match = _OFFSET.search(rest)
    if match is not None and not is_iso and (match["h"] or "").startswith("-"):
        match = None  # `11:00-12:00` is a span
    offset = "" if match is None else "Z" if match["h"] is None else f"{match['h']}:{match['m'] or '00'}"
    times = _times(rest[: match.start() if match else None].strip())
    found = [f"{day}T{time}{offset}" for day, time in product(_days(day), times)]
    return [moment for moment in found if moments.fault(moment) is None]


def _length(text: str, unit: str) -> list[str]:
    """Return the length of time in a text, in minutes or seconds; a bare number has that unit already."""
    match = _LENGTH.fullmatch(text.lower())
    if match is None or not any(match.groupdict().values()):
        return []
    if match["bare"]:
        return [str(int(match["bare"]))]
    hours = float((match["h"] or match["hh"] or "0").replace(",", "."))
    minutes = hours * 60 + int(match["rest"] or match["mm"] or 0) + int(match["m"] or 0)
    return [f"{(minutes * 60 + int(match['s'] or 0)) / _SECONDS[unit]:.15g}"]


def _numbers(text: str) -> list[str]:
    """Return the number in a text: without its currency or unit, and with a decimal point."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        return []
    whole, mark, rest = match["number"].replace(" ", "").replace(",", ".").rpartition(".")
    fraction = f".{rest}" if mark and len(rest) < len("000") else ""
    whole = whole.replace(".", "") + (rest if not fraction else "")
    return [f"{int(whole or 0)}{fraction}"]


def _names(text: str, pattern: str) -> list[str]:
    """Return the name that a text would be. One with letters of other alphabets is none: they would be lost."""
    name = re.sub(r"[\W_]+", "-", text.lower()).strip("-")
    return [name] if name.isascii() and re.search(pattern, name) else []


_BY_FORMAT: Mapping[str, Callable[[str], list[str]]] = {
    "date": _days,
    "time-of-day": _times,
    "iso-date-time": _moments,
}


def guesses(value: object, rule: Mapping[str, object]) -> list[str]:
    """Return what a value may mean where a schema's `rule` applies, in its notation; nothing if that is not known."""
    text = str(value).translate(_QUOTES).strip()
    if len(text) > _LONGEST or isinstance(value, (bool, dict, list)):
        return []
    known, kinds = _BY_FORMAT.get(str(rule.get("format"))), rule.get("type")
    if known is not None:
        return known(text)
    pattern = rule.get("pattern")
    if isinstance(pattern, str) and _NAME in pattern:
        return _names(text, pattern) if isinstance(value, str) else []
    whole = kinds == "integer"
    if not isinstance(value, str) or not (
        whole or kinds == "number" or (isinstance(kinds, list) and "number" in kinds)
    ):
        return []
    unit = rule.get("unit")
    found = _length(text, unit) if isinstance(unit, str) and unit in _SECONDS else _numbers(text)
    return [number for number in found if _within(number, rule, whole=whole)]


def _within(number: str, rule: Mapping[str, object], *, whole: bool) -> bool:
    least, most = rule.get("minimum", 0), rule.get("maximum", float("inf"))
    if not isinstance(least, (int, float)) or not isinstance(most, (int, float)):
        return False
    return least <= float(number) <= most and not (whole and "." in number)
