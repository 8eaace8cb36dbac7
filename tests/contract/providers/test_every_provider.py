"""Every provider against its emulator: the suite of `reconciler.testing`, under every form of answer of the sandbox.

A provider takes part by its entry in `contract_declarations`; that it has one is checked here. The forms of answer
are tried in pairs, which takes fewer lives than one at a time and covers more; one at a time shows what a pair broke.
"""

from __future__ import annotations

from dataclasses import asdict

import pytest
from contract_declarations import CLOSED, DECLARATIONS

from reconciler.registry import kinds, providers
from reconciler.sandbox import Options, Sandbox
from reconciler.testing import contract_cases
from reconciler.testing.contract import Case, live_a_life

QUICK = 1
"""How many pairs of forms every run tries for each provider; the others are slow."""

PAIRS = [
    pytest.param(name, form, marks=[pytest.mark.slow] * (number >= QUICK))
    for name, declaration in sorted(DECLARATIONS.items())
    for number, form in enumerate(declaration.pairs())
]
SINGLES = [(name, form) for name, declaration in sorted(DECLARATIONS.items()) for form in declaration.forms()]
COMPLETE = [name for name, declaration in sorted(DECLARATIONS.items()) if declaration.answers_all is not None]
CASES = [case for _, declaration in sorted(DECLARATIONS.items()) for case in contract_cases(declaration)]


def label(value):
    if isinstance(value, Case):
        return f"{value.declaration.provider}-{value.name}"
    if isinstance(value, str):
        return value
    return "-".join(f"{name}={choice}" for name, choice in value.items()) or "default"


def about(topic):
    """Return a table of the cases of one topic: each topic has its own sample of cases that every run tries."""
    return pytest.mark.parametrize("case", [case for case in CASES if case.topic == topic], ids=label)


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


def run(name, step, box, folder, form):
    box.set_options(**form)
    Case(topic="life", name="a form", declaration=DECLARATIONS[name], step=step).run(folder, box)


def test_every_provider_takes_part():
    assert set(DECLARATIONS) == set(providers())
    assert {kind.provider for kind in kinds().values()} == set(DECLARATIONS)


def test_every_switch_of_the_sandbox_concerns_a_provider():
    met = {name for declaration in DECLARATIONS.values() for form in declaration.forms() for name in form}
    assert set(CLOSED) <= met


@about("declaration")
def test_every_field_is_declared_and_described(case, box, tmp_path):
    case.run(tmp_path, box)


@about("life")
def test_each_step_converges(case, box, tmp_path):
    case.run(tmp_path, box)


@about("adoption")
def test_objects_are_found_again_exported_and_moved(case, box, tmp_path):
    case.run(tmp_path, box)


@about("reads")
def test_an_unusable_answer_proves_nothing_absent(case, box, tmp_path):
    case.run(tmp_path, box)


@about("writes")
def test_a_lost_answer_to_a_write_doubles_nothing(case, box, tmp_path):
    case.run(tmp_path, box)


@about("busy")
def test_a_call_that_is_asked_for_later_is_sent_again(case, box, tmp_path):
    case.run(tmp_path, box)


@pytest.mark.parametrize(("provider", "form"), PAIRS, ids=label)
def test_each_step_converges_under_every_pair_of_forms(provider, box, tmp_path, form):
    run(provider, live_a_life, box, tmp_path, form)


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "form"), SINGLES, ids=label)
def test_each_step_converges_under_every_form(provider, box, tmp_path, form):
    run(provider, live_a_life, box, tmp_path, form)


@pytest.mark.parametrize("provider", COMPLETE)
def test_what_is_written_is_what_the_server_has(provider, box, tmp_path):
    """Every field is answered here, so that the empty plan after each step compares all of them."""

    def each_step_is_verified(bench):
        for step in range(1 + bench.declaration.steps):
            bench.declare(step)
            bench.apply()
            coverage = bench.run("drift", "--format", "json", code=0).json["coverage"]
            assert coverage["verifiable"] == coverage["fields"]

    run(provider, each_step_is_verified, box, tmp_path, DECLARATIONS[provider].answers_all)
