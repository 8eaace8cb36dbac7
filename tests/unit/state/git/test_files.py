import json

import pytest

from reconciler.state.git import files
from reconciler.state.rows import Damaged
from reconciler.state.schema import JSON, Column, table, text

SCOPE = {"project": "acme", "environment": "prod"}
OBJECT = {
    **SCOPE,
    "kind": "Session",
    "name": "yoga",
    "connection": "sessions",
    "target": "https://uk.bookingbug.com",
    "remote_id": "12",
    "fields": {"name": "Yóga 瑜伽"},
    "computed": {},
    "protect": False,
    "depends_on": [],
    "created_at": "2027-01-01T00:00:00Z",
    "updated_at": "2027-01-01T00:00:00Z",
    "written_by": None,
}
PATH = "acme/prod/objects/Session/yoga.json"


def changed(**values):
    return json.dumps({**OBJECT, **values}).encode()


@pytest.mark.parametrize(
    ("folder", "row", "path"),
    [
        ("objects", OBJECT, PATH),
        ("objects", {**OBJECT, "environment": ""}, "acme/_default/objects/Session/yoga.json"),
        ("intents", {**OBJECT, "number": 7}, "acme/prod/intents/Session/yoga/7.json"),
        ("doubts", {**OBJECT, "run_id": "r1"}, "acme/prod/doubts/Session/yoga/r1.json"),
        ("hosts", {**SCOPE, "origin": "https://a.b/~c"}, "acme/prod/hosts/https%3A%2F%2Fa%2Eb%2F%7Ec.json"),
        ("runs", {**SCOPE, "run_id": "../../x"}, "acme/prod/runs/%2E%2E%2F%2E%2E%2Fx.json"),
    ],
)
def test_the_path_of_a_row_follows_from_its_key(folder, row, path):
    assert files.path_of(folder, row) == path
    assert files.folder_of(path) == folder


def test_two_long_keys_have_two_paths_of_bounded_length():
    paths = {files.path_of("hosts", {**SCOPE, "origin": "https://" + "x" * 500 + end}) for end in "ab"}
    assert len(paths) == 2
    assert all(len(path) < 150 for path in paths)


def test_a_file_is_readable_and_reads_back():
    text = files.written(OBJECT)
    assert '"name": "Yóga 瑜伽"\n' in text.decode()
    assert files.read(PATH, text) == OBJECT


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is not valid JSON"),
        (b"\xff", "is not valid JSON"),
        (b"<<<<<<< HEAD", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b'{"price": NaN}', "is not valid JSON"),
        (b"[]", "is not a JSON object"),
        (changed(name="zumba"), "belongs to acme/prod/objects/Session/zumba.json"),
        (changed(project="other"), "belongs to other/prod"),
        (changed(protect="yes"), "invalid protect"),
        (changed(remote_id=12), "invalid remote_id"),
        (changed(fields=None), f"{PATH} has invalid fields"),
        (changed(colour="red"), "unknown key colour"),
        (json.dumps({key: value for key, value in OBJECT.items() if key != "target"}).encode(), "has no target"),
    ],
)
def test_what_this_program_does_not_write_is_damage_that_names_the_file(content, words):
    with pytest.raises(Damaged, match=words):
        files.read(PATH, content)


@pytest.mark.parametrize(
    "values", [{"beat": 10**30}, {"pid": 10**30}, {"beat": "1"}, {"pid": 1.0}, {"beat": True}, {"expires": None}]
)
def test_a_lease_with_a_number_that_no_database_holds_is_damage(values):
    lease = {**SCOPE, "run_id": "r", "holder": "a", "host": "h", "pid": 1, "since": "s", "beat": 1, "expires": 2.5}
    lease["machine"] = "m"
    assert files.read_lease("acme/prod", files.written_lease(lease, "acme/prod")) == lease
    with pytest.raises(Damaged, match=f"invalid {next(iter(values))}"):
        files.read_lease("acme/prod", files.written_lease({**lease, **values}, "acme/prod"))


def test_a_file_of_an_older_version_lacks_columns_that_came_later(monkeypatch):
    things = table("things", Column("name", text(9)), Column("more", JSON, nullable=True), key=("name",))
    monkeypatch.setattr(files, "FOLDERS", {"things": things})
    row = files.read("acme/prod/things/a.json", json.dumps({**SCOPE, "name": "a"}).encode())
    assert row == {**SCOPE, "name": "a", "more": None}


def test_every_table_has_a_scope_and_a_key():
    for folder, each in files.FOLDERS.items():
        row = {name: 1 if name == "number" else "x" for name in each.columns}
        assert files.path_of(folder, row).startswith(f"x/x/{folder}/")


def test_a_lease_says_who_holds_it_or_that_it_was_released():
    row = {**SCOPE, "run_id": "r1", "holder": "ann", "host": "h", "pid": 1, "since": "s", "beat": 1.5, "expires": 2.5}
    row["machine"] = "m"
    assert files.read_lease("acme/prod", files.written_lease(row, "acme/prod")) == row
    assert files.read_lease("acme/prod", files.written_lease(None, "acme/prod")) is None
    with pytest.raises(Damaged, match="another project"):
        files.read_lease("acme/test", files.written_lease(row, "acme/prod"))
    with pytest.raises(Damaged, match="has no project"):
        files.read_lease("acme/prod", b"{}")


@pytest.mark.parametrize("content", [b"{}", b'{"format": "reconciler-state"}', b'{"format": "x", "schema_version": 4}'])
def test_a_format_that_is_another_one_is_refused(content):
    with pytest.raises(Damaged, match="is not the one of a state"):
        files.read_format(content)
