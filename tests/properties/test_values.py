"""Canonical values, and comparing an object with one made from it."""

from datetime import date, datetime, time, timedelta, timezone

from engine_fakes import KINDS
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.diff import compare
from reconciler.kinds.session.fields import REPEATS, TICKET_TYPES, TYPES
from reconciler.model import canonical

texts = st.text(max_size=20)
days = st.dates(date(2027, 1, 1), date(2028, 12, 31)).map(date.isoformat)
clocks = st.times().map(lambda moment: f"{moment.hour}:{moment.minute:02d}")
amounts = st.decimals(-10_000, 10_000, places=2, allow_nan=False)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))

session_specs = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "group": texts,
        "type": st.sampled_from([*TYPES, 0, "1", 2]),
        "repeat": st.sampled_from([*REPEATS, *range(9)]),
        "ticket_type": st.sampled_from([*TICKET_TYPES, *range(4)]),
        "start_date": days,
        "end_date": days,
        "time": clocks,
        "duration": st.integers(1, 600),
        "price": amounts,
        "spaces": st.integers(0, 500),
        "disabled": st.sampled_from([True, False, "true", "0"]),
        "slots": st.lists(
            st.fixed_dictionaries({"date": days, "time": clocks}, optional={"duration": st.integers(1, 600)}),
            max_size=5,
            unique_by=lambda slot: (slot["date"], canonical.clock(slot["time"])),
        ),
    },
)
resource_specs = st.fixed_dictionaries(
    {"name": texts},
    optional={
        "price": amounts,
        "count": st.integers(0, 50).map(str),
        "disabled": st.booleans(),
        "address_id": st.integers(1, 10**9),
        "address": st.dictionaries(st.sampled_from(["address1", "postcode", "country"]), texts, max_size=3),
    },
)
specs = st.one_of(
    session_specs.map(lambda spec: (KINDS["Session"], spec)), resource_specs.map(lambda spec: (KINDS["Resource"], spec))
)


@given(amounts)
def test_an_amount_keeps_its_value_and_has_one_spelling(amount):
    once = canonical.money(amount)
    assert canonical.money(once) == once
    assert canonical.money(f"{amount}00" if "." in str(amount) else amount) == once


@given(st.times())
def test_a_time_of_day_has_one_spelling_padded_or_not(moment):
    moment = time(moment.hour, moment.minute)
    once = canonical.clock(moment.isoformat("minutes"))
    assert once == canonical.clock(f"{moment.hour}:{moment.minute:02d}") == canonical.clock(once)


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)), offsets, offsets)  # noqa: DTZ001 - made aware below
def test_an_instant_is_the_same_in_every_offset(moment, one, other):
    aware = moment.replace(tzinfo=one)
    once = canonical.utc(aware)
    assert canonical.utc(aware.astimezone(other)) == once
    assert canonical.utc(datetime.fromisoformat(once)) == once


@given(st.integers(-(10**12), 10**12))
def test_a_whole_number_is_the_same_as_number_and_as_text(number):
    assert canonical.whole(str(number)) == canonical.whole(number) == number


@given(specs)
def test_canonical_fields_are_canonical_already(kind_and_spec):
    kind, spec = kind_and_spec
    once = kind.canonical(spec)
    assert kind.canonical(once) == once


def answered(fields):
    live = dict(fields)
    if "slots" in live:
        live["slots"] = [{"id": str(number), **slot} for number, slot in enumerate(live["slots"])]
    return live


@given(specs, st.data())
def test_an_object_made_as_declared_needs_nothing_whatever_the_api_answers(kind_and_spec, data):
    kind, spec = kind_and_spec
    fields = kind.canonical(spec)
    shown = data.draw(st.sets(st.sampled_from(sorted(fields)))) if fields else set()
    live = {name: value for name, value in answered(fields).items() if name in shown}
    comparison = compare(kind, fields, live, fields)
    assert (comparison.fields, comparison.edits, comparison.risks) == ((), (), ())


@given(specs, specs)
def test_a_difference_is_shown_exactly_where_there_is_something_to_send(one, other):
    (kind, spec), (_, before) = one, other
    desired, live = kind.canonical(spec), answered(kind.canonical(before))
    comparison = compare(kind, desired, live, {})
    assert bool(comparison.fields) == bool(comparison.edits)
    assert [item.path for item in comparison.fields] == sorted(item.path for item in comparison.fields)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_a_digest_is_a_function_of_the_value(value):
    assert canonical.digest({"a": value, "b": 1}) == canonical.digest({"b": 1, "a": value})
