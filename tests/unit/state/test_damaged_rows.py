"""Rows of a SQLite state that this program never writes: each reading and writing method is an error in words."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress

import pytest
from damaged import DEEP, JUNK, cells, fill, spoil

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Record
from reconciler.state import holder
from reconciler.state.holder import myself
from reconciler.state.rows import Damaged, check, decoded
from reconciler.state.store import Store

YOGA = Address("Session", "yoga")
SAVED = Record(
    address=YOGA, connection="sessions", target="here", remote_id="1", fields={"name": "Yoga"}, computed={"slots": {}},
    depends_on=(Address("Resource", "court"),),
)  # fmt: skip

USES = (
    lambda store, _: store.records(),
    lambda store, _: store.open_intents(),
    lambda store, _: store.baselines(),
    lambda store, _: store.forgotten(),
    lambda store, _: store.applied("d"),
    lambda store, _: store.others(),
    lambda store, _: store.mention_others(),
    lambda store, _: store.hosts.known(),
    lambda store, _: store.claim(myself("r2")),
    lambda store, _: store.living("r0"),
    lambda store, _: store.rename(YOGA, Address("Session", "zumba")),
    lambda store, _: store.backup("rm"),
    lambda store, file: store.restore(file),
)


@pytest.fixture
def whole(tmp_path):
    file = tmp_path / "whole.db"
    with closing(Store(f"sqlite:///{file}", project="acme")) as store:
        store.save(SAVED)
    fill(file)
    return file


def test_no_value_in_any_cell_is_more_than_an_error_in_words(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(holder, "QUIET", 0.0)
    draw, file = random.Random(5), tmp_path / "state.db"
    refused = []
    for cell in cells(whole):
        for junk in draw.sample(JUNK, 4):
            for use in draw.sample(USES, 4):
                spoil(whole, file, cell, junk)
                try:
                    with closing(Store(f"sqlite:///{file}", project="acme")) as store:
                        use(store, file)
                except ReconcilerError as error:
                    refused.append(error)
                except Exception as error:
                    raise AssertionError((cell, f"{junk!r:.80}", error)) from error
    assert len(refused) > 50
    assert [error for error in refused if not error.hint] == []


@pytest.mark.parametrize(
    ("column", "junk", "words"),
    [
        ("fields", "{", "not JSON"),
        ("fields", DEEP, "not JSON"),
        ("fields", '{"a": NaN}', "not JSON"),
        ("fields", '{"a": 1e999}', "not JSON"),
        ("fields", '"\\ud800"', "not JSON"),
        ("fields", "9" * 5000, "not JSON"),
        ("fields", "[]", "invalid fields"),
        ("fields", '{"name": {"a": 1}}', "invalid fields"),
        ("fields", '{"group": []}', "invalid fields"),
        ("fields", '{"slots": 5}', "invalid fields"),
        ("fields", '{"slots": [5]}', "invalid fields"),
        ("fields", '{"slots": [{"date": {}}]}', "invalid fields"),
        ("fields", '{"slots": [null]}', "invalid fields"),
        ("fields", '{"slots": [{"time": "11:00"}]}', "invalid fields"),
        ("fields", '{"slots": [{"date": 5, "time": "11:00"}]}', "invalid fields"),
        ("computed", '{"slots": 5}', "invalid computed"),
        ("depends_on", '["yoga"]', "invalid depends_on"),
        ("remote_id", None, "invalid remote_id"),
        ("remote_id", b"12", "invalid remote_id"),
        ("kind", "Nothing", "has the kind Nothing, which no installed package defines"),
        ("kind", "No-thing", "invalid kind"),
        ("name", "../x", "invalid name"),
        ("protect", None, "invalid protect"),
    ],
)
def test_what_is_wrong_is_named_with_its_record_and_what_to_do(whole, tmp_path, column, junk, words):
    file = tmp_path / "state.db"
    spoil(whole, file, ("reconciler_objects", column), junk)
    with closing(Store(f"sqlite:///{file}", project="acme")) as store:
        with pytest.raises(ReconcilerError, match=words) as caught:
            store.records()
        assert str(file) in caught.value.message
        assert "it has no backups" in caught.value.hint
        kept = store.backup("rm")
        with pytest.raises(ReconcilerError) as caught:
            store.records()
        assert f"reconciler state restore {kept}" in caught.value.hint


@pytest.mark.parametrize("start", ["", "never", "2027-99-99", "2027-03-01", 7, {}, []])
def test_an_instant_that_is_none_is_damaged(start):
    row = {"kind": "Block", "name": "closed", "fields": {"start": start, "end": "2027-03-01T10:00:00Z"}}
    with pytest.raises(Damaged, match="Block/closed has invalid fields"):
        check(row)
    check({**row, "fields": {**row["fields"], "start": "2027-03-01T09:00:00Z"}})


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "CREATE TRIGGER forget AFTER INSERT ON reconciler_intents BEGIN DELETE FROM reconciler_intents; END",
            "contains the trigger forget, which",
        ),
        ("CREATE TRIGGER Stop BEFORE UPDATE ON reconciler_meta BEGIN SELECT RAISE(IGNORE); END", "the trigger Stop"),
        (
            "ALTER TABLE reconciler_objects RENAME TO x; CREATE VIEW Reconciler_Objects AS SELECT * FROM x",
            "the view Reconciler_Objects",
        ),
    ],
)
def test_what_changes_or_replaces_rows_as_they_are_recorded_is_refused(whole, tmp_path, sql, words):
    good = tmp_path / "good.db"
    good.write_bytes(whole.read_bytes())
    with closing(sqlite3.connect(whole)) as connection:
        connection.executescript(sql)
    for use in (*USES[:4], lambda store, _: store.rename(YOGA, Address("Session", "zumba"))):
        with closing(Store(f"sqlite:///{whole}", project="acme")) as store, pytest.raises(ReconcilerError) as caught:
            use(store, whole)
        assert words in caught.value.message
        assert "move the file away" in caught.value.hint
    with closing(Store(f"sqlite:///{good}", project="acme")) as store, pytest.raises(ReconcilerError, match=words):
        store.restore(whole)


def test_a_view_that_a_person_added_does_no_harm(whole):
    with closing(sqlite3.connect(whole)) as connection:
        connection.execute("CREATE VIEW sessions AS SELECT name FROM reconciler_objects")
    with closing(Store(f"sqlite:///{whole}", project="acme")) as store:
        assert store.records()


@pytest.mark.parametrize("size", [1, 50, 100, 4096, 5000, 9000])
def test_a_file_that_was_cut_off_is_an_error_in_words(whole, tmp_path, size):
    file = tmp_path / "state.db"
    for use in USES[:8]:
        file.write_bytes(whole.read_bytes()[:size])
        with pytest.raises(ReconcilerError) as caught, closing(Store(f"sqlite:///{file}", project="acme")) as store:
            use(store, file)
        assert caught.value.hint


def test_bytes_that_changed_anywhere_are_at_most_an_error_in_words(whole, tmp_path):
    draw, file, content = random.Random(7), tmp_path / "state.db", whole.read_bytes()
    for _ in range(150):
        changed = bytearray(content)
        for _ in range(draw.choice((1, 5, 50))):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        file.write_bytes(changed)
        with suppress(ReconcilerError), closing(Store(f"sqlite:///{file}", project="acme")) as store:
            draw.choice(USES)(store, file)


@pytest.mark.parametrize("text", [b"\xff", b"{}x", "", None, 5])
def test_what_is_no_json_is_damaged(text):
    with pytest.raises(Damaged):
        decoded(text)
