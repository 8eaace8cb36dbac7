"""explain: what a code means, by number and by name."""

import json

import pytest

from reconciler.cli.commands.explain import _all, _code
from reconciler.cli.main import run
from reconciler.model.codes import codes


def printed(capsys, *arguments, code=0):
    assert run(("explain", *arguments)) == code
    taken = capsys.readouterr()
    return taken.out + taken.err


def test_a_code_is_explained_with_its_fix_and_an_example(capsys):
    words = printed(capsys, "RC0301")
    assert words == printed(capsys, "rc0301") == printed(capsys, "unknown-reference")
    for expected in (
        "RC0301  unknown-reference\n",
        "\nFIX\n",
        "\nWRONG  manifests/example.yaml\n  apiVersion",
        "\nRIGHT  ",
    ):
        assert expected in words


@pytest.mark.parametrize("item", codes(), ids=lambda item: item.number)
def test_every_code_is_explained_in_json_as_it_is_registered(item, capsys):
    document = json.loads(printed(capsys, item.number, "--format", "json"))
    assert (document["number"], document["code"], document["fix"]) == (item.number, item.code, item.fix)


def test_without_an_argument_every_kind_and_code_is_listed(capsys):
    words = printed(capsys)
    assert all(f"  {item.number}  {item.code}" in words for item in codes())
    assert "KINDS\n  Block\n" in words
    listed = json.loads(printed(capsys, "--format", "json"))
    assert "Session" in listed["kinds"]
    assert [item["number"] for item in listed["codes"]] == [item.number for item in codes()]


@pytest.mark.parametrize(
    ("typed", "meant"), [("unknown-refrence", "unknown-reference"), ("RC301", "RC0301"), ("Sesion", "Session")]
)
def test_a_near_miss_gets_a_suggestion(typed, meant, capsys):
    words = printed(capsys, typed, code=64)
    assert words.startswith(f"error[RC0702]: there is no kind or code {typed!r}\n")
    assert f"did you mean {meant}?" in words


def test_a_code_has_no_fields(capsys):
    words = printed(capsys, "unknown-reference.x", code=64)
    assert "the code unknown-reference has no fields\n  = help: `reconciler explain RC0301`" in words


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_list_and_a_code_fit_the_width(width):
    lines = [*_all(width), *(line for item in codes() if not item.wrong for line in _code(item, width))]
    assert max(map(len, lines)) <= width
