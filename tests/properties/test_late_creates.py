"""Creates that a server carries out at any later time: what they make is managed, or named by the plan."""

from __future__ import annotations

import copy
import re
from contextlib import suppress
from dataclasses import dataclass, field
from unittest import mock

import pytest
from engine_fakes import KILLED_AFTER, KILLED_BEFORE, LOST_AFTER, LOST_BEFORE, Killed, Office, Remote, session
from hypothesis import given, settings
from hypothesis import strategies as st
from values import replace

from examples import share_of
from reconciler.engine import duplicates
from reconciler.errors import OutcomeUnknown, Refused

NAMES = ("yoga", "swim")
GROUPS = ("Pool", "Hall")


@dataclass
class Slow(Remote):
    """A system that may carry out a create whose answer was lost at any later time."""

    held: list = field(default_factory=list)

    def send(self, call):
        before = len(self.objects["Session"])
        try:
            return super().send(call)
        except (OutcomeUnknown, Killed):
            if call.effect == "create" and len(self.objects["Session"]) == before:
                self.held.append(copy.deepcopy(call))
            raise

    def deliver(self) -> None:
        """Carry out the oldest create that is held."""
        if self.held:
            self._carry_out(self.held.pop(0))


names = st.sampled_from(NAMES)
faults = st.lists(
    st.sampled_from([None, LOST_BEFORE, LOST_BEFORE, LOST_AFTER, KILLED_BEFORE, KILLED_AFTER]), max_size=3
)
steps = st.one_of(
    st.tuples(st.just("declare"), names, st.sampled_from(GROUPS)),
    st.tuples(st.just("drop"), names, st.none()),
    st.tuples(st.just("apply"), faults, st.none()),
    st.tuples(st.just("apply"), faults, st.none()),
    st.tuples(st.just("destroy"), names, st.none()),
    st.tuples(st.just("delete outside"), names, st.none()),
    st.tuples(st.just("deliver"), st.none(), st.none()),
    st.tuples(st.just("deliver"), st.none(), st.none()),
)


def named(plan):
    """Return every number that a plan says to a person: among them the ids of what it asks about."""
    said = [text for item in plan.problems for text in (item.summary, item.hint)]
    said += [text for change in plan.changes for text in (change.reason, *(risk.message for risk in change.risks))]
    taken = {change.remote_id for change in plan.changes}
    return set(re.findall(r"\d+", " ".join(filter(None, said)))) | taken


def run(office, declared, *, misfortunes=(), **options):
    office.remote.faults = list(misfortunes)
    with suppress(Killed, Refused):  # what is live already is not created again
        office.apply(*declared.values(), workers=1, **options)
    office.remote.faults = []


@given(st.lists(steps, min_size=3, max_size=14))
@settings(max_examples=share_of(120))
def test_whatever_a_late_create_makes_is_managed_or_named(story):
    live_through(story)


def test_a_plan_that_does_not_look_for_it_is_found_out():
    story = [
        ("declare", "yoga", "Pool"),
        ("apply", [LOST_BEFORE], None),
        ("apply", [], None),
        ("deliver", None, None),
    ]
    live_through(story)
    with mock.patch.object(duplicates, "suspects", return_value=()), pytest.raises(AssertionError):
        live_through(story)


def live_through(story):
    """Live through a story, and look at a plan after each step."""
    office = Office(Slow())
    declared = {}
    for step, first, second in story:
        match step:
            case "declare":
                declared[first] = replace(session(first), fields={**session(first).fields, "group": second})
            case "drop":
                declared.pop(first, None)
            case "apply":
                run(office, declared, misfortunes=first)
            case "destroy":
                known = {str(address) for address in office.store.records()}
                if f"Session/{first}" in known:
                    run(office, declared, destroying=True, targets=(f"Session/{first}",))
            case "delete outside":
                record = office.record(f"Session/{first}")
                if record is not None:
                    office.live["Session"].pop(record.remote_id, None)
            case _:
                office.remote.deliver()
        managed = {record.remote_id for record in office.store.records().values()}
        unknown = office.live["Session"].keys() - managed - named(office.plan(*declared.values()))
        assert not unknown, (step, unknown)
