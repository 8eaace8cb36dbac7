"""Names for live objects: valid, readable, unique, and independent of order."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.export_names import LONGEST, slug, unique

NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yoga & Pilates", "yoga-and-pilates"),
        ("<b>Not a tag</b>", "not-a-tag"),
        ("<br>", "br"),
        ("Кулинарный класс", "kulinarnyy-klass"),
        ("Kids' Club", "kids-club"),
        ("Kid\u2019s Club", "kids-club"),
        ("Crème brûlée — l'atelier", "creme-brulee-l-atelier"),
        ("   ", ""),
        ("", ""),
        ("---", ""),
        ("No", "no"),
        ("12:30", "12-30"),
        ("Zumba 🕺", "zumba-man-dancing"),
        ("\ud800", ""),
    ],
)
def test_slugs_can_be_read(text, expected):
    assert slug(text) == expected


@given(st.text(st.characters(), max_size=300))
def test_a_slug_is_empty_or_a_valid_name(text):
    made = slug(text)
    assert made == "" or (NAME.fullmatch(made) and len(made) <= LONGEST)


IDS = st.dictionaries(
    st.integers(1, 400).map(str), st.sampled_from(["", "a", "a-1", "a-12", "b" * 63, "b" * 60 + "-cc"]), max_size=30
)


@given(IDS, st.sets(st.sampled_from(["a", "a-1", "a-2", "b" * 63, "kind-1"])), st.randoms())
def test_names_are_unique_valid_and_independent_of_order(slugs, taken, random):
    names = unique(slugs, slugs.keys(), "kind", taken)
    assert names.keys() == slugs.keys()
    assert len(set(names.values()) | taken) == len(names) + len(taken)
    assert all(NAME.fullmatch(name) and len(name) <= LONGEST for name in names.values())
    shuffled = list(slugs.items())
    random.shuffle(shuffled)
    assert unique(dict(shuffled), slugs.keys(), "kind", taken) == names


def test_every_object_of_a_shared_name_gets_its_id_also_once_another_has_its_address():
    assert unique({"7": "yoga", "9": "yoga", "8": "spin"}, {"7", "9", "8"}, "session", ()) == {
        "7": "yoga-7",
        "8": "spin",
        "9": "yoga-9",
    }
    assert unique({"7": "yoga", "9": "yoga"}, {"9"}, "session", {"yoga-7"}) == {"9": "yoga-9"}


def test_an_id_that_is_a_credential_is_never_in_a_name():
    assert unique({"s3cr3t": ""}, {"s3cr3t"}, "booking-session", (), secret=True) == {"s3cr3t": "booking-session-1"}
