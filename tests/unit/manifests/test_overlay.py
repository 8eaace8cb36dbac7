"""An environment over a project's settings: what is merged, what is replaced, and where each value was set."""

import pytest

from reconciler.manifests.overlay import LayeredPositions, merged
from reconciler.manifests.positions import COLUMN_BITS, DocumentPositions


@pytest.mark.parametrize(
    ("base", "over", "expected"),
    [
        ({"a": 1, "b": 2}, {"b": 3}, {"a": 1, "b": 3}),
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"x": 1}}, {"a": None}, {"a": None}),
        ({}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"auth": {"key": {"file": "B"}}}, {"auth": {"key": {"env": "A"}}}, {"auth": {"key": {"env": "A"}}}),
        ({"auth": {"key": 1}}, {"auth": {"secret": 2}}, {"auth": {"key": 1, "secret": 2}}),
    ],
)
def test_mappings_are_merged_and_everything_else_is_replaced(base, over, expected):
    kept = repr(base), repr(over)
    assert merged(base, over) == expected
    assert (repr(base), repr(over)) == kept


def mark(line):
    return line << COLUMN_BITS


def layers(environment):
    data = {"spec": {"state": "s", "environments": {"prod": {"state": "p"}}}}
    prod = [mark(4), mark(5), mark(5)]
    environments = [mark(3), mark(4), prod]
    spec = [mark(1), mark(2), mark(2), mark(3), environments]
    return LayeredPositions(DocumentPositions("reconciler.yaml", data, [mark(0), mark(1), spec]), environment)


def test_a_setting_stands_where_the_chosen_environment_sets_it():
    assert layers(None).locate(("state",)).line == 3
    assert layers("prod").locate(("state",)).line == 6
    assert layers("test").locate(("state",)).line == 3


def test_a_setting_left_to_its_default_has_no_place_of_its_own():
    assert layers("prod").set_at(("policy",)) is None
    assert layers("prod").set_at(("state",)).line == 6
