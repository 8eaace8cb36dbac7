"""A state that something else wrote into: every command says what is wrong, and none ends with a traceback."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing

import pytest
from damaged import JUNK, cells, fill, spoil
from holding import ALL

COMMANDS = (
    ("plan",),
    ("drift",),
    ("state", "list"),
    ("state", "show", "Session/yoga"),
    ("export", "--out", "exported", "--force"),
    ("adopt", "--all"),
    ("state", "mv", "Session/yoga", "Session/other", "--dry-run"),
    ("state", "rm", "Block/*", "--dry-run"),
    ("state", "unlock", "r1"),
    ("state", "restore", "backup.db"),
    ("apply", "--yes"),
    ("destroy", "--yes"),
)

BLOCK = {"resource": "court", "start": "2027-03-01T09:00:00Z", "end": "2027-03-01T10:00:00Z"}


@pytest.fixture
def whole(desk, monkeypatch):
    """Return a copy of the state of an applied project, with rows in each table."""
    monkeypatch.setattr("reconciler.state.holder.QUIET", 0.0)
    desk.session()
    desk.declare("Resource", "court", {"name": "Court"})
    desk.declare("Block", "closed", BLOCK)
    desk.run("apply", "--yes", code=0)
    fill(desk.folder / ".reconciler" / "state.db")
    return shutil.copy(desk.folder / ".reconciler" / "state.db", desk.folder / "whole.db")


def no_internal_error(desk, whole, cell, junk, commands):
    state = desk.folder / ".reconciler" / "state.db"
    for command in commands:
        spoil(whole, state, cell, junk)
        shutil.copy(state, desk.folder / "backup.db")
        try:
            done = desk.run(*command)
        except AssertionError as error:
            raise AssertionError(f"{cell} = {junk!r:.80}: {command}") from error
        assert done.code in {0, 1, 2, 3, 4}, (cell, f"{junk!r:.80}", command, done)


def test_each_command_says_that_a_record_is_damaged(desk, whole):
    for command in COMMANDS:
        no_internal_error(desk, whole, ("reconciler_objects", "fields"), "{", [command])
    done = desk.run("plan", code=1)
    assert "is not JSON" in done.err
    assert "no backups" in done.err


@pytest.mark.slow
def test_no_value_in_any_cell_is_an_internal_error(desk, whole):
    draw = random.Random(11)
    for cell in cells(whole):
        for junk in draw.sample(JUNK, 3):
            no_internal_error(desk, whole, cell, junk, draw.sample(COMMANDS, 2))


VALUES = (None, 5, "x", "", [], {}, [5], [{}], [None], "2027-99-99", True, -1, 1e300, {"x": None}, "24:99", 10**30)


@pytest.fixture
def held(shop, monkeypatch):
    """Return a copy of the state of a project with a held booking."""
    monkeypatch.setattr("reconciler.state.holder.QUIET", 0.0)
    shop.declare("BookingSession", "group", {"items": ALL})
    shop.run("apply", "--yes", code=0)
    return shutil.copy(shop.folder / ".reconciler" / "state.db", shop.folder / "whole.db")


def spoilt(recorded):
    """Yield the fields of each object with one value replaced, or one member of a list or a mapping replaced."""
    for fields in recorded:
        for name, field in fields.items():
            members = field[0] if isinstance(field, list) and field else field
            values = [*VALUES]
            if isinstance(members, dict):
                inner = [{**members, key: value} for key in members for value in VALUES]
                inner += [{key: members[key] for key in members if key != left} for left in members]
                values += [[item] for item in inner] if isinstance(field, list) else inner
            yield from ({**fields, name: value} for value in values)


@pytest.mark.slow
@pytest.mark.parametrize(("project", "applied"), [("desk", "whole"), ("shop", "held")])
def test_no_value_of_a_recorded_field_is_an_internal_error(request, project, applied):
    folder, whole = request.getfixturevalue(project), request.getfixturevalue(applied)
    with closing(sqlite3.connect(whole)) as connection:
        found = connection.execute("SELECT fields FROM reconciler_objects").fetchall()
    draw, cell = random.Random(3), ("reconciler_objects", "fields")
    for fields in spoilt([json.loads(text) for (text,) in found]):
        no_internal_error(folder, whole, cell, json.dumps(fields), [("plan",), draw.choice(COMMANDS[1:])])
