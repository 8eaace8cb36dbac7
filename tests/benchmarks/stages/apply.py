"""Applies of n objects, with a real state and systems in memory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from engine_fakes import Office, Remote, block, resource, session
from values import replace

Run = Callable[[], object]


def _sessions(size: int, **spec) -> list:
    return [session(f"class-{number}", **spec) for number in range(size)]


def _create(size: int, **remote) -> Run:
    return lambda: Office(Remote(**remote)).apply(*_sessions(size))


def _turns(first: list, second: list) -> Run:
    """Return what applies one and then the other declaration."""
    office = Office()

    def run() -> None:
        office.apply(*first)
        office.apply(*second)

    return run


def _destroy(size: int) -> Run:
    def run() -> None:
        office = Office()
        office.apply(*_sessions(size))
        office.carry_out(office.look(destroying=True))

    return run


def _star(size: int) -> Run:
    days = [f"2027-03-{1 + n % 28:02}T{n // 28 % 24:02}:{n // 672:02}" for n in range(size)]
    blocks = [block(f"b-{n}", "room", f"{day}:00Z", f"{day}:30Z") for n, day in enumerate(days)]
    return lambda: Office().apply(resource("room"), *blocks)


def _renamed(size: int) -> Run:
    here = _sessions(size)
    there = [replace(item, address=item.address._replace(name=f"moved-{n}")) for n, item in enumerate(here)]
    one = [replace(item, moved_from=(other.address,)) for item, other in zip(here, there, strict=True)]
    two = [replace(item, moved_from=(other.address,)) for item, other in zip(there, here, strict=True)]
    return _turns(one, two)


STAGES: dict[str, Callable[[int], Run]] = {
    "create n": _create,
    "create n without ids in answers": lambda n: _create(n, answers_ids=False),
    "update n": lambda n: _turns(_sessions(n), _sessions(n, price="99.00")),
    "create and destroy n": _destroy,
    "create n blocks of one resource": _star,
    "rename n": _renamed,
}
