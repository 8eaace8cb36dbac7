"""Long lists take the steps that short ones take, without comparing each item with each."""

from __future__ import annotations

import pytest

from reconciler.manifests import revise as module
from reconciler.manifests.edit import Add, Drop, Put
from reconciler.manifests.revise import revise

PATH = ("spec", "slots")


def slots(number, **more):
    return [
        {"date": f"2027-{1 + n // 28 % 12:02}-{1 + n % 28:02}", "time": f"{n // 336:02}:00", **more}
        for n in range(number)
    ]


def steps(old, new, live=()):
    return list(revise(old, new, PATH, dict, live))


CHANGES = {
    "nothing": lambda items: items,
    "the first removed": lambda items: items[1:],
    "some removed": lambda items: [item for number, item in enumerate(items) if number % 7],
    "one added": lambda items: [*items[:5], {"date": "2028-01-01", "time": "09:00"}, *items[5:]],
    "one moved": lambda items: [*items[:5], {**items[5], "time": "23:00"}, *items[6:]],
    "other spelling": lambda items: [{**item, "duration": "60.0"} for item in items],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_long_lists_take_the_steps_of_short_ones(change, monkeypatch):
    old = slots(60, duration="60")
    new = change(old)
    expected = steps(old, new)
    monkeypatch.setattr(module, "_FEW", 100)
    assert steps(old, new) == expected


def test_a_slot_that_left_a_long_list_is_one_step():
    old = slots(5_000)
    assert steps(old, [*old[:17], *old[18:]]) == [Drop(path=(*PATH, 17))]


def test_long_lists_without_anything_in_common_are_paired_in_their_order():
    old, new = slots(600), slots(600, duration="30")
    changed = [{**item, "time": "23:59"} for item in new]
    assert [step.path for step in steps(old, changed) if isinstance(step, Put)] == [
        (*PATH, number, name) for number in range(600) for name in ("time", "duration")
    ]


@pytest.mark.parametrize("value", ["1e9999999", "nan", "sNaN", True, None, "Infinity"])
def test_strange_values_of_a_long_list_are_compared(value, monkeypatch):
    monkeypatch.setattr(module, "_FEW", 0)
    old = slots(3, duration=value)
    assert steps(old, [*old, {"date": "2029-01-01", "time": "10:00"}], old) == [
        Add(path=PATH, after=2, value={"date": "2029-01-01", "time": "10:00"})
    ]
