"""state mv, rm and restore: what is recorded changes, the remote system is not asked, and a way back is kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from desk import PROJECT


@pytest.fixture(params=["sqlite", "postgresql"])
def desk_on(request, desk):
    """Return a desk whose state is on each database in turn."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres")
        text = PROJECT.format(url=desk.box.url)
        desk.project(text.replace("spec:\n", f"spec:\n  state: {url}\n"))
    return desk


def backup(done, folder):
    """Return the backup that a command spoke of; it lies in the project, for nobody else to read."""
    (kept,) = re.findall(r"A backup of the state is in (\S+)", done.err)
    path = Path(kept)
    assert path.is_relative_to(folder / ".reconciler" / "backups")
    assert path.stat().st_mode & 0o777 == 0o600
    return path


def test_a_renamed_manifest_is_neither_deleted_nor_created(desk_on):
    desk = desk_on
    desk.declare("Resource", "court-1", {"name": "Court"})
    desk.declare("Block", "closed", {"resource": "court-1", "start": "2027-03-01T09:00Z", "end": "2027-03-01T10:00Z"})
    desk.run("apply", "--yes", code=0)
    desk.box.clear_log()
    told = desk.run("state", "mv", "Resource/court-1", "Resource/court-one", "--dry-run", code=0)
    assert "Would rename Resource/court-1 to Resource/court-one" in told.err
    assert "backup of the state is in" not in told.err
    done = desk.run("state", "mv", "Resource/court-1", "Resource/court-one", code=0)
    assert "Renamed Resource/court-1 to Resource/court-one (admin id 13)" in done.err
    assert "Block/closed" in done.err
    assert backup(done, desk.folder).exists()
    desk.forget("Resource", "court-1")
    desk.declare("Resource", "court-one", {"name": "Court"})
    desk.declare("Block", "closed", {"resource": "court-one", "start": "2027-03-01T09:00Z", "end": "2027-03-01T10:00Z"})
    desk.settled()
    shown = desk.run("state", "show", "Block/closed", "--format", "json", code=0).json
    assert shown["depends_on"] == ["Resource/court-one"]
    assert desk.calls() == []


def test_names_that_cannot_be_are_refused_and_nothing_changes(desk):
    desk.declare("Resource", "court-1", {"name": "Court 1"})
    desk.declare("Resource", "court-2", {"name": "Court 2"})
    desk.run("apply", "--yes", code=0)
    before = desk.run("state", "list", "--format", "json", code=0).out
    for source, target, code, words in (
        ("Resource/court-3", "Resource/new", 1, "did you mean Resource/court-"),
        ("Resource/court-1", "Resource/court-2", 1, "Resource/court-2 is already managed (admin id 14)"),
        ("Resource/court-1", "Session/court-1", 64, "the kind of an object cannot change"),
        ("Resource/court-1", "court", 64, "is not an address"),
        ("Resource/court-1", "Resource/court-1", 1, "is already managed"),
    ):
        done = desk.run("state", "mv", source, target, code=code)
        assert words in done.err
        assert "backup of the state is in" not in done.err
    assert desk.run("state", "list", "--format", "json", code=0).out == before


def test_what_was_forgotten_by_mistake_is_restored(desk_on):
    desk = desk_on
    for number in range(3):
        desk.declare("Resource", f"court-{number}", {"name": f"Court {number}"})
    desk.run("apply", "--yes", code=0)
    listed = desk.run("state", "list", "--format", "json", code=0).out
    told = desk.run("state", "rm", "Resource/*", "--dry-run", code=0)
    assert told.err.count("Would remove") == 3
    assert desk.run("state", "list", "--format", "json", code=0).out == listed
    assert "matches no managed object" in desk.run("state", "rm", "Session/*", code=1).err
    assert "is not managed" in desk.run("state", "rm", "Resource/court-0", "Resource/nosuch", code=1).err
    assert desk.run("state", "list", "--format", "json", code=0).out == listed
    done = desk.run("state", "rm", "Resource/court-[01]", "Resource/court-2", code=0)
    assert "Removed Resource/court-0 (admin id 13 is unchanged)" in done.err
    assert desk.run("state", "list", "--format", "json", code=0).json["objects"] == []
    again = desk.run("state", "restore", str(backup(done, desk.folder)), code=0)
    assert "Restored 3 objects" in again.err
    assert desk.run("state", "list", "--format", "json", code=0).out == listed
    desk.settled()
    failed = desk.run("state", "restore", "nosuch.db", code=1)
    assert "cannot read the backup" in failed.err
    assert "backup of the state is in" not in failed.err


def test_a_backup_is_kept_before_adopting_too(desk):
    desk.box.add_resource({"name": "Court"})
    desk.declare("Resource", "court", {"name": "Court"})
    desk.run("adopt", "Resource/court", code=0)
    backup(desk.run("state", "rm", "Resource/court", code=0), desk.folder)
    backup(desk.run("adopt", "Resource/court", code=0), desk.folder)
    backup(desk.run("state", "rm", "Resource/court", code=0), desk.folder)
    backup(desk.run("adopt", "--all", code=0), desk.folder)
    assert desk.run("state", "rm", "-q", "Resource/court", code=0).err == ""


def renamed(desk, old, new):
    file = desk.folder / "reconciler.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    "command", [("plan",), ("drift",), ("state", "list"), ("destroy", "--yes"), ("adopt", "--all")]
)
def test_a_state_of_another_project_or_of_a_renamed_one_is_mentioned(desk, command):
    desk.session()
    desk.run("apply", "--yes", code=0)
    assert "has no objects" not in desk.run("plan").err
    renamed(desk, "metadata: {name: acme}", "metadata: {name: acme-leisure}")
    done = desk.run(*command)
    assert "has no objects of project acme-leisure, but it has 1 object of project acme" in done.err
    assert "if the project was renamed, restore metadata.name" in done.err
    assert "has no objects" not in desk.run(*command, "--quiet").err
    renamed(desk, "metadata: {name: acme-leisure}", "metadata: {name: acme}")
    desk.settled()


def test_a_state_of_another_environment_is_mentioned(desk):
    file = desk.folder / "reconciler.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "  environments: {prod: {}, test: {}}\n", encoding="utf-8")
    desk.session()
    desk.run("apply", "--yes", "--env", "prod", code=0)
    err = desk.run("plan").err
    assert "but it has 1 object of project acme, environment prod: choose it with --env prod\n" in err
    desk.forget("Session", "yoga")
    desk.declare("Resource", "court", {"name": "Court 1"})
    desk.run("apply", "--yes", code=0)
    assert "environment prod: choose it without --env or with --env prod\n" in desk.run("plan", "--env", "test").err


def test_a_project_that_has_written_before_is_no_renamed_one(desk):
    """Two projects share a state, and one of them was destroyed."""
    desk.session()
    desk.run("apply", "--yes", code=0)
    renamed(desk, "metadata: {name: acme}", "metadata: {name: beta}")
    desk.forget("Session", "yoga")
    desk.declare("Resource", "court", {"name": "Court 1"})
    desk.run("apply", "--yes", code=0)
    desk.run("destroy", "--yes", code=0)
    assert "has no objects" not in desk.run("plan").err
