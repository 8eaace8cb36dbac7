"""The whole way of a change through Git and GitHub, by the steps of the shipped workflows and by nothing else.

The repository is a bare Git remote on disk, the state is a branch of it. Each run has a runner of its own, which is
thrown away. GitHub is a stand-in on loopback that checks every call against GitHub's own description. `pytest -s` shows
the stages, and every comment and issue as it was posted.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from build_agent import Agent
from forge_github import BOT, REPOSITORY, GitHub
from repository import git

from reconciler.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / "examples" / "pipelines" / "github"
SECRETS = {
    "BB_APP_ID": "app-id-5f1c9d27e0b84a63",
    "BB_APP_KEY": "app-key-b83e6a1f40d95c72",
    "BB_TOKEN": "token-9c04e7d3a6b1f582",
    "BB_USERNAME": "user-2f7b90c4e81d6a35",
    "BB_PASSWORD": "password-c5d20e94b7f1863a",
    "RECONCILER_PLAN_KEY": "plan-key-2d7fb0956ae3c18490d2e5f7",
}
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: acme}}
spec:
  manifests: [manifests]
  state: {state}
  connections:
    sessions:
      provider: bookingbug-sessions
      base_url: {url}
      auth: {{username: {{env: BB_USERNAME}}, password: {{env: BB_PASSWORD}}}}
      settle_after: 0
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
metadata: {{name: {name}}}
spec:
  name: {shown} # as customers know it
  email: {name}@example.com
"""
YOGA = """\
apiVersion: reconciler/v1
kind: Session
metadata: {{name: yoga}}
spec:
  name: Yoga
  type: course
  group: Body
  repeat: custom
  price: {price}
  slots:
    - {{date: 2027-03-01, time: "{time}", duration: 60}}
"""


class Business:
    """A leisure centre: its repository, its booking system, and its people."""

    def __init__(self, folder: Path, box: Sandbox, forge: GitHub) -> None:
        self.folder, self.box, self.forge = folder, box, forge
        self.seat = folder / "seat"
        self.runners = 0
        self.printed = ""
        git(folder, "clone", "--quiet", str(forge.remote), str(self.seat))
        git(self.seat, "checkout", "--quiet", "-B", "main")
        self.commit("main", {"manifests/.gitkeep": "", "reconciler.yaml": self.project()})

    def project(self) -> str:
        return PROJECT.format(state=f"git+file://{self.forge.remote}#reconciler-state", url=self.box.url)

    def commit(self, branch: str, files: dict[str, str]) -> None:
        """Push a commit with these files to a branch, which starts at main where it is new."""
        git(self.seat, "fetch", "--quiet", "origin")
        new = git(self.seat, "ls-remote", "--heads", "origin", branch) == ""
        if not (new and branch == "main"):
            git(self.seat, "checkout", "--quiet", "-B", branch, "origin/main" if new else f"origin/{branch}")
        for name, text in files.items():
            (self.seat / name).parent.mkdir(exist_ok=True)
            (self.seat / name).write_text(text, encoding="utf-8")
        git(self.seat, "add", "--all")
        git(self.seat, "commit", "--quiet", "--message", f"Change {branch}")
        git(self.seat, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")

    def run(
        self, workflow: str, event: str, head: str, *, pull=None, code: int = 0, ref: str = "main", **inputs
    ) -> Agent:
        """Run a workflow on a new runner, with an empty home, and throw the runner away."""
        run = self.forge.start(workflow, event, head, pull.branch if pull else "main")
        self.runners += 1
        place = self.folder / f"runner-{self.runners}"
        place.mkdir()

        def checkout(given, into):
            git(self.folder, "clone", "--quiet", str(self.forge.remote), str(into))
            git(into, "fetch", "--quiet", "origin", given.get("ref") or ref)
            git(into, "checkout", "--quiet", "--detach", "FETCH_HEAD")

        about = {"repository": {"default_branch": "main"}}
        if pull is not None:
            head_of = {"sha": pull.head, "repo": {"full_name": pull.repository}}
            about["pull_request"] = {"number": pull.number, "head": head_of}
        agent = Agent(
            WORKFLOWS / f"{workflow}.yml",
            place,
            checkout,
            SECRETS,
            {"RECONCILER_HOSTS": self.box.url.removeprefix("http://")},
            github={"event_name": event, "repository": REPOSITORY, "token": self.forge.token, "event": about},
            inputs=inputs,
            inherited={
                "GITHUB_API_URL": self.forge.url,
                "GITHUB_REPOSITORY": REPOSITORY,
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_RUN_ID": str(run.number),
                "GITHUB_SHA": head,
            },
            uploaded=lambda name, file: self.forge.upload(run, name, {file.name: file.read_bytes()}),
        )
        ended = agent.run()
        run.status = "success" if ended == 0 else "failure"
        self.printed += agent.written()
        assert ended == code, (ended, agent.printed)
        shutil.rmtree(place)
        return agent

    def plan(self, pull, code: int = 0) -> str:
        """Run what a push to the pull request starts, and return the comment as it is posted."""
        self.forge.merged_view(pull)
        pull.head = self.forge.head(pull.branch)
        self.run("plan", "pull_request", pull.head, pull=pull, code=code, ref=f"refs/pull/{pull.number}/merge")
        (comment,) = [item for item in self.forge.comments[pull.number] if item["user"]["login"] == BOT]
        return comment["body"]

    def merge(self, pull) -> str:
        return self.forge.merge(pull)

    def issue(self, title: str) -> dict[str, object]:
        (found,) = [item for item in self.forge.issues.values() if item["title"] == title]
        return found

    def court(self, name: str = "court") -> dict[str, object]:
        """Return a resource of the booking system."""
        return next(item for item in self.box.resources() if item["email"].startswith(name) or item["name"] == name)


def _stage(words: str, page: str = "") -> None:
    print(f"\n=== {words}", *(f"    {line}" for line in page.splitlines()), sep="\n")  # noqa: T201 - for pytest -s


@pytest.fixture
def business(tmp_path):
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    with Sandbox() as box, GitHub(remote) as forge:
        box.set_options(
            app_id=SECRETS["BB_APP_ID"],
            app_key=SECRETS["BB_APP_KEY"],
            auth_token=SECRETS["BB_TOKEN"],
            username=SECRETS["BB_USERNAME"],
            password=SECRETS["BB_PASSWORD"],
        )
        made = Business(tmp_path, box, forge)
        yield made
        assert forge.faults == []
        leaked = [secret for secret in [*SECRETS.values(), forge.token] if secret in made.printed]
        assert leaked == []
        posted = json.dumps([forge.comments, forge.issues])
        assert [secret for secret in [*SECRETS.values(), forge.token] if secret in posted] == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_change_goes_from_a_branch_to_the_booking_system_and_back(business):
    forge, box = business.forge, business.box
    _stage("A first project: its pull request is planned, reviewed, merged and applied")
    business.commit("start", {"manifests/court.yaml": COURT.format(name="court", shown="Court 1")})
    first = forge.open("start")
    page = business.plan(first)
    _stage("The comment as posted", page)
    assert "Resource/court" in page
    forge.review(first, "ana")
    business.run("apply", "push", business.merge(first))
    assert [item["name"] for item in box.resources()] == ["Court 1"]
    branches = git(forge.remote, "branch", "--list", "--format", "%(refname:short)").split()
    assert "reconciler-state" in branches
    _stage("The state is a branch", git(forge.remote, "log", "--format=%s", "-5", "reconciler-state"))

    _stage("A branch, its pull request, a second push: one comment, updated in place")
    business.commit("rename", {"manifests/court.yaml": COURT.format(name="court", shown="Court One")})
    pull = forge.open("rename")
    page = business.plan(pull)
    assert "Court One" in page
    business.commit("rename", {"manifests/court.yaml": "no manifest\n"})
    failed = business.plan(pull, code=1)
    _stage("A plan that fails says so in the same comment", failed)
    assert "## Plan failed: 1 error" in failed
    assert "manifests/court.yaml" in failed
    business.commit("rename", {"manifests/court.yaml": COURT.format(name="court", shown="Centre court")})
    page = business.plan(pull)
    _stage("The comment as posted", page)
    assert "Centre court" in page
    assert "Court One" not in page
    assert [item["name"] for item in box.resources()] == ["Court 1"]

    _stage("The review, the merge, the apply")
    forge.review(pull, "ana")
    business.run("apply", "push", business.merge(pull))
    assert [item["name"] for item in box.resources()] == ["Centre court"]
    assert forge.issues == {}

    _stage("A change by hand: one issue, updated, and closed after the repair")
    box.edit_resource(business.court()["id"], name="Closed!")
    business.run("drift", "schedule", forge.head("main"), accept="")
    issue = business.issue("The live timetable has changed")
    _stage("The issue as opened", issue["body"])
    assert "Closed!" in issue["body"]
    box.edit_resource(business.court()["id"], name="Closed today")
    business.run("drift", "schedule", forge.head("main"), accept="")
    assert len(forge.issues) == 1
    assert "Closed today" in issue["body"]
    business.run("drift", "workflow_dispatch", forge.head("main"), accept="", repair=True)
    assert [item["name"] for item in box.resources()] == ["Centre court"]
    business.run("drift", "schedule", forge.head("main"), accept="")
    assert (len(forge.issues), issue["state"]) == (1, "closed")

    _stage("Another change by hand, accepted as a pull request")
    box.edit_resource(business.court()["id"], name="Court A")
    business.run("drift", "workflow_dispatch", forge.head("main"), accept="Resource/court")
    proposal = next(item for item in forge.pulls.values() if item.author == BOT)
    changed = git(forge.remote, "diff", "-U0", "main", proposal.branch)
    _stage(f"Pull request {proposal.number}: {proposal.title}", changed)
    assert "+  name: Court A # as customers know it" in changed
    assert "email" not in changed
    _stage("Its plan", business.plan(proposal))
    business.run("apply", "push", business.merge(proposal))
    assert [item["name"] for item in box.resources()] == ["Court A"]
    business.run("drift", "schedule", forge.head("main"), accept="")
    assert [item["state"] for item in forge.issues.values()] == ["closed"]
    _stage(f"{business.runners} runners; the state", git(forge.remote, "log", "--format=%s", "reconciler-state"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_skipped_apply_is_made_up_for_and_what_nobody_reviewed_is_not_applied(business):
    forge, box = business.forge, business.box
    for name in ("a", "b"):
        business.commit(name, {f"manifests/{name}.yaml": COURT.format(name=name, shown=name)})
    pulls = [forge.open("a"), forge.open("b")]
    for pull in pulls:
        business.plan(pull)
    _stage("A run that succeeded, then a merge whose run is cancelled in the queue, then another merge")
    business.run("apply", "push", forge.head("main"))
    business.merge(pulls[0])
    second = business.merge(pulls[1])
    business.run("apply", "push", second)
    assert sorted(item["name"] for item in box.resources()) == ["a", "b"]

    _stage("A change by hand between the plan and the merge stops the apply, with the difference")
    business.commit("c", {"manifests/a.yaml": COURT.format(name="a", shown="A new name")})
    pull = forge.open("c")
    business.plan(pull)
    box.edit_resource(business.court("a")["id"], name="By hand")
    business.run("apply", "push", business.merge(pull), code=5)
    issue = business.issue("Apply failed")
    _stage("The issue as opened", issue["body"])
    assert "Resource/a: name was a when the plan was made, and is By hand now" in issue["body"]
    assert sorted(item["name"] for item in box.resources()) == ["By hand", "b"]

    _stage("A plan that somebody forged does not count")
    run = forge.start("plan", "pull_request", pull.head, pull.branch)
    planned = business.folder / "forged"
    forge.upload(run, "reconciler-plan", {"reconciler.plan": b'{"format_version": "1.0"}'})
    business.run("apply", "push", forge.head("main"), code=5)
    assert not planned.exists()
    assert len(forge.issues) == 1
    assert "its plan cannot be read" in issue["body"]

    _stage("A new pull request shows what is left; its apply closes the issue")
    business.commit("d", {"manifests/a.yaml": COURT.format(name="a", shown="Agreed")})
    pull = forge.open("d")
    business.plan(pull)
    business.run("apply", "push", business.merge(pull))
    assert sorted(item["name"] for item in box.resources()) == ["Agreed", "b"]
    assert issue["state"] == "closed"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_bookings_are_moved_only_as_decided_in_the_pull_request(business):
    forge, box = business.forge, business.box
    business.commit("yoga", {"manifests/yoga.yaml": YOGA.format(price=10, time="11:00")})
    pull = forge.open("yoga")
    business.plan(pull)
    business.run("apply", "push", business.merge(pull))
    box.book(box.sessions()[0]["slots"][0]["id"], 4)
    business.commit("later", {"manifests/yoga.yaml": YOGA.format(price=10, time="12:30")})
    pull = forge.open("later", author="ben")
    page = business.plan(pull, code=1)
    _stage("A plan that apply would refuse fails the check", page)
    assert "--allow-booked Session/yoga" in page
    forge.review(pull, "tim", "/allow-booked Session/yoga")  # may not write
    business.plan(pull, code=1)
    forge.review(pull, "ana", "We have told them.\n\n/allow-booked Session/yoga")
    business.plan(pull)
    agent = business.run("apply", "push", business.merge(pull))
    _stage("The apply says who decided", agent.printed)
    assert f"decided by ana in https://github.com/{REPOSITORY}/pull/{pull.number}" in agent.printed
    assert [(item["time"], item["spaces_booked"]) for item in box.sessions()[0]["slots"]] == [("12:30", 4)]
