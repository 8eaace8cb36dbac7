"""An environment on top of a project's settings: merged values, and where each was last set."""

import pytest

from reconciler.manifests.load import load_text
from reconciler.manifests.overlay import LayeredPositions, merged

PROJECT = """\
spec:
  policy: {max_deletes: 10}
  connections:
    admin: {base_url: https://a.example}
  environments:
    prod:
      policy: {max_change_percent: 5}
      connections:
        admin: {base_url: https://b.example}
"""


@pytest.mark.parametrize(
    ("base", "over", "result"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 4}, "e": 5}, {"a": 1, "b": {"c": 2, "d": 4}, "e": 5}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        # Two sources of one credential are not one source.
        (
            {"auth": {"key": {"env": "A"}, "secret": {"env": "S"}}},
            {"auth": {"key": {"file": "B"}}},
            {"auth": {"key": {"file": "B"}, "secret": {"env": "S"}}},
        ),
    ],
)
def test_mappings_are_merged_and_everything_else_is_replaced(base, over, result):
    before = repr(base)
    assert merged(base, over) == result
    assert repr(base) == before


@pytest.mark.parametrize(
    ("environment", "path", "line"),
    [
        (None, ("policy", "max_deletes"), 2),
        ("prod", ("policy", "max_deletes"), 2),
        ("prod", ("policy", "max_change_percent"), 7),
        ("prod", ("connections", "admin", "base_url"), 9),
        (None, ("connections", "admin", "base_url"), 4),
        ("prod", ("connections", "admin", "company_id"), 9),  # its nearest parent, where the environment states one
    ],
)
def test_a_setting_is_where_it_was_last_set(environment, path, line):
    (document,) = load_text(PROJECT, "reconciler.yaml").documents
    assert LayeredPositions(document.positions, environment).locate(path).line == line


def test_a_default_has_no_place():
    (document,) = load_text(PROJECT, "reconciler.yaml").documents
    places = LayeredPositions(document.positions, None)
    assert places.set_at(("policy", "max_change_percent")) is None
    assert places.set_at(("policy", "max_deletes")).line == 2
