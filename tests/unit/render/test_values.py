from __future__ import annotations

import pytest
from render_samples import field, slot

from reconciler.render import rows, values
from reconciler.render.safe import fitting, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("Über — 瑜伽 👩‍🏫", "Über — 瑜伽 👩‍🏫"),
        ("a\u200db", "a\\u200db"),
        ("\u200d", "\\u200d"),
        ("a\nb\tc\r", "a⏎b\\tc\\r"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("\u2066x\u2069\u061c\ufeff", "\\u2066x\\u2069\\u061c\\ufeff"),
        ("\ud800", "\\ud800"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_visible(text, expected):
    assert visible(text) == expected
    assert visible(expected) == expected


def test_fitting_stands_in_only_where_it_must():
    assert fitting("→ … é", "cp1252") == "-> … é"
    assert fitting("→ … é 瑜", "ascii") == "-> ... \\xe9 \\u745c"
    assert fitting("→", "no-such-encoding") == "->"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "(none)"),
        (True, "true"),
        (12, "12"),
        ("", '""'),
        (" x", '" x"'),
        ("2027-03-01T09:00:00Z", "Mon 1 Mar 2027, 09:00 UTC"),
        (["a", 1], "a, 1"),
        ([], "[]"),
        ({}, "{}"),
        ([{"a": 1}], '[{"a": 1}]'),
        ("x" * 71, "x" * 69 + "…"),
    ],
)
def test_words(value, expected):
    assert values.words(value) == expected


def test_long_values_are_cut_around_their_difference():
    old, new = values.pair("x" * 100 + "one" + "y" * 100, "x" * 100 + "two" + "y" * 100)
    assert old.startswith("…xxx")
    assert "one" in old
    assert "two" in new
    assert len(old) == len(new) == values.WIDTH


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("5", 5),
        ("a b", "a\u00a0b"),
        ("é", "e\u0301"),
        ("1, 2", [1, 2]),
        ("Yoga", "Yog\u0430"),
        ("\u041a\u0435", "Ke"),
        ("9-10", "9\u201310"),
        ("it's", "it\u2019s"),
    ],
)
def test_values_that_look_alike_are_distinguished(before, after):
    old, new = values.pair(before, after)
    assert old.isascii()
    assert new.isascii()
    assert old != new


def labels(*fields):
    return [row.label for row in rows.of_change("update", fields).fields]


def test_nested_values_are_taken_apart_and_unchanged_parts_left_out():
    before = [{"key": "a", "quantity": 1, "params": {"x": 1}}]
    after = [{"key": "a", "quantity": 2, "params": {"x": 1}}, {"key": "b", "quantity": 1}]
    assert labels(field("items", before, after)) == ["items[a].quantity", "items[b].key", "items[b].quantity"]


def test_lists_without_identity_stay_whole():
    assert labels(field("items", [{"a": 1}], [{"a": 2}])) == ["items"]
    assert labels(field("items", [{"key": "a"}, {"key": "a"}], None)) == ["items"]
    assert labels(field("address", None, {})) == ["address"]


def test_true_and_one_are_not_the_same():
    assert labels(field("disabled", True, 1)) == ["disabled"]


def test_a_list_of_slots_becomes_slots():
    shown = rows.of_change("create", [field("slots", None, [slot(1), {"date": "2027-03-02", "time": "9:00"}])])
    assert [row.step for row in shown.slots] == ["Mon 1 Mar 2027, 11:00 (60 min)", "Tue 2 Mar 2027, 9:00"]


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        (None, "Thu 1 Jul 2027, 09:00 UTC"),
        ("Europe/London", "Thu 1 Jul 2027, 10:00 Europe/London"),
        ("+02:00", "Thu 1 Jul 2027, 11:00 +02:00"),
        ("Mars/Olympus", "Thu 1 Jul 2027, 09:00 UTC"),
        ("../../etc/passwd", "Thu 1 Jul 2027, 09:00 UTC"),
        ("Europe", "Thu 1 Jul 2027, 09:00 UTC"),
        ("+soon", "Thu 1 Jul 2027, 09:00 UTC"),
        ("", "Thu 1 Jul 2027, 09:00 UTC"),
    ],
)
def test_an_instant_in_a_zone_that_is_not_known_is_shown_in_utc(zone, words):
    assert values.words("2027-07-01T09:00:00Z", zone=zone) == words


@pytest.mark.parametrize(("before", "after"), [("café", "cafe"), ("Да", "Нет"), ("Ω", "O"), ("straße", "strasse")])
def test_values_that_do_not_look_alike_stay_readable(before, after):
    assert values.pair(before, after) == (before, after)
