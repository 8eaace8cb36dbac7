from collections.abc import Iterator

import pytest

from reconciler.sandbox.database import Database, Table

THING = Table(
    name="thing",
    columns=("id", "group", "flag", "tags"),
    booleans=frozenset({"flag"}),
    documents=frozenset({"tags"}),
    first_id=10,
)


@pytest.fixture
def db() -> Iterator[Database]:
    database = Database((THING,))
    yield database
    database.close()


def test_rows_keep_their_types(db):
    row_id = db.insert(THING, {"group": "g", "flag": True, "tags": [1, 2]})
    assert db.get(THING, row_id) == {"id": 10, "group": "g", "flag": True, "tags": [1, 2]}
    db.update(THING, row_id, {"flag": None})
    assert db.get(THING, row_id)["flag"] is None


def test_ids_are_never_reused(db):
    assert db.insert(THING, {"group": "a"}) == 10
    assert db.remove(THING, 10)
    assert not db.remove(THING, 10)
    assert db.insert(THING, {"group": "b"}) == 11
    assert [db.was_issued(THING, row_id) for row_id in (9, 10, 11, 12)] == [False, True, True, False]


def test_clear_restarts_the_ids(db):
    db.insert(THING, {"group": "a"})
    assert not db.is_empty()
    db.clear()
    assert db.is_empty()
    assert db.insert(THING, {"group": "a"}) == 10


def test_unknown_rows_and_columns(db):
    with pytest.raises(KeyError):
        db.update(THING, 99, {"group": "a"})
    with pytest.raises(KeyError, match="no field 'colour'"):
        db.insert(THING, {"colour": "red"})
    assert db.get(THING, 99) is None


def fail_halfway(db):
    with db.transaction():
        db.insert(THING, {"group": "a"})
        with db.transaction():
            db.insert(THING, {"group": "b"})
        raise RuntimeError


def test_failed_transaction_is_rolled_back(db):
    with pytest.raises(RuntimeError):
        fail_halfway(db)
    assert db.is_empty()
