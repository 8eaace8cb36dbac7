import dataclasses
import subprocess
import sys

import pytest

from reconciler.sandbox import Options


def test_every_choice_has_more_than_one_value_and_the_first_is_the_default():
    defaults = Options()
    for name, allowed in Options.choices().items():
        assert len(allowed) >= 2, name
        assert getattr(defaults, name) == allowed[0], name


def test_every_option_has_a_description():
    described = Options.describe()
    assert set(described) == {spec.name for spec in dataclasses.fields(Options)}
    assert all(len(text) > 10 for text in described.values())


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, allowed in Options.choices().items() for value in allowed]
)
def test_every_allowed_value_is_accepted_as_value_and_as_text(name, value):
    assert getattr(Options(**{name: value}), name) == value
    assert getattr(Options.parse([f"{name}={value}"]), name) == value


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"create_answer": "maybe"}, "create_answer must be one of body, location, none; got 'maybe'"),
        ({"delete_answer": 201}, "delete_answer must be one of 200, 204; got 201"),
        ({"delete_answer": "200"}, "delete_answer must be one of 200, 204; got '200'"),
        ({"max_page_size": 0}, "max_page_size must be at least 1"),
        ({"page_size": "many"}, "page_size must be a whole number"),
        ({"page_size": True}, "page_size must be a whole number"),
        ({"username": 5}, "username must be text"),
        ({"company_zone": "Mars/Olympus"}, "'Mars/Olympus' is not an IANA time zone"),
        ({"company_zone": ""}, "'' is not an IANA time zone"),
        ({"fixed_now": "noon"}, "'noon' is not an ISO date-time"),
    ],
)
def test_invalid_value_is_refused_with_a_message(changes, words):
    with pytest.raises(ValueError) as caught:
        Options(**changes)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("create_answr=none", "unknown sandbox option 'create_answr'; did you mean 'create_answer'?"),
        ("zzz=1", "unknown sandbox option 'zzz'"),
        ("create_answer", "'create_answer' must have the form KEY=VALUE"),
        ("page_size=-1", "page_size must be a whole number; got '-1'"),
    ],
)
def test_parse_refuses(pair, words):
    with pytest.raises(ValueError) as caught:
        Options.parse([pair])
    assert str(caught.value).endswith(words)


def test_parse_takes_dashes_equal_signs_and_digits_in_text():
    parsed = Options.parse(["create-answer=none", "password=a=b", "username=123", "page_size=30"])
    assert (parsed.create_answer, parsed.password, parsed.username, parsed.page_size) == ("none", "a=b", "123", 30)


def test_options_cost_no_server_import():
    code = (
        "import sys, reconciler.sandbox as s; s.Options(); s.Fault; print({'starlette', 'uvicorn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
