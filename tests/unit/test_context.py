"""From what and where a run was started: Git, and the variables of CI systems."""

from __future__ import annotations

import os
import subprocess
from functools import partial

import pytest
import repository

from reconciler import context as module
from reconciler.context import LONGEST, context, of_git, of_system
from reconciler.model.context import Context

git = partial(repository.git, GIT_AUTHOR_NAME="Zoë Ann", GIT_COMMITTER_NAME="Forge")


@pytest.fixture
def checkout(tmp_path):
    """Return a repository with one commit on the branch `spring/timetable`."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "spring/timetable")
    (folder / "yoga.yaml").write_text("kind: Session\n", encoding="utf-8")
    (folder / ".gitignore").write_text("ignored.yaml\n", encoding="utf-8")
    (folder / "sub").mkdir()
    (folder / "sub" / "court.yaml").write_text("kind: Resource\n", encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "author of nothing <x>\n\nauthor Mallory <m@example.com>")
    return folder


def test_a_checkout_says_its_commit_branch_and_author(checkout):
    found = of_git(checkout / "sub")
    commit = git(checkout, "rev-parse", "HEAD")
    assert found == Context(commit=commit, branch="spring/timetable", clean=True, author="Zoë Ann")


@pytest.mark.parametrize("packed", [False, True])
def test_a_worktree_has_its_own_branch_and_files(checkout, tmp_path, packed):
    git(checkout, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    if packed:
        git(checkout, "pack-refs", "--all")
        git(checkout, "gc", "-q")
    (checkout / "yoga.yaml").write_text("changed\n", encoding="utf-8")
    found = of_git(tmp_path / "tree")
    assert (found.branch, found.clean, found.author) == ("other", True, "Zoë Ann")
    assert of_git(checkout).clean is False


def test_a_shallow_detached_checkout_has_a_commit_and_no_branch(checkout, tmp_path):
    git(checkout, "commit", "-q", "--allow-empty", "-m", "second")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{checkout}", "clone")
    git(tmp_path / "clone", "checkout", "-q", "--detach")
    found = of_git(tmp_path / "clone")
    assert (found.commit, found.branch) == (git(checkout, "rev-parse", "HEAD"), None)
    assert (found.author, found.clean) == ("Zoë Ann", True)


def test_a_repository_of_the_longer_ids_is_read(tmp_path):
    git(tmp_path, "init", "-q", "--object-format=sha256", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    found = of_git(tmp_path)
    assert (len(found.commit), found.author, found.clean) == (64, "Zoë Ann", True)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("yoga.yaml", False),
        ("sub/court.yaml", False),
        ("sub/new.yml", False),
        ("new.yaml", True),
        ("ignored.yaml", True),
        ("sub/plan.json", True),
    ],
)
def test_files_are_not_those_of_the_commit_where_the_project_may_read_others(checkout, name, clean):
    (checkout / name).write_text("kind: Block\n", encoding="utf-8")
    assert of_git(checkout / "sub").clean is clean


def test_a_deleted_and_a_staged_file_are_changes(checkout):
    (checkout / "yoga.yaml").unlink()
    assert of_git(checkout).clean is False
    git(checkout, "checkout", "-q", "--", "yoga.yaml")
    assert of_git(checkout).clean is True
    (checkout / "yoga.yaml").write_text("kind: Block\n", encoding="utf-8")
    git(checkout, "add", "yoga.yaml")
    assert of_git(checkout).clean is False


PROGRAMS = {
    "fsmonitor": ("[core]\n\tfsmonitor = {script}\n", ["status"]),
    "filter": ('[filter "bad"]\n\tclean = {script}\n\trequired = true\n', ["status"]),
    "process filter": ('[filter "bad"]\n\tprocess = {script}\n', ["status"]),
    "signature": ("[log]\n\tshowSignature = true\n[gpg]\n\tprogram = {script}\n", ["log"]),
    "hook": ("[core]\n\thooksPath = {hooks}\n", ["checkout", "-q", "-b", "x"]),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_hostile_configuration_of_a_checkout_starts_no_program(checkout, tmp_path, name):
    ran, script, hooks = tmp_path / "ran", tmp_path / "script", tmp_path / "hooks"
    hooks.mkdir()
    for file in (script, hooks / "post-checkout", hooks / "post-index-change"):
        file.write_text(f"#!/bin/sh\ntouch {ran}\n", encoding="utf-8")
        file.chmod(0o755)
    signed = "-----BEGIN PGP SIGNATURE-----\n x\n -----END PGP SIGNATURE-----"
    body = git(checkout, "cat-file", "commit", "HEAD").replace("\n\n", f"\ngpgsig {signed}\n\n", 1)
    hashed = subprocess.run(
        ["git", "-C", str(checkout), "hash-object", "-t", "commit", "-w", "--stdin"],
        input=body.encode(),
        env=repository.ENVIRON,
        capture_output=True,
        check=True,
    )
    git(checkout, "reset", "-q", "--soft", hashed.stdout.decode().strip())
    config = checkout / ".git" / "config"
    harmless = config.read_text(encoding="utf-8")
    settings, command = PROGRAMS[name]
    attributes = checkout / ".git" / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text("* filter=bad\n", encoding="utf-8")
    config.write_text(harmless + settings.format(script=script, hooks=hooks), encoding="utf-8")
    os.utime(checkout / "yoga.yaml", (1, 1))
    before = (checkout / ".git" / "index").read_bytes()

    assert of_git(checkout).author == "Zoë Ann"
    assert not ran.exists()
    assert (checkout / ".git" / "index").read_bytes() == before

    subprocess.run(["git", "-C", str(checkout), *command], env=repository.ENVIRON, capture_output=True, check=False)
    assert ran.exists(), "Git itself starts it, so the test above can fail"


def test_without_git_the_commit_is_known_and_nothing_that_needs_a_program(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    found = of_git(checkout)
    assert (found.commit is not None, found.branch, found.author, found.clean) == (True, "spring/timetable", None, None)


def test_git_that_takes_too_long_is_stopped(checkout, tmp_path, monkeypatch):
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(module, "TIMEOUT", 0.1)
    assert of_git(checkout).clean is None


@pytest.mark.parametrize("head", ["", "ref: ../../secret", "ref: refs/../../x", "ref: refs/heads/gone", "x" * 40, "\0"])
def test_what_is_no_head_names_no_commit(checkout, head):
    (checkout / ".git" / "HEAD").write_text(head, encoding="utf-8")
    assert of_git(checkout).commit is None


def test_a_folder_without_a_repository_says_nothing(tmp_path):
    (tmp_path / ".git").write_text("gitdir: /nonexistent/\0", encoding="utf-8")
    assert of_git(tmp_path) == Context()


SHA = "0123456789abcdef0123456789abcdef01234567"
SYSTEMS = {
    "github": (
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_SHA": SHA,
            "GITHUB_REF": "refs/pull/12/merge",
            "GITHUB_HEAD_REF": "feature/x",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "acme/timetable",
            "GITHUB_RUN_ID": "99",
            "GITHUB_ACTOR": "ann",
        },
        Context(
            commit=SHA,
            branch="feature/x",
            system="GitHub Actions",
            run_url="https://github.example/acme/timetable/actions/runs/99",
            actor="ann",
            pull_request="12",
        ),
    ),
    "github push": (
        {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/main", "GITHUB_HEAD_REF": ""},
        Context(system="GitHub Actions", branch="main"),
    ),
    "github tag": (
        {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/tags/v1"},
        Context(system="GitHub Actions"),
    ),
    "gitlab": (
        {
            "GITLAB_CI": "true",
            "CI_COMMIT_SHA": SHA,
            "CI_COMMIT_BRANCH": "main",
            "CI_COMMIT_AUTHOR": "Ann Example <ann@example.com>",
            "CI_JOB_URL": "https://gitlab.example/acme/-/jobs/5",
            "GITLAB_USER_LOGIN": "ann",
        },
        Context(
            commit=SHA,
            branch="main",
            author="Ann Example",
            system="GitLab CI/CD",
            run_url="https://gitlab.example/acme/-/jobs/5",
            actor="ann",
        ),
    ),
    "what is not UTF-8": (
        {"GITLAB_CI": "true", "CI_COMMIT_AUTHOR": "J\udcf6rg", "CI_COMMIT_BRANCH": "\udcff"},
        Context(system="GitLab CI/CD", author="J\ufffdrg", branch="\ufffd"),
    ),
    "gitlab merge request": (
        {"GITLAB_CI": "true", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "fix", "CI_MERGE_REQUEST_IID": "7"},
        Context(branch="fix", system="GitLab CI/CD", pull_request="7"),
    ),
    "bitbucket": (
        {
            "BITBUCKET_BUILD_NUMBER": "31",
            "BITBUCKET_COMMIT": SHA,
            "BITBUCKET_BRANCH": "main",
            "BITBUCKET_REPO_FULL_NAME": "acme/timetable",
            "BITBUCKET_PR_ID": "3",
        },
        Context(
            commit=SHA,
            branch="main",
            system="Bitbucket Pipelines",
            run_url="https://bitbucket.org/acme/timetable/pipelines/results/31",
            pull_request="3",
        ),
    ),
    "azure": (
        {
            "TF_BUILD": "True",
            "BUILD_SOURCEVERSION": SHA,
            "BUILD_SOURCEBRANCH": "refs/pull/8/merge",
            "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/topic",
            "BUILD_SOURCEVERSIONAUTHOR": "Ann",
            "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
            "SYSTEM_TEAMPROJECT": "timetable",
            "BUILD_BUILDID": "44",
            "BUILD_REQUESTEDFOR": "Ann Example",
        },
        Context(
            commit=SHA,
            branch="topic",
            author="Ann",
            system="Azure Pipelines",
            run_url="https://dev.azure.com/acme/timetable/_build/results?buildId=44",
            actor="Ann Example",
            pull_request="8",
        ),
    ),
    "none": ({"CI": "true"}, Context()),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_each_ci_system_says_its_run(name):
    environ, expected = SYSTEMS[name]
    assert of_system(environ) == expected


@pytest.mark.parametrize(
    ("variable", "value", "fact"),
    [
        ("GITHUB_SHA", "HEAD; rm -rf /", "commit"),
        ("GITHUB_SERVER_URL", "https://user:password@github.example", "run_url"),
        ("GITHUB_SERVER_URL", "javascript:alert(1)//", "run_url"),
        ("GITHUB_SERVER_URL", "https://[", "run_url"),
        ("GITHUB_REF", "refs/pull/x/merge", "pull_request"),
    ],
)
def test_hostile_variables_are_no_facts(variable, value, fact):
    environ = {**SYSTEMS["github"][0], variable: value}
    assert getattr(of_system(environ), fact) is None


def test_long_names_are_cut():
    found = of_system({"GITLAB_CI": "1", "GITLAB_USER_LOGIN": "a" * 9000})
    assert len(found.actor) == LONGEST


def test_the_checkout_says_the_commit_and_the_pipeline_the_branch(checkout):
    found = context(checkout, SYSTEMS["github"][0])
    assert found.commit == git(checkout, "rev-parse", "HEAD")
    assert (found.branch, found.author, found.pull_request) == ("feature/x", "Zoë Ann", "12")
