"""Many texts are found in others as if each were searched for alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.needles import Needles

TEXTS = st.text(alphabet="ab-", max_size=12)
"""Of few letters, so that one is often part or the beginning of another one."""


@pytest.mark.parametrize("more", [0, 5_000], ids=["few", "many"])
@given(st.lists(TEXTS, max_size=8), TEXTS)
def test_what_is_found_is_what_each_search_alone_finds(more, values, text):
    needles = Needles([*values, *(f"other {number}" for number in range(more))], shortest=3)
    expected = {each for each in values if len(each) >= 3 and each in text}
    assert needles.found(text) == sorted(expected, key=lambda each: (-len(each), each))
    places = {span for each in expected for span in (match.span() for match in re.finditer(each, text))}
    assert places <= set(needles.spans(text))
    assert all(text[start:end] in expected and end <= len(text) for start, end in needles.spans(text))
