"""Words: numbers with their nouns, and the word that a mistyped one stands for."""

import pytest

from reconciler.model.nearest import did_you_mean, nearest, nearest_address
from reconciler.model.words import count, listed


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 objects"), (1, "1 object"), (2, "2 objects"), (1_000, "1000 objects")]
)
def test_a_number_and_its_noun_agree(number, words):
    assert count(number, "object") == words


def test_a_plural_that_is_not_regular_is_given():
    assert count(1, "entry", "entries") == "1 entry"
    assert count(3, "entry", "entries") == "3 entries"


@pytest.mark.parametrize(
    ("items", "words"), [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c", "d"], "a, b and 2 more")]
)
def test_a_list_says_how_many_it_leaves_out(items, words):
    assert listed(items, 2) == words


@pytest.mark.parametrize(
    ("word", "found"),
    [("prise", "price"), ("PRICE", "price"), ("xyz", None), ("", None), (7, None), ("p" * 100_000, None)],
)
def test_the_nearest_word_is_found_in_any_case(word, found):
    assert nearest(word, ["spaces", "price", "name"]) == found


def test_a_hint_names_the_nearest_word_or_nothing():
    assert did_you_mean("prise", ["price"]) == '; did you mean "price"?'
    assert did_you_mean("xyz", ["price"]) == ""


def test_how_close_a_word_must_be_can_be_set():
    assert nearest("adopt-nr", ["adopt-id"]) == "adopt-id"
    assert nearest("adopt-nr", ["adopt-id"], closeness=0.9) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Session/yga", "Session/yoga"),
        ("session/Yoga", "Session/yoga"),
        ("Session/spin", None),  # the kind alone is no likeness
        ("yoga", "Session/yoga"),
        ("spin", None),
    ],
)
def test_the_nearest_address_has_a_similar_name(text, found):
    assert nearest_address(text, ["Session/yoga", "Session/pilates", "Resource/hall"]) == found
