"""Patterns that choose objects give the same answers as comparing each text with each of them."""

from fnmatch import fnmatchcase

import pytest

from reconciler.model.patterns import Patterns

GIVEN = ("Session/b", "Session/*", "Session/a", "Block/[ab]", "Block/a", "Resource/?", "session/a")
TEXTS = ("Session/a", "Session/b", "Session/c", "Block/a", "Block/b", "Block/[ab]", "Resource/a", "Resource/ab", "")


@pytest.mark.parametrize("text", TEXTS)
def test_the_first_that_matches_is_returned(text):
    assert Patterns(GIVEN).first(text) == next((each for each in GIVEN if fnmatchcase(text, each)), None)


@pytest.mark.parametrize("text", TEXTS)
def test_all_that_match_are_returned(text):
    assert set(Patterns(GIVEN).every(text)) == {each for each in GIVEN if fnmatchcase(text, each)}


@pytest.mark.parametrize("left", range(len(TEXTS)))
def test_the_first_that_matches_nothing_is_returned(left):
    texts = TEXTS[:left]
    missing = [each for each in GIVEN if not any(fnmatchcase(text, each) for text in texts)]
    assert Patterns(GIVEN).unmatched(texts) == next(iter(missing), None)
