"""`--changed-since REF`: what the difference touches and what depends on it, and nothing else is read or changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from desk import PROJECT
from repository import commit, git

from reconciler.sandbox import Fault

SESSIONS = ("yoga", "swim", "spin")


@pytest.fixture
def town(desk):
    """Return a desk whose project is applied and committed on `main`, with a branch checked out."""
    desk.project(PROJECT.format(url=desk.box.url) + "  values: [values.yaml]\n")
    (desk.folder / "values.yaml").write_text("price: 10\nother: 1\n", encoding="utf-8")
    for name in SESSIONS:
        desk.session(name, name=name.title(), spaces=9)
    desk.session("priced", name="Priced", price="{{ values.price }}", spaces=9)
    desk.declare("Resource", "court", {"name": "Court"})
    desk.declare("Resource", "hall", {"name": "Hall"})
    span = {"start": "2027-03-01T09:00", "end": "2027-03-01T12:00", "timezone": "Europe/London"}
    desk.declare("Block", "repair", {"resource": "court", **span})
    desk.run("apply", "--yes", code=0)
    (desk.folder / ".gitignore").write_text(".reconciler/\n", encoding="utf-8")
    git(desk.folder, "init", "-q", "-b", "main")
    commit(desk.folder)
    git(desk.folder, "switch", "-q", "-c", "branch")
    desk.box.clear_log()
    return desk


def changed(town, *arguments, ref="main", code=0):
    document = town.run("plan", "--changed-since", ref, *arguments, "--format", "json", code=code).json
    assert document["selection"]["changed_since"].startswith(f"{ref} (")
    return document["selection"]["targets"]


def edited(town, name, old, new):
    path = town.folder / "manifests" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_only_what_a_branch_changed_is_read_and_applied(town):
    town.session("yoga", name="Yoga", price=40, spaces=9)
    town.session("swim", name="Swim", price=41, spaces=9)
    commit(town.folder)
    town.session("spin", name="Spin", price=42, spaces=9)  # not committed yet
    town.box.clear_log()
    document = town.run("plan", "--changed-since", "main", "--format", "json", code=0).json
    assert [change["address"] for change in document["changes"]] == ["Session/spin", "Session/swim", "Session/yoga"]
    reads = [item.path.partition("?")[0] for item in town.box.log()]
    narrow = len(reads)
    assert sum(path.startswith("/api/sessions/") and path.endswith(".xml") for path in reads) == 3, reads
    assert not any("resource" in path or "slot" in path for path in reads), reads
    town.box.clear_log()
    town.run("plan", code=0)
    assert len(town.box.log()) > narrow
    git(town.folder, "switch", "-q", "-c", "next")  # REF may also be a branch that went on meanwhile
    done = town.run("apply", "--yes", "--changed-since", "main", code=0)
    assert "--changed-since: 3 of 7 objects selected: 3 changed since main (" in done.err
    assert "only what changed since main (" in done.out
    town.settled()


def test_what_main_got_meanwhile_is_not_a_change_of_the_branch(town):
    town.session("yoga", name="Yoga", price=40, spaces=9)
    commit(town.folder)
    git(town.folder, "switch", "-q", "main")
    town.session("swim", name="Swim", price=41, spaces=9)
    commit(town.folder)
    git(town.folder, "switch", "-q", "branch")
    assert changed(town) == ["Session/yoga"]


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_every_output_says_what_is_selected(town, form):
    town.session("yoga", name="Yoga", price=40, spaces=9)
    shown = town.run("plan", "--changed-since", "main", "--format", form, code=0).out
    short = git(town.folder, "rev-parse", "--short=12", "main")
    assert short in shown
    assert "Session/swim" not in (shown if form != "json" else str(json.loads(shown)["changes"]))


def test_a_removed_manifest_selects_its_object_and_a_dangling_reference_is_refused(town):
    town.forget("Session", "yoga")
    town.forget("Resource", "court")
    commit(town.folder)
    done = town.run("plan", "--changed-since", "main", code=1)  # Block/repair, in another file, refers to it
    assert "Resource/court" in done.out + done.err
    town.forget("Block", "repair")
    document = town.run("plan", "--changed-since", "main", "--format", "json", code=0).json
    assert {change["address"]: change["action"] for change in document["changes"]} == {
        "Block/repair": "delete",
        "Resource/court": "delete",
        "Session/yoga": "delete",
    }


def test_what_depends_on_a_change_is_selected_too(town):
    edited(town, "resource-court.json", '"Court"', '"Court 1"')
    assert changed(town) == ["Block/repair", "Resource/court"]
    assert changed(town, "--target", "Resource/*") == ["Resource/court"]
    assert changed(town, "--exclude", "Block/*") == ["Block/repair", "Resource/court"]


def test_a_moved_file_or_a_new_comment_changes_nothing_and_a_renamed_object_is_one_change(town):
    manifests = town.folder / "manifests"
    (manifests / "session-swim.json").rename(manifests / "water.json")
    text = (manifests / "session-spin.json").read_text(encoding="utf-8")
    (manifests / "session-spin.json").unlink()
    (manifests / "spin.yaml").write_text(f"# a comment\n{text}", encoding="utf-8")
    assert changed(town) == []
    assert "The selection contains no objects." in town.run("plan", "--changed-since", "main", code=0).out
    document = json.loads((manifests / "session-yoga.json").read_text(encoding="utf-8"))
    document["metadata"] = {"name": "yoga-2", "moved_from": "yoga"}
    (manifests / "session-yoga.json").write_text(json.dumps(document), encoding="utf-8")
    plan = town.run("plan", "--changed-since", "main", "--format", "json", code=0).json
    assert [(item["address"], item["moved_from"]) for item in plan["changes"]] == [("Session/yoga-2", "Session/yoga")]


def test_values_select_the_templates_that_use_what_changed(town):
    (town.folder / "values.yaml").write_text("price: 10\nother: 2\n", encoding="utf-8")
    assert changed(town) == []
    (town.folder / "values.yaml").write_text("price: 11\nother: Pool\n", encoding="utf-8")
    assert changed(town) == ["Session/priced"]
    edited(town, "session-swim.json", '"Swim"', "\"{{ values['oth' ~ 'er'] }}\"")
    commit(town.folder)
    (town.folder / "values.yaml").write_text("price: 11\nother: Water\n", encoding="utf-8")
    assert changed(town, ref="HEAD") == ["Session/swim"]  # the name is computed: any value may be meant


@pytest.mark.parametrize(
    ("name", "content"),
    [("reconciler.yaml", None), ("manifests/link.yaml", "link")],
    ids=["project file", "link"],
)
def test_what_cannot_be_compared_selects_everything(town, name, content):
    if content is None:
        path = town.folder / name
        path.write_text(path.read_text(encoding="utf-8") + "  currency: GBP\n", encoding="utf-8")
    else:
        (town.folder / name).symlink_to(town.folder / "manifests" / "session-yoga.json")
        commit(town.folder)
    done = town.run("plan", "--changed-since", "HEAD", "--format", "json", code=0)
    assert "everything is selected, because " in done.err
    assert len(done.json["changes"]) == 7


def test_a_saved_plan_holds_the_selection_itself_and_is_applied(town):
    town.session("yoga", name="Yoga", price=40, spaces=9)
    town.forget("Session", "swim")
    commit(town.folder)
    town.run("plan", "--changed-since", "main", "--out", "pr.plan", code=0)
    git(town.folder, "switch", "-q", "main")
    git(town.folder, "merge", "-q", "branch")  # REF names another commit now
    town.run("apply", "pr.plan", "--yes", code=0)
    town.settled()
    assert (
        "remove --target, --exclude and --changed-since"
        in town.run("apply", "pr.plan", "--changed-since", "main", code=64).err
    )


@pytest.mark.parametrize(
    ("ref", "code", "words"),
    [
        ("-p", 64, "is not a commit"),
        ("--output=x", 64, "is not a commit"),
        ("", 64, "is not a commit"),
        ("nowhere", 64, "names no commit of this repository"),
        ("main:reconciler.yaml", 64, "names no commit of this repository"),
    ],
)
def test_a_reference_that_names_no_commit_is_refused_before_anything_is_read(town, ref, code, words):
    town.box.clear_log()
    assert words in town.run("plan", "--changed-since", ref, code=code).err
    assert town.box.log() == []


def test_a_history_that_ends_too_early_is_an_error_that_says_what_to_fetch(town, tmp_path_factory):
    commit(town.folder)
    clone = tmp_path_factory.mktemp("shallow")
    git(clone, "clone", "-q", "--depth", "1", "--no-single-branch", f"file://{town.folder}", "clone")
    git(clone / "clone", "switch", "-q", "branch")
    text = (town.folder / "reconciler.yaml").read_text(encoding="utf-8")
    (clone / "clone" / "reconciler.yaml").write_text(text, encoding="utf-8")
    done = town.run("plan", "--project", str(clone / "clone"), "--changed-since", "origin/main", code=1)
    assert "no commit in common with origin/main" in done.err
    assert "git fetch --unshallow" in done.err
    outside = tmp_path_factory.mktemp("outside")
    (outside / "reconciler.yaml").write_text(PROJECT.format(url=town.box.url), encoding="utf-8")
    (outside / "manifests").mkdir()
    done = town.run("plan", "--project", str(outside), "--changed-since", "main", code=1)
    assert "is not in a Git repository" in done.err


def test_nothing_in_a_hostile_repository_is_run(town):
    """`.git/config`, hooks and attributes name programs; each would leave a file behind."""
    mark, program = town.folder / "ran", town.folder / "evil.sh"
    program.write_text(f'#!/bin/sh\necho "$@" >> {mark}\ncat\n', encoding="utf-8")
    program.chmod(0o755)
    (town.folder / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n", encoding="utf-8")
    for key in (
        *("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "diff.external", "diff.evil.textconv"),
        *("diff.evil.command", "filter.evil.process", "filter.evil.smudge", "pager.rev-parse", "gpg.program"),
        *("remote.origin.uploadpack", "credential.helper", "uploadpack.packObjectsHook"),
    ):
        git(town.folder, "config", key, str(program))
    git(town.folder, "config", "alias.rev-parse", f"!{program}")
    git(town.folder, "config", "extensions.partialClone", "origin")
    hooks = town.folder / ".git" / "hooks"
    for hook in ("post-index-change", "reference-transaction", "fsmonitor-watchman", "post-checkout"):
        (hooks / hook).write_text(program.read_text(encoding="utf-8"), encoding="utf-8")
        (hooks / hook).chmod(0o755)
    town.session("yoga", name="Yoga", price=40, spaces=9)
    mark.unlink(missing_ok=True)
    assert changed(town) == ["Session/yoga"]
    assert not mark.exists(), mark.read_text(encoding="utf-8")


def test_two_branches_in_one_working_tree_each_and_a_project_below_the_top(town, tmp_path_factory):
    tree = tmp_path_factory.mktemp("trees") / "tree"
    git(town.folder, "worktree", "add", "-q", "-b", "other", str(tree))
    path = tree / "manifests" / "session-yoga.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"price": 35', '"price": 36'), encoding="utf-8")
    below = Path(os.path.relpath(tree, town.folder))
    assert changed(town, "--project", str(below)) == ["Session/yoga"]


def test_an_unreachable_system_is_not_asked_for_what_is_not_selected(town):
    town.box.fault(Fault(kind="status_before", match_path="/api/v1*", status=500, times=None))
    town.session("yoga", name="Yoga", price=40, spaces=9)
    assert changed(town) == ["Session/yoga"]
