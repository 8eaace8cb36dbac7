"""The way of a change through GitLab, by the jobs of the file that a project includes. `pytest -s` shows every job."""

from __future__ import annotations

import json

import pytest
from forge_gitlab import BOT, GitLab
from repository import git

from reconciler.sandbox import Options, Sandbox

CREDENTIALS = {
    "BB_APP_ID": Options().app_id,
    "BB_APP_KEY": Options().app_key,
    "BB_TOKEN": Options().auth_token,
    "RECONCILER_PLAN_KEY": "plan-key-2d7fb0956ae3c18490d2e5f7",
}
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: acme}}
spec:
  manifests: [manifests]
  state: git+file://{remote}#reconciler-state
  connections:
    admin:
      provider: bookingbug-admin
      base_url: {url}
      company_id: 37004
      auth: {{app_id: {{env: BB_APP_ID}}, app_key: {{env: BB_APP_KEY}}, auth_token: {{env: BB_TOKEN}}}}
      settle_after: 0
"""
COURT = """\
apiVersion: reconciler/v1
kind: Resource
metadata: {{name: court}}
spec: {{name: {name}, email: court@example.com}}
"""


class Team:
    """A project at GitLab, its booking system, and the people who push."""

    def __init__(self, folder, box, forge):
        self.folder, self.box, self.forge = folder, box, forge
        self.seat = folder / "seat"
        git(folder, "clone", "--quiet", str(forge.remote), str(self.seat))
        git(self.seat, "checkout", "--quiet", "-B", "main")
        self.push(
            "main", {"reconciler.yaml": PROJECT.format(remote=forge.remote, url=box.url), "manifests/.gitkeep": ""}
        )

    def push(self, branch, files):
        git(self.seat, "fetch", "--quiet", "origin")
        if branch != "main":
            new = git(self.seat, "ls-remote", "--heads", "origin", branch) == ""
            git(self.seat, "checkout", "--quiet", "-B", branch, "origin/main" if new else f"origin/{branch}")
        for name, text in files.items():
            (self.seat / name).parent.mkdir(exist_ok=True)
            (self.seat / name).write_text(text, encoding="utf-8")
        git(self.seat, "add", "--all")
        git(self.seat, "commit", "--quiet", "--message", f"Change {branch}")
        git(self.seat, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")

    def run(self, source, merge=None, **more):
        variables = {**CREDENTIALS, "RECONCILER_FORGE_TOKEN": self.forge.token, **more}
        variables["RECONCILER_HOSTS"] = self.box.url.removeprefix("http://")
        return self.forge.run(self.folder, source, variables, merge)

    def names(self):
        return [item["name"] for item in self.box.resources()]

    def note(self, merge):
        (found,) = [item for item in self.forge.notes[merge["iid"]] if item["author"]["id"] == BOT]
        return found["body"]


@pytest.fixture
def team(tmp_path):
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    with Sandbox() as box, GitLab(remote) as forge:
        yield Team(tmp_path, box, forge)
        assert forge.faults == []
        posted = json.dumps([forge.notes, forge.issues])
        assert [secret for secret in [*CREDENTIALS.values(), forge.token] if secret in posted] == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_merge_request_is_planned_merged_applied_and_watched(team):
    box, forge = team.box, team.forge
    team.push("start", {"manifests/court.yaml": COURT.format(name="Court 1")})
    merge = forge.open("start")
    assert team.run("merge_request_event", merge) == {"reconciler:validate": 0, "reconciler:plan": 0}
    assert "Resource/court" in team.note(merge)
    team.push("start", {"manifests/court.yaml": COURT.format(name="Court A")})
    team.run("merge_request_event", merge)
    assert "Court A" in team.note(merge)
    forge.merge(merge)
    assert team.run("push") == {"reconciler:apply": 0}
    assert team.names() == ["Court A"]

    box.edit_resource(box.resources()[0]["id"], name="By hand")
    assert team.run("schedule") == {"reconciler:drift": 0}
    (issue,) = forge.issues.values()
    assert "By hand" in issue["description"]
    assert team.run("web", RECONCILER_UNREVIEWED="true") == {"reconciler:apply": 0}
    assert team.names() == ["Court A"]
    team.run("schedule")
    assert issue["state"] == "closed"

    team.push("next", {"manifests/court.yaml": COURT.format(name="Court B")})
    merge = forge.open("next")
    team.run("merge_request_event", merge)
    box.edit_resource(box.resources()[0]["id"], name="By hand")
    forge.merge(merge)
    assert team.run("push") == {"reconciler:apply": 5}
    failed = next(item for item in forge.issues.values() if item["title"] == "Apply failed")
    assert "name was Court A when the plan was made, and is By hand now" in failed["description"]
    assert team.names() == ["By hand"]


@pytest.mark.slow
def test_a_fork_is_validated_and_nothing_more(team):
    team.push("fork", {"manifests/court.yaml": COURT.format(name="Court 1")})
    merge = team.forge.open("fork", "tim", source=8)
    assert team.run("merge_request_event", merge) == {"reconciler:validate": 0}
    assert team.forge.notes == {}
