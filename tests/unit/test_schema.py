"""What is wrong with a value by a shipped schema."""

from __future__ import annotations

import json
import sys

import pytest

from reconciler.errors import ReconcilerError
from reconciler.schema import Mismatch, acceptance, first_mismatch, load_schema


@pytest.mark.parametrize(
    ("value", "path", "rule"),
    [
        ({"path": "price", "before": 1, "after": 2, "origin": "drift"}, (), "required"),
        ({"path": 3, "before": 1, "after": 2, "origin": "drift", "verifiable": True}, ("path",), "type"),
        ({"path": "", "before": 1, "after": 2, "origin": "drift", "verifiable": True}, ("path",), "minLength"),
        ({"path": "x", "before": 1, "after": 2, "origin": "me", "verifiable": True}, ("origin",), "enum"),
        ([], (), "type"),
    ],
)
def test_the_first_rule_that_a_value_breaks_is_named_with_its_place(value, path, rule):
    found = first_mismatch("plan#/$defs/field", value)
    assert isinstance(found, Mismatch)
    assert (found.path, found.rule) == (path, rule)
    assert found.message


def test_a_value_that_fits_has_no_mismatch_even_with_texts_that_are_not_utf_8():
    value = {"path": "price", "before": "\ud800", "after": {"\udfff": 10**30}, "origin": "drift", "verifiable": True}
    assert first_mismatch("plan#/$defs/field", value) is None


def test_the_words_of_a_schema_come_with_the_mismatch():
    found = first_mismatch("report#/$defs/address", "yoga")
    assert found is not None
    assert (found.rule, found.value) == ("pattern", "yoga")
    assert found.schema["errorMessage"] == load_schema("report")["$defs"]["address"]["errorMessage"]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with the schema of a kind, which uses a shipped one, and with wrong ones."""
    title, slot = {"title": "Tool", "description": "A tool."}, {"$ref": "urn:reconciler:schema:slot"}
    schemas = {
        "tool": json.dumps({**title, "properties": {"slot": slot, "code": {"$ref": "#/$defs/code"}}, "$defs": CODE}),
        "cut": '{"title": ',
        "list": "[]",
        "untitled": '{"properties": {}}',
        "no_type": json.dumps({**title, "properties": {"a": {"type": "strin"}}}),
        "astray": json.dumps({**title, "properties": {"a": {"$ref": "#/$defs/nowhere"}}}),
    }
    folder = tmp_path / "schema_package"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name, text in schemas.items():
        (folder / f"{name}.schema.json").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "schema_package", raising=False)


CODE = {"code": {"type": "string", "pattern": "^[a-z]+$", "errorMessage": "letters"}}


def test_another_package_ships_schemas(package):
    accepts = acceptance("schema_package:tool")
    assert accepts({"code": "abc", "slot": {"date": "2027-03-01", "time": "11:00", "duration": 60}})
    assert not accepts({"code": "ABC"})
    assert not accepts({"slot": {"date": "2027-03-32"}})
    assert acceptance("schema_package:tool#/properties/code")("abc")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no_such_package:tool", "it cannot be read: No module named"),
        ("schema_package:none", "it cannot be read: "),
        ("schema_package:cut", "it cannot be read: "),
        ("schema_package:list", "it has no title, description or properties"),
        ("schema_package:untitled", "it has no title, description or properties"),
        ("schema_package:no_type", "properties/a/type: "),
        ("schema_package:astray", "Pointer '/$defs/nowhere' does not exist"),
    ],
)
def test_a_wrong_schema_of_another_package_is_named(package, name, why):
    with pytest.raises(ReconcilerError) as caught:
        acceptance(name)
    assert caught.value.message.startswith(f"the schema {name} is not usable: {why}")
    assert caught.value.hint == f"fix or uninstall the package {name.partition(':')[0]}"
