"""JSON that two readers could read differently is refused."""

from __future__ import annotations

import json

import pytest

from reconciler.documents.strict_json import DEEPEST, strict_json


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "it is not JSON: line 1, column 2"),
        ('{"a": 1, "a": 2}', "the key 'a' appears twice in one object"),
        ('[{"b": NaN}]', "NaN is not a JSON value"),
        ("[-Infinity]", "-Infinity is not a JSON value"),
        ("[1e999]", "the number 1e999… is too large"),
        ("[" + "9" * 5000 + "]", "the number 99999999999999999999… is too large"),
        ("[" * 100_000, "it is nested too deeply"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "it is nested too deeply"),
    ],
)
def test_json_that_two_readers_could_read_differently_is_refused(text, words):
    with pytest.raises(ValueError, match=r".") as caught:
        strict_json(text)
    assert words in str(caught.value)


def test_any_other_json_is_read():
    text = '{"a": [1, 2.5, -1e3, true, null, "\\ud800"], "b": {"c": "é"}}'
    assert strict_json(text) == json.loads(text)
    assert strict_json("[" * DEEPEST + "]" * DEEPEST)
