"""What `explain` tells comes from the schemas: every field of every schema can be asked for by its path."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from reconciler.cli.main import run
from reconciler.errors import UsageError
from reconciler.manifests.describe import Field, describe
from reconciler.registry import kinds

ROOTS = {**{name: kind.schema for name, kind in kinds().items()}, "Removed": "removed", "Project": "project"}


def _all_below(root: str, field: Field, depth: int = 0) -> Iterator[Field]:
    for item in field.fields:
        found = describe(root, ROOTS[root], tuple(item.path.split(".")[1:]))
        yield found
        if depth < 6:
            yield from _all_below(root, found, depth + 1)


@pytest.mark.parametrize("root", sorted(ROOTS))
def test_every_field_can_be_reached_and_says_what_it_is(root: str) -> None:
    top = describe(root, ROOTS[root])
    found = [top, *_all_below(root, top), *_all_below(root, describe(root, ROOTS[root], ("metadata",)))]
    assert len(found) > 5
    assert len({field.path for field in found}) == len(found)
    for field in found:
        assert field.description.endswith((".", "`.")), field.path
        assert field.accepts != ("any value",), field.path


def test_a_field_of_spec_may_be_named_with_and_without_spec() -> None:
    assert describe("Session", "session", ("price",)) == describe("Session", "session", ("spec", "price"))


def test_members_of_lists_and_of_named_mappings() -> None:
    slots = describe("Session", "session", ("slots",))
    assert (slots.holds, [item.path for item in slots.fields][:2]) == (
        "[]",
        ["Session.slots.date", "Session.slots.time"],
    )
    connections = describe("Project", "project", ("connections",))
    assert connections.holds == ".NAME"
    assert "Project.connections.base_url" in [item.path for item in connections.fields]
    assert describe("Project", "project", ("connections", "base_url")).required is False
    assert describe("Session", "session", ("slots", "date")).required is True


def test_an_enumeration_takes_the_word_or_the_number() -> None:
    assert describe("Session", "session", ("repeat",)).accepts[:2] == ("none or 0", "weekly or 1")


def test_rules_between_fields_are_described() -> None:
    assert any(
        "expected only one of them" in rule for rule in describe("BookingSession", "booking_session", ("items",)).rules
    )


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        (("prise",), "Session.spec has no field 'prise'", "did you mean price?"),
        (("slots", "hour"), "Session.spec.slots has no field 'hour'", "known fields: date, time, duration"),
        (("price", "x"), "Session.spec.price has no field 'x'; it has no fields", None),
        (("",), "Session.spec has no field ''", "known fields: name, type"),
    ],
)
def test_a_field_that_is_not_there(path: tuple[str, ...], message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        describe("Session", "session", path)
    assert caught.value.message == message
    assert (caught.value.hint or "").startswith(hint or "")


def test_the_command_for_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "block.timezone"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Block.timezone  an IANA time zone such as Europe/London\n")
    assert "timezone: Europe/London" in text
    assert run(["explain", "Session", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["format_version"] == "1.0"
    assert "Session.group" in [item["path"] for item in document["fields"]]


def test_a_kind_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "Sesion.price"]) == 64
    assert "did you mean Session?" in capsys.readouterr().err
