"""Every provider against its emulator: each step applied, then planned to nothing, under every form of answer.

A provider takes part by its entry in `contract_declarations`; that it has one is checked here. The forms of answer
are tried in pairs, which takes fewer lives than one at a time and covers more; one at a time shows what a pair broke.
"""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from contract_bench import CLOSED, Bench
from contract_declarations import DECLARATIONS

from reconciler.registry import kinds, providers
from reconciler.sandbox import Fault, Options, Sandbox
from reconciler.schema import load_schema

QUICK = 1
"""How many pairs of forms every run tries for each provider; the others are slow."""

PAIRS = [
    pytest.param(name, form, marks=[pytest.mark.slow] * (number >= QUICK))
    for name, declaration in sorted(DECLARATIONS.items())
    for number, form in enumerate(declaration.pairs())
]
SINGLES = [(name, form) for name, declaration in sorted(DECLARATIONS.items()) for form in declaration.forms()]
LISTED = [name for name, declaration in sorted(DECLARATIONS.items()) if declaration.listed]
REPLACED = [name for name, declaration in sorted(DECLARATIONS.items()) if declaration.can_replace]
COMPLETE = [name for name, declaration in sorted(DECLARATIONS.items()) if declaration.answers_all is not None]

UNUSABLE = {
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
"""Faults under which a writing call is executed and its answer is lost."""


def label(value):
    if isinstance(value, str):
        return value
    return "-".join(f"{name}={choice}" for name, choice in value.items()) or "default"


@pytest.fixture(scope="module")
def shared_box():
    with Sandbox() as box:
        yield box


@pytest.fixture
def box(shared_box):
    """One sandbox for the module, as new for each test."""
    shared_box.set_options(**asdict(Options()))
    shared_box.clear_faults()
    shared_box.reset()
    return shared_box


@pytest.fixture
def other_box():
    with Sandbox() as box:
        yield box


@pytest.fixture
def bench(tmp_path, box, provider, no_backoff, compiled_once, short_waits):
    bench = Bench(tmp_path / "project", box, provider, DECLARATIONS[provider])
    bench.plant()
    return bench


every_provider = pytest.mark.parametrize("provider", sorted(DECLARATIONS))


# --- the declarations are whole


def test_every_provider_and_every_kind_takes_part():
    assert set(DECLARATIONS) == set(providers())
    for name, kind in kinds().items():
        assert name in {sample.kind for sample in DECLARATIONS[kind.provider].samples}


def test_every_field_of_every_kind_is_created_or_edited():
    for name, kind in kinds().items():
        samples = [sample for sample in DECLARATIONS[kind.provider].samples if sample.kind == name]
        stated = {field for sample in samples for spec in (sample.spec, *sample.edits) for field in spec}
        other_ways = {reference.field for reference in kind.references} | kind.local
        assert set(load_schema(kind.schema)["properties"]) - stated <= other_ways


def test_every_switch_of_the_sandbox_concerns_a_provider():
    met = {name for declaration in DECLARATIONS.values() for form in declaration.forms() for name in form}
    assert set(CLOSED) <= met


# --- the life of every object, under every form of answer


def live_a_life(bench, tmp_path):
    """Create, edit step by step, repair what somebody else changed, and delete."""
    bench.declare()
    assert bench.apply() == {"create"}
    assert len(bench.live()) == len(bench.declaration.samples)
    bench.check(0)
    bench.run("drift", code=0)
    recognised = any(kinds()[sample.kind].recognised_by for sample in bench.declaration.samples)
    for step in range(1, 1 + bench.declaration.steps):
        if step == (bench.declaration.steps if recognised else 1):  # who changes all of an object makes it another one
            somebody_else = bench.copy(tmp_path / "somebody-else")
        bench.declare(step)
        assert bench.apply() == {"update"}
        bench.check(step)
    count = len(bench.live())
    assert somebody_else.apply() == {"update"}
    assert bench.run("drift", "--format", "json", code=2).json["summary"]["changed"]
    assert bench.apply() == {"update"}
    bench.check(bench.declaration.steps)
    assert len(bench.live()) == count
    bench.undeclare()
    assert bench.apply() == {"delete"}
    assert bench.live() == []


@every_provider
def test_each_step_converges(bench, tmp_path):
    live_a_life(bench, tmp_path)


@pytest.mark.parametrize(("provider", "form"), PAIRS, ids=label)
def test_each_step_converges_under_every_pair_of_forms(bench, tmp_path, form):
    bench.box.set_options(**form)
    live_a_life(bench, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "form"), SINGLES, ids=label)
def test_each_step_converges_under_every_form(bench, tmp_path, form):
    bench.box.set_options(**form)
    live_a_life(bench, tmp_path)


@pytest.mark.parametrize("provider", COMPLETE)
def test_what_is_written_is_what_the_server_has(bench):
    """Every field is answered here, so that the empty plan after each step compares all of them."""
    bench.box.set_options(**bench.declaration.answers_all)
    for step in range(1 + bench.declaration.steps):
        bench.declare(step)
        bench.apply()
        coverage = bench.run("drift", "--format", "json", code=0).json["coverage"]
        assert coverage["verifiable"] == coverage["fields"]


# --- taking over, moving


@pytest.mark.parametrize("provider", LISTED)
def test_what_was_made_is_found_again_without_the_state(bench):
    bench.declare()
    bench.apply()
    bench.forget_all()
    assert bench.adopt() == len(bench.declaration.samples)
    assert bench.apply() <= {"update"}  # a field that is not answered is written once more
    assert len(bench.live()) == len(bench.declaration.samples)


@pytest.mark.parametrize("provider", LISTED)
def test_what_is_exported_and_adopted_is_as_it_is_declared(bench):
    bench.declare()
    bench.apply()
    bench.forget_all()
    bench.undeclare()
    bench.run("export", "--out", "manifests", *bench.declaration.window, code=0)
    assert bench.adopt() == len(bench.declaration.samples) + len(bench.foreign)
    bench.settled()


@pytest.mark.parametrize("provider", REPLACED)
def test_what_moves_to_another_system_is_deleted_and_created_there(tmp_path, box, other_box, provider):
    bench = Bench(tmp_path, box, provider, DECLARATIONS[provider], other_box)
    bench.declaration.foreign(other_box)
    bench.plant()
    there = len(bench.declaration.live(other_box))
    bench.declare()
    bench.apply()
    bench.connection = "other"
    bench.declare()
    assert bench.apply() == {"replace"}
    assert bench.live() == []
    assert len(bench.declaration.live(other_box)) == there + len(bench.declaration.samples)


# --- failures


@pytest.mark.parametrize("fault", UNUSABLE)
@every_provider
def test_an_unusable_answer_proves_nothing_absent(bench, fault):
    bench.declare()
    bench.apply()
    managed = bench.run("state", "list", code=0).out
    bench.declare(1)
    bench.box.fault(UNUSABLE[fault])
    bench.box.clear_log()
    planned = bench.run("plan", "--format", "json", code=1).out
    assert not planned or set(json.loads(planned)["summary"].items()) >= {("create", 0), ("delete", 0), ("replace", 0)}
    drifted = bench.run("drift", "--format", "json", code=1).out
    assert not drifted or json.loads(drifted)["summary"]["missing"] == 0
    bench.run("apply", "--yes", code=(1, 3, 4))
    assert bench.written() == []
    bench.box.clear_faults()
    assert bench.run("state", "list", code=0).out == managed
    assert bench.apply() == {"update"}


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("method", ["POST", "PUT"])
@every_provider
def test_a_lost_answer_to_a_write_doubles_nothing(bench, method, fault):
    bench.declare()
    bench.box.fault(Fault(kind=fault, match_method=method, times=None))
    bench.run("apply", "--yes", code=(0, 3))
    bench.box.clear_faults()
    if bench.declaration.listed:
        bench.apply()
        assert len(bench.live()) == len(bench.declaration.samples)
    else:  # what cannot be found again is not made again
        made = len(bench.live())
        bench.run("apply", "--yes", code=(0, 3, 4))
        assert len(bench.live()) == made == len(bench.declaration.samples)
