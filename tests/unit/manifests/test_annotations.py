"""A misspelled annotation would have no effect, so it is reported; other people's annotations are not."""

import pytest
from manifest_fakes import checked, manifest_text

WARNING = 'Session/yoga: annotation "{}" has no effect; did you mean "adopt-id"?'


def problems(name):
    given = f"{{{name}: '7'}}"
    text = manifest_text("Session", "yoga", "{name: Yoga, group: A, type: event}", annotations=given)
    return checked(text)[1]


@pytest.mark.parametrize("name", ["adopt_id", "Adopt-ID", "adoptid", "adopt-ids"])
def test_an_annotation_with_nearly_a_known_name_is_reported(name):
    (problem,) = problems(name)
    assert problem.startswith("f.yaml:3:")
    assert problem.endswith(WARNING.format(name))


@pytest.mark.parametrize("name", ["adopt-id", "owner", "example.com/adopt-id", "x"])
def test_known_annotations_and_those_of_others_are_accepted(name):
    assert problems(name) == []
