from __future__ import annotations

import pytest
from forge_github import REPOSITORY, GitHub
from repository import git

from reconciler.forge import github as adapter


@pytest.fixture(scope="session")
def remote(tmp_path_factory):
    """A bare repository with the branch main and three others, each with one commit more."""
    folder = tmp_path_factory.mktemp("remote")
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", ".")
    tree = git(folder, "hash-object", "-t", "tree", "-w", "/dev/null")
    start = git(folder, "commit-tree", tree, "-m", "Start")
    git(folder, "update-ref", "refs/heads/main", start)
    for name in ("a", "b", "c"):
        commit = git(folder, "commit-tree", tree, "-p", start, "-m", name)
        git(folder, "update-ref", f"refs/heads/{name}", commit)
    return folder


@pytest.fixture
def served(remote):
    """GitHub with this repository; its main branch is where it was again for the next test."""
    start = git(remote, "rev-parse", "main")
    with GitHub(remote) as stand_in:
        yield stand_in
        assert stand_in.faults == []
    git(remote, "update-ref", "refs/heads/main", start)


@pytest.fixture
def forge(served):
    """The forge as the run of an apply sees it."""
    run = served.start("apply", "push", served.head("main"), "main")
    environment = {"GITHUB_API_URL": served.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_RUN_ID": str(run.number)}
    opened = adapter.GitHub(environment, served.token)
    yield opened
    opened.close()
