from __future__ import annotations

import pytest
from msgspec.structs import replace

from reconciler.engine.forecast import forecast
from reconciler.model.change import Call, Change
from reconciler.model.objects import Address, SourceRef
from reconciler.model.plan import Forecast
from reconciler.render import phrases
from reconciler.settings import Connection


def connection(name, pace):
    where = SourceRef("reconciler.yaml", 1)
    return Connection(name=name, provider="x", base_url="https://x.example", where=where, requests_per_second=pace)


def change(name, action, calls=1, through="sessions", reads=()):
    address = Address("Session", name)
    made = tuple(
        Call(address=address, connection=through, effect="update", method="PUT", path="/x", reads=reads)
        for _ in range(calls)
    )
    return Change(address=address, connection=through, action=action, reason="", calls=made)


PACED = {"sessions": connection("sessions", 1.0), "admin": connection("admin", 0.5), "free": connection("free", None)}


def test_writes_reads_and_read_backs_count_for_the_time():
    changes = [*(change(f"u{number}", "update", 2) for number in range(22)), change("gone", "delete", 4)]
    found = forecast(changes, PACED)
    assert found == Forecast(writes=48, reads=22, seconds=70.0, connection="sessions", per_minute=60.0)
    assert phrases.forecast(found) == "48 writes, about 1 min 10 s at 60/min (sessions)."


def test_connections_run_side_by_side_so_the_slowest_counts():
    found = forecast([change("a", "create", 3), change("b", "create", 3, "admin")], PACED)
    assert (found.seconds, found.connection, found.per_minute) == (8.0, "admin", 30.0)


def test_the_reads_that_a_call_needs_count():
    assert forecast([change("a", "create", reads=("/rated", "/rated?b"))], PACED).reads == 3


def test_no_time_is_made_up_where_no_connection_has_a_pace():
    found = forecast([change("b", "create", 2, "free")], PACED)
    assert found == Forecast(writes=2, reads=1)
    assert phrases.forecast(found) == "2 writes."
    assert phrases.forecast(replace(found, seconds=2.0)) == "2 writes."  # a document may state one without the other


@pytest.mark.parametrize("writes", [1, 500])
def test_the_time_of_those_with_a_pace_is_the_least_where_another_has_none(writes):
    found = forecast([change("a", "create", 7), change("b", "create", writes, "free")], PACED)
    assert (found.seconds, found.connection, found.at_least) == (8.0, "sessions", True)
    assert phrases.forecast(found) == f"{7 + writes} writes, at least 8 s at 60/min (sessions)."


def test_nothing_to_write_is_no_forecast():
    assert forecast([change("a", "noop", 0), change("b", "adopt", 0)], PACED) == Forecast()


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (60, "1 min"), (3661, "1 h 1 min 1 s"), (7200, "2 h")])
def test_spans_are_said_as_people_say_them(seconds, words):
    found = Forecast(writes=1, seconds=seconds, connection="c", per_minute=7.5)
    assert phrases.forecast(found) == f"1 write, about {words} at 7.5/min (c)."
