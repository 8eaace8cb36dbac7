"""No command does more work than the ceilings in limits.json, in counts that are the same on every machine.

A ceiling is lowered by `python tests/benchmarks/limits.py` after the work became less.
"""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Thread
from unittest.mock import patch

import pytest

sys.path.append(str(Path(__file__).parent))
import in_memory
import limits
import request_counts
from limits import over
from startup_imports import MAIN, imported, imports, summary

from reconciler.providers.http import HttpClient
from reconciler.state.store import Store


def test_no_command_sends_more_requests_than_it_must():
    assert over("requests", limits.requests()) == []


def test_a_second_read_of_every_object_is_over_the_ceiling():
    real = HttpClient.get

    def twice(self, *arguments, **more):
        real(self, *arguments, **more)
        return real(self, *arguments, **more)

    with patch.object(HttpClient, "get", twice):
        sent = request_counts.counted(2, "Session")
    least = request_counts.needed(2, "Session")
    more = {f"Session: {name}": sum(calls.values()) - least[name] for name, calls in sent.items()}
    assert len(over("requests", more)) == len(least)


def test_no_command_writes_to_the_state_more_often():
    found = in_memory.per_object((2, 6), in_memory.statements)
    assert over("commits", {name: sums["commits"] for name, sums in found.items()}) == []
    assert over("statements", {name: sums["statements"] for name, sums in found.items()}) == []


def test_a_second_write_of_each_record_is_over_the_ceiling():
    real, adopt = Store.save, Store.adopt

    def twice(self, record, **more):
        real(self, record, **more)
        real(self, record)

    def one_by_one(self, found):
        for record in found:
            adopt(self, [record])

    with patch.object(Store, "save", twice), patch.object(Store, "adopt", one_by_one):
        found = in_memory.per_object((2, 6), in_memory.statements)
    wrong = over("commits", {name: sums["commits"] for name, sums in found.items()})
    assert [line.partition(":")[0] for line in wrong] == ["adopt --all", "apply, update", "apply, create"]


def test_no_command_imports_more_modules_or_other_packages():
    found = imports()
    assert over("modules", {name: number for name, (number, _) in found.items()}) == []
    allowed = limits.load()["packages"]
    assert [name for name, (_, packages) in found.items() if not set(packages) <= set(allowed[name])] == []


def test_an_early_import_is_over_the_ceiling(tmp_path):
    bare = imported("pass", tmp_path, {})
    number, packages = summary(imported(f"import click; {MAIN}", tmp_path, {}, "--version") - bare)
    assert over("modules", {"version": number})
    assert packages == ["click"]
    assert limits.load()["packages"]["version"] == []


@pytest.mark.slow
@pytest.mark.parametrize("what", ["calls", "bytes"])
@pytest.mark.skipif(not limits.comparable(), reason="the ceilings are of another version of Python")
def test_no_command_calls_or_allocates_more_for_an_object(what):
    assert over(what, limits.alone(what)) == []


def test_work_for_each_object_is_counted_in_every_thread():
    with in_memory.calls() as alone:
        [abs(number) for number in range(1000)]
    with in_memory.calls() as together:
        thread = Thread(target=lambda: [abs(number) for number in range(1000)])
        thread.start()
        thread.join()
    assert 1000 <= alone["calls"] < 1100
    assert together["calls"] >= 1000


def test_memory_for_each_object_is_measured_at_its_peak():
    with in_memory.memory() as found:
        bytes(100_000_000)  # beside it, what other threads allocate is little
    assert 100_000_000 <= found["peak"] < 110_000_000


def test_a_figure_above_its_ceiling_or_without_one_is_found():
    calls = limits.load()["calls"]
    assert over("calls", calls) == []
    assert over("calls", {"validate": calls["validate"] * 1.06})
    assert over("calls", {"another command": 1})
