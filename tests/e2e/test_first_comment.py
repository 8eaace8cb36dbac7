"""From an empty folder to the first comment on a pull request: `init`, the commands of its README, the plan.

The remote is a bare repository on disk, and GitHub a stand-in on loopback that checks every call. The workflow is the
one that `init` wrote, with the reusable one that it names.
"""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from build_agent import Agent
from desk import CREDENTIALS, run_in
from forge_github import BOT, REPOSITORY, GitHub
from repository import ENVIRON, git

from reconciler.sandbox import Sandbox

SOURCE = f"OWNER/reconciler@{'1' * 40}"
SECRETS = {**CREDENTIALS, "RECONCILER_PLAN_KEY": "plan-key-2d7fb0956ae3c18490d2e5f7"}


def commands_of(readme: str) -> list[str]:
    """Return the Git commands of the first push, as the README of the project shows them."""
    (block,) = [block for block in re.findall(r"```console\n(.*?)```", readme, re.DOTALL) if "git push" in block]
    return [line.removeprefix("$ ") for line in block.splitlines()]


@pytest.fixture
def forge(tmp_path):
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    with GitHub(remote) as made:
        yield made
    assert made.faults == []


@pytest.mark.slow
def test_the_first_pull_request_of_a_new_project_gets_its_plan(tmp_path, forge):
    seat = tmp_path / "timetable"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(seat))
    git(seat, "remote", "add", "origin", "https://github.com/acme/timetable.git")
    with Sandbox() as box:
        arguments = ("--connection", f"bookingbug-sessions={box.url}", "--source", SOURCE)
        done = run_in(seat, {**os.environ, "NO_COLOR": "1"}, "init", *arguments)
        assert done.code == 0, done
        # What the README asks for: nothing but the addresses of this test is changed.
        file = seat / "reconciler.yaml"
        text = file.read_text(encoding="utf-8")
        assert "https://github.com/acme/timetable.git" in text
        file.write_text(
            text.replace("https://github.com/acme/timetable.git", f"file://{forge.remote}"), encoding="utf-8"
        )
        readme = (seat / "README.md").read_text(encoding="utf-8")
        hosts = f"{box.url.removeprefix('http://')} github.com"
        assert f"`{hosts}`" in readme
        git(seat, "remote", "set-url", "origin", str(forge.remote))
        for command in commands_of(readme):
            subprocess.run(["bash", "-ec", command], cwd=seat, env=ENVIRON, check=True, capture_output=True)

        pull = forge.open("first-class")
        forge.merged_view(pull)
        run = forge.start("plan", "pull_request", pull.head, pull.branch)

        def checkout(given, into):
            git(tmp_path, "clone", "--quiet", str(forge.remote), str(into))
            git(into, "fetch", "--quiet", "origin", given.get("ref") or f"refs/pull/{pull.number}/merge")
            git(into, "checkout", "--quiet", "--detach", "FETCH_HEAD")

        runner = tmp_path / "runner"
        runner.mkdir()
        agent = Agent(
            seat / ".github" / "workflows" / "plan.yml",
            runner,
            checkout,
            SECRETS,
            {"RECONCILER_HOSTS": hosts},
            github={
                "event_name": "pull_request",
                "repository": REPOSITORY,
                "token": forge.token,
                "event": {
                    "repository": {"default_branch": "main"},
                    "pull_request": {
                        "number": pull.number,
                        "head": {"sha": pull.head, "repo": {"full_name": pull.repository}},
                    },
                },
            },
            inherited={
                "GITHUB_API_URL": forge.url,
                "GITHUB_REPOSITORY": REPOSITORY,
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_RUN_ID": str(run.number),
                "GITHUB_SHA": pull.head,
            },
            uploaded=lambda name, path: forge.upload(run, name, {path.name: path.read_bytes()}),
        )
        assert agent.run() == 0, agent.printed
        (comment,) = [item for item in forge.comments[pull.number] if item["user"]["login"] == BOT]
        assert "Plan: 1 to create" in comment["body"]
        assert "Session/first-class" in comment["body"]
        assert box.sessions() == []
