"""What `validate` found as SARIF 2.1.0, for code scanning."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from reconciler.model import codes as registry
from reconciler.model.place import Place, Placed
from reconciler.render.safe import visible
from reconciler.version import __version__

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_BASE = "%SRCROOT%"
_NUMBERS = re.compile(r":\d+(?::\d+)?\b")
"""Places in other files, which move without a change of the problem."""


def document(found: Iterable[Placed]) -> dict[str, Any]:
    """Return the document: one run, one result for each problem, one rule for each code that occurs."""
    problems = tuple(found)
    codes = tuple(sorted({item.problem.code for item in problems}))
    seen: Counter[str] = Counter()
    results = [_result(item, codes, seen) for item in problems]
    driver = {
        "name": "reconciler",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(code) for code in codes],
    }
    failed = any(item.problem.severity == "error" for item in problems)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "invocations": [{"executionSuccessful": True, "exitCode": int(failed)}],
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    words, number, known = registry.rule(code), registry.number(code), registry.find(code)
    more = f"{known.about} {known.fix}" if known else "The message of each result says what is wrong and what to do."
    return {
        "id": code,
        "name": "".join((number or "", *(part.capitalize() for part in re.split(r"\W+", code)))),
        "shortDescription": {"text": words},
        "fullDescription": {"text": words},
        "help": {"text": f"{words} {more}"},
        "defaultConfiguration": {"level": "error"},
        **({"properties": {"number": number}} if number else {}),
    }


def _result(item: Placed, codes: tuple[str, ...], seen: Counter[str]) -> dict[str, Any]:
    problem = item.problem
    words = visible(problem.summary)
    if item.place is None and problem.where is not None:
        words = f"{visible(str(problem.where))}: {words}"
    hint = f"\nhint: {visible(problem.hint)}" if problem.hint else ""
    location: dict[str, Any] = {} if item.place is None else {"physicalLocation": _physical(item.place)}
    if problem.address is not None:
        name = visible(str(problem.address))
        location["logicalLocations"] = [{"name": name, "fullyQualifiedName": name, "kind": "object"}]
    result = {
        "ruleId": problem.code,
        "ruleIndex": codes.index(problem.code),
        "level": problem.severity,
        "message": {"text": f"{words}{hint}"},
        "locations": [location] if location else [],
        "partialFingerprints": {"reconciler/v1": _fingerprint(item, seen)},
    }
    return {key: value for key, value in result.items() if value != []}


def _physical(place: Place) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": quote(place.file, errors="replace"), "uriBaseId": _BASE},
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.line,
            "endColumn": place.end_column,
        },
    }


def _fingerprint(item: Placed, seen: Counter[str]) -> str:
    """Return what a problem keeps when lines are inserted above it; equal problems of one file are numbered."""
    file = item.place.file if item.place is not None else ""
    parts = (item.problem.code, file, str(item.problem.address or ""), _NUMBERS.sub("", item.problem.summary))
    print_ = sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
    seen[print_] += 1
    return f"{print_}:{seen[print_]}"
