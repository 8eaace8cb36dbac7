"""Plans, reports and drift as documents, and read back from them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import engine
import render

from reconciler.documents import codec, load

Run = Callable[[], object]


def _read(make: Callable[[int], str]) -> Callable[[int], Run]:
    return lambda size: partial(load.load_document, make(size))


def _new(size: int) -> str:
    return codec.dump_plan(engine.STAGES["n new"](size)())


STAGES: dict[str, Callable[[int], Run]] = {
    "write a plan of n new": lambda n: partial(codec.dump_plan, engine.STAGES["n new"](n)()),
    "write a plan of n changed": lambda n: partial(codec.dump_plan, engine.STAGES["n changed"](n)()),
    "write a plan of n slots": lambda n: partial(codec.dump_plan, engine.STAGES["plan of n slots"](n)()),
    "write a report of n": lambda n: partial(codec.to_json, *render.report_and_plan(n)),
    "write a drift of n": lambda n: partial(codec.to_json, render.drift_of(n)),
    "read a plan of n new": _read(_new),
    "read a report of n": _read(lambda n: codec.to_json(*render.report_and_plan(n))),
    "read a drift of n": _read(lambda n: codec.to_json(render.drift_of(n))),
}
