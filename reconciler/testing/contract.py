"""The contract of every provider: each step is applied and then planned to nothing, with every form of failure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Generic

from msgspec import Struct

from reconciler.model.change import CREATING, DESTRUCTIVE
from reconciler.registry import kinds
from reconciler.sandbox import Fault
from reconciler.schema import acceptance, load_schema
from reconciler.testing.bench import ALL_ALLOWED, Bench, expect
from reconciler.testing.declaration import Box, Declaration
from reconciler.testing.waits import short_waits

UNUSABLE: Mapping[str, Fault] = {
    "401": Fault(kind="status_before", status=401, times=None),
    "403": Fault(kind="status_before", status=403, times=None),
    "404": Fault(kind="status_before", status=404, times=None),
    "500": Fault(kind="status_before", status=500, times=None),
    "page": Fault(kind="page_before", times=None),
    "garbage": Fault(kind="garbage", times=None),
    "bytes": Fault(kind="garbage", binary=True, times=None),
    "truncated": Fault(kind="truncate", times=None),
    "other shape": Fault(kind="wrong_type", times=None),
    "dropped": Fault(kind="drop_before", times=None),
}
"""Answers to reads that prove nothing, and no answer."""

LOST = ("drop_after", "truncate", "garbage", "status_after")
"""Faults with which a writing call is executed and its answer is lost."""

DESCRIBED = ("title", "description", "errorMessage", "examples")
"""What the schema says of each field."""

LOST_DELETES = ("drop_after", "status_after")
"""Those for a delete: what its answer holds matters less, since the object is looked for afterwards."""

BUSY = (429, 503)
"""Statuses that ask to send the same call again later."""


class Case(Struct, Generic[Box], frozen=True, kw_only=True):
    """One test of the suite; its text names it."""

    topic: str
    """What it is about: `declaration`, `life`, `adoption`, `reads`, `writes` or `busy`."""
    name: str
    declaration: Declaration[Box]
    step: Callable[[Bench[Box]], object]
    needs_other: bool = False
    """Whether it needs a second system."""

    def __str__(self) -> str:
        return f"{self.topic}: {self.name}"

    def run(self, folder: Path, box: Box | None = None) -> None:
        """Run it in an empty folder; AssertionError says what the provider does wrong.

        `box` is an emulator without objects, instead of a new one.
        """
        with ExitStack() as stack:
            stack.enter_context(short_waits())
            own, other = box or self._opened(stack), None
            if self.needs_other:
                other = self._opened(stack)
                self.declaration.foreign(other)
            bench = Bench(folder / "project", self.declaration, own, other)
            bench.plant()
            self.step(bench)

    def _opened(self, stack: ExitStack) -> Box:
        box = self.declaration.emulator()
        stack.enter_context(box)
        return box


def contract_cases(declaration: Declaration[Box]) -> list[Case[Box]]:
    """Return every test of the suite for a provider. Run each of them in a separate folder."""

    def case(topic: str, name: str, step: Callable[[Bench[Box]], object], *, needs_other: bool = False) -> Case[Box]:
        return Case(topic=topic, name=name, declaration=declaration, step=step, needs_other=needs_other)

    cases = [
        case("declaration", "every field of every kind is created or edited", declared_whole),
        case("declaration", "every field is described", described),
        case("life", "each step converges", live_a_life),
    ]
    if declaration.listed:
        cases.append(case("adoption", "objects are found again without the state", found_again))
        cases.append(case("adoption", "what is exported and adopted is as it is declared", exported))
    if declaration.can_replace:
        cases.append(case("adoption", "objects move to another system", moved, needs_other=True))
    cases += [case("reads", name, partial(unusable, fault=fault)) for name, fault in UNUSABLE.items()]
    for method in declaration.methods:
        cases += [case("writes", f"{method} {kind}", partial(lost, method=method, kind=kind)) for kind in LOST]
    cases += [case("writes", f"DELETE {kind}", partial(lost_delete, kind=kind)) for kind in LOST_DELETES]
    cases += [case("busy", str(status), partial(busy, status=status)) for status in BUSY]
    return cases


def declared_whole(bench: Bench[Box]) -> None:
    """Prove that every kind of the provider has samples, which state each of its fields."""
    samples = bench.declaration.samples
    for name, kind in kinds().items():
        if kind.provider != bench.declaration.provider:
            continue
        own = [sample for sample in samples if sample.kind == name]
        expect(own, f"there is no sample of kind {name}")
        stated = {field for sample in own for spec in (sample.spec, *sample.edits) for field in spec}
        other_ways = {reference.field for reference in kind.references} | kind.local
        missing = set(load_schema(kind.schema)["properties"]) - stated - other_ways
        expect(not missing, f"no sample of kind {name} states {', '.join(sorted(missing))}")


def described(bench: Bench[Box]) -> None:
    """Prove that every field says what it is and what is expected, for messages, explain and editors."""
    for name, kind in kinds().items():
        if kind.provider == bench.declaration.provider:
            for field, rules in load_schema(kind.schema)["properties"].items():
                lacks = [word for word in DESCRIBED if not _stated(rules, word)]
                expect(not lacks, f"{name}.{field} has no {' and no '.join(lacks)} in the schema {kind.schema}")
                for example in rules.get("examples", ()):
                    fits = acceptance(f"{kind.schema}#/properties/{field}")(example)
                    expect(fits, f"the example {example!r} of {name}.{field} does not fit the schema {kind.schema}")


def _stated(rules: Mapping[str, Any], word: str) -> bool:
    return word in rules or (word == "errorMessage" and ("$ref" in rules or "enum" in rules))


def live_a_life(bench: Bench[Box]) -> None:
    """Create, edit step by step, repair what someone else changed, and delete."""
    declaration = bench.declaration
    bench.declare()
    bench.apply("create")
    bench.live(len(declaration.samples))
    bench.check(0)
    bench.run("drift", code=0)
    recognised = any(kinds()[sample.kind].recognised_by for sample in declaration.samples)
    someone_else = bench
    for step in range(1, 1 + declaration.steps):
        if step == (declaration.steps if recognised else 1):  # who changes all of an object makes it another one
            someone_else = bench.copy(bench.folder.with_name("someone-else"))
        bench.declare(step)
        bench.apply("update")
        bench.check(step)
    bench.live(len(declaration.samples))
    someone_else.apply("update")
    drift = bench.run("drift", "--format", "json", code=2)
    expect(drift.json["summary"]["changed"], "drift does not report what someone else changed", drift)
    bench.apply("update")
    bench.check(declaration.steps)
    bench.live(len(declaration.samples))
    bench.undeclare()
    bench.apply("delete")
    bench.live(0)


def found_again(bench: Bench[Box]) -> None:
    """Prove that after the state is lost each object is adopted, and none is created again."""
    bench.declare()
    bench.apply()
    bench.forget_all()
    _all_adopted(bench, len(bench.declaration.samples))
    actions = bench.apply()
    expect(actions <= {"update"}, f"apply: {actions}; expected only updates of fields that are not returned")
    bench.live(len(bench.declaration.samples))


def exported(bench: Bench[Box]) -> None:
    """Prove that after export and adopt the plan is empty."""
    bench.declare()
    bench.apply()
    bench.forget_all()
    bench.undeclare()
    bench.run("export", "--out", "manifests", *bench.declaration.window, code=0)
    _all_adopted(bench, len(bench.declaration.samples) + len(bench.foreign))
    bench.settled()


def _all_adopted(bench: Bench[Box], count: int) -> None:
    managed = bench.adopt()
    expect(managed == count, f"{managed} objects are managed after adopt --all; expected {count}")


def moved(bench: Bench[Box]) -> None:
    """Prove that objects whose connection leads to another system are deleted here and created there."""
    count = len(bench.declaration.samples)
    bench.declare()
    bench.apply()
    bench.connection = "other"
    bench.declare()
    bench.apply("replace")
    bench.live(0)
    if bench.other is not None:
        there = len(bench.declaration.live(bench.other))
        expect(there == len(bench.foreign) + count, f"{there} objects in the other system; expected {count} more")


def unusable(bench: Bench[Box], fault: Fault) -> None:
    """Prove that an answer that cannot be used never means that an object does not exist: nothing is written."""
    bench.declare()
    bench.apply()
    managed = bench.run("state", "list", code=0).out
    bench.declare(1)
    bench.box.fault(fault)
    bench.box.clear_log()
    planned = bench.run("plan", "--format", "json", code=1)
    summary = json.loads(planned.out)["summary"] if planned.out else {}
    expect(not any(summary.get(name) for name in CREATING | DESTRUCTIVE), "the plan is wrong", planned)
    drift = bench.run("drift", "--format", "json", code=1)
    expect(not drift.out or json.loads(drift.out)["summary"]["missing"] == 0, "drift calls objects missing", drift)
    bench.run("apply", "--yes", code=(1, 3, 4))
    written = bench.written()
    expect(not written, f"writing calls were sent: {written}")
    bench.box.clear_faults()
    expect(bench.run("state", "list", code=0).out == managed, "the state was changed")
    bench.apply("update")


def lost(bench: Bench[Box], method: str, kind: str) -> None:
    """Prove that a write whose answer is lost is not repeated blindly: no object exists twice."""
    count, sent = len(bench.declaration.samples), False
    for step in range(1 + bench.declaration.steps):
        if not sent:  # most create with one method, and edit with another one
            bench.declare(step)
            bench.box.clear_log()
            bench.box.fault(Fault(kind=kind, match_method=method, times=None))
            bench.run("apply", *ALL_ALLOWED, code=(0, 3))
            bench.box.clear_faults()
            sent = any(call.startswith(f"{method} ") for call in bench.written())
    expect(sent, f"no {method} call was sent: remove it from methods, or add an edit that sends one")
    if bench.declaration.listed:
        bench.apply()
    else:  # what cannot be found again is not created again
        bench.live(count)
        bench.run("apply", "--yes", code=(0, 3, 4))
    bench.live(count)


def lost_delete(bench: Bench[Box], kind: str) -> None:
    """Prove that a delete whose answer is lost is completed, and the object no longer managed."""
    bench.declare()
    bench.apply("create")
    bench.undeclare()
    bench.box.fault(Fault(kind=kind, match_method="DELETE", times=None))
    bench.run("apply", *ALL_ALLOWED, code=(0, 3))
    bench.box.clear_faults()
    if bench.plan():
        bench.apply()
    bench.live(0)
    managed = bench.run("state", "list", "--format", "json", code=0)
    expect(not managed.json["objects"], "deleted objects are still managed", managed)


def busy(bench: Bench[Box], status: int) -> None:
    """Prove that calls that the system asks to send again later are sent again."""
    bench.declare()
    bench.box.fault(Fault(kind="status_before", status=status, retry_after=0, times=2, match_method="GET"))
    bench.apply("create")
    bench.live(len(bench.declaration.samples))
