"""Every code of a problem, and of an error that ends a command: number, rule, cause, fix and example.

The TOML files beside this one hold them, one file for each theme. A code and its number are stable: pipelines,
dismissed alerts and bookmarks refer to them. A code that is no longer used keeps its number; a new one gets the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache

from msgspec import Struct

MANIFEST = "manifests/example.yaml"


class Code(Struct, frozen=True, kw_only=True):
    """One code."""

    number: str
    """Such as `RC0107`; its first two digits are the theme."""
    code: str
    """Such as `unknown-reference`; `*` where the rest depends on a kind."""
    rule: str
    """What is so where there is no such problem, in one sentence."""
    about: str
    """What it means."""
    fix: str
    wrong: str = ""
    """The content of `file`, or a command, that has the problem."""
    right: str = ""
    """The same without the problem."""
    file: str = MANIFEST
    files: Mapping[str, str] = {}
    """Other files that the example needs."""
    unproven: str = ""
    """Why there is no example."""


@cache
def codes() -> tuple[Code, ...]:
    """Return every code, by number."""
    import tomllib  # noqa: PLC0415 - 2 ms, and most commands show no code
    from importlib.resources import files  # noqa: PLC0415 - as above

    found = []
    for entry in files(__name__).iterdir():
        if entry.name.endswith(".toml"):
            stated = tomllib.loads(entry.read_text("utf-8"))
            found += [Code(number=number, **item) for number, item in stated.items()]
    return tuple(sorted(found, key=lambda item: item.number))


@cache
def _by_name() -> Mapping[str, Code]:
    return {name: item for item in codes() for name in (item.code, item.number)}


@cache
def find(name: str) -> Code | None:
    """Return what is known by a number (`RC0107`) or code (`unknown-reference`); None for one of a plugin."""
    known = _by_name()
    for exact in (name, name.upper(), name.lower(), f"guard-{name}"):
        if exact in known:
            return known[exact]
    return next((item for item in codes() if "*" in item.code and fnmatchcase(name, item.code)), None)


def number(code: str) -> str | None:
    """Return the number of a code; None for one of a plugin."""
    found = find(code)
    return None if found is None else found.number


def tag(code: str) -> str:
    """Return how messages name a code: its number, or the code of a plugin itself."""
    return number(code) or code


def rule(code: str) -> str:
    """Return what a code means, in one sentence; for one that a plugin adds, its words."""
    found = find(code)
    return f"Problem of the kind {code.replace('-', ' ')}." if found is None else found.rule
