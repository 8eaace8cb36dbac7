"""The facts of a run from Git and from the CI system that started it.

A checkout is input: its `.git/config` can name programs (hooks, filters, monitors) that Git starts. So Git never sees
it. It gets a separate folder in place of `.git`, with an empty configuration and the commit as HEAD, and only reads
the objects and the index of the checkout. What cannot be read is None, never an error.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from time import monotonic
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from reconciler.checkout import COMMIT, Checkout, find_checkout
from reconciler.model.canonical import now
from reconciler.model.characters import storable
from reconciler.model.context import Context, Execution

TIMEOUT = 5.0
"""Seconds that one call of Git may take."""

LONGEST = 200
"""Characters of one fact that are kept."""

_AUTHOR = re.compile(rb"^author (.*?) ?<", re.MULTILINE)
_YAML = (b".yaml", b".yml")
"""Endings of files that the project may read although Git does not track them."""


class _System(Struct, frozen=True, kw_only=True):
    """A CI system: the variable that shows it, and where each fact is. The first template that is complete counts."""

    name: str
    shown_by: str
    facts: Mapping[str, tuple[str, ...]]


SYSTEMS = (
    _System(
        name="GitHub Actions",
        shown_by="GITHUB_ACTIONS",
        facts={
            "commit": ("{GITHUB_SHA}",),
            "branch": ("{GITHUB_HEAD_REF}", "{GITHUB_REF}"),
            "run_url": ("{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",),
            "actor": ("{GITHUB_ACTOR}",),
            "pull_request": ("{GITHUB_REF}",),
        },
    ),
    _System(
        name="GitLab CI/CD",
        shown_by="GITLAB_CI",
        facts={
            "commit": ("{CI_COMMIT_SHA}",),
            "branch": ("{CI_MERGE_REQUEST_SOURCE_BRANCH_NAME}", "{CI_COMMIT_BRANCH}"),
            "author": ("{CI_COMMIT_AUTHOR}",),
            "run_url": ("{CI_JOB_URL}", "{CI_PIPELINE_URL}"),
            "actor": ("{GITLAB_USER_LOGIN}",),
            "pull_request": ("{CI_MERGE_REQUEST_IID}",),
        },
    ),
    _System(
        name="Bitbucket Pipelines",
        shown_by="BITBUCKET_BUILD_NUMBER",
        facts={
            "commit": ("{BITBUCKET_COMMIT}",),
            "branch": ("{BITBUCKET_BRANCH}",),
            "run_url": ("https://bitbucket.org/{BITBUCKET_REPO_FULL_NAME}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",),
            "actor": ("{BITBUCKET_STEP_TRIGGERER_UUID}",),
            "pull_request": ("{BITBUCKET_PR_ID}",),
        },
    ),
    _System(
        name="Azure Pipelines",
        shown_by="TF_BUILD",
        facts={
            "commit": ("{BUILD_SOURCEVERSION}",),
            "branch": ("{SYSTEM_PULLREQUEST_SOURCEBRANCH}", "{BUILD_SOURCEBRANCH}"),
            "author": ("{BUILD_SOURCEVERSIONAUTHOR}",),
            "run_url": ("{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",),
            "actor": ("{BUILD_REQUESTEDFOR}",),
            "pull_request": (
                "{SYSTEM_PULLREQUEST_PULLREQUESTNUMBER}",
                "{SYSTEM_PULLREQUEST_PULLREQUESTID}",
                "{BUILD_SOURCEBRANCH}",
            ),
        },
    ),
)


class Stopwatch:
    """Measures a run from its creation on."""

    def __init__(self, run_id: str | None = None) -> None:
        """Start now; a run that the state does not record gets its own id."""
        self._id = run_id or uuid.uuid4().hex
        self._started_at, self._start = now(), monotonic()

    def execution(self) -> Execution:
        """Return when and where the run took place, with now as its end."""
        return Execution(
            id=self._id,
            host=socket.gethostname(),
            started_at=self._started_at,
            ended_at=now(),
            seconds=round(monotonic() - self._start, 3),
        )


def context(folder: Path, environ: Mapping[str, str] | None = None) -> Context:
    """Return what Git says of a project's folder, and the CI system of its run.

    The commit, its author and the state of the files are those of the checkout, as far as Git knows them. The branch is
    the CI system's, because a pipeline checks out a commit and no branch.
    """
    found = of_system(os.environ if environ is None else environ)
    git = of_git(folder)
    return replace(
        found,
        commit=git.commit or found.commit,
        branch=found.branch or git.branch,
        clean=git.clean,
        author=git.author if git.commit is not None else found.author,
    )


def of_system(environ: Mapping[str, str]) -> Context:
    """Return what the variables of a CI system say; nothing where there is none."""
    system = next((item for item in SYSTEMS if environ.get(item.shown_by)), None)
    if system is None:
        return Context()
    texts = {fact: _filled(templates, environ) for fact, templates in system.facts.items()}
    return Context(
        system=system.name,
        commit=_commit(texts.get("commit")),
        branch=_branch(texts.get("branch")),
        author=_name(texts.get("author")),
        run_url=_url(texts.get("run_url")),
        actor=_short(texts.get("actor")),
        pull_request=_number(system.facts["pull_request"], environ),
    )


def _filled(templates: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    """Return the first template of which every variable has a value."""
    for template in templates:
        names = [name for _, name, _, _ in Formatter().parse(template) if name]
        if all(environ.get(name) for name in names):
            return storable(template.format_map(environ))
    return None


def _commit(text: str | None) -> str | None:
    return text if text is not None and COMMIT.fullmatch(text) else None


def _branch(ref: str | None) -> str | None:
    """Return the name of a branch; None for a tag or the merge of a pull request."""
    if ref is None:
        return None
    name = ref.removeprefix("refs/heads/")
    return None if name.startswith("refs/") else _short(name)


def _number(templates: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    """Return a pull request's number, or that in the name of its reference."""
    for template in templates:
        match = re.fullmatch(r"(?:refs/pull/)?([0-9]{1,19})(?:/(?:merge|head))?", _filled((template,), environ) or "")
        if match is not None:
            return match[1]
    return None


def _url(text: str | None) -> str | None:
    """Return the address of a page, without anything that could be a credential."""
    try:
        parts = urlsplit(text or "")
    except ValueError:
        return None
    whole = parts.scheme in {"https", "http"} and parts.hostname and "@" not in parts.netloc
    return text if whole and text is not None and len(text) <= LONGEST else None


def _name(text: str | None) -> str | None:
    """Return a person's name without the mail address, which a public page must not spread."""
    return _short((text or "").partition("<")[0].strip())


def _short(text: str | None) -> str | None:
    if not text:
        return None
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def of_git(folder: Path) -> Context:
    """Return what the Git repository around a folder says; nothing where there is none that can be read."""
    try:
        checkout = find_checkout(folder)
        if checkout is None:
            return Context()
        ref, commit = checkout.head()
        known = Context(commit=commit, branch=_branch(ref))
        return known if commit is None else _read(known, folder, checkout, commit)
    except (OSError, ValueError, subprocess.SubprocessError):
        return Context()


def _read(known: Context, folder: Path, checkout: Checkout, commit: str) -> Context:
    """Add what only Git can read: the author of the commit, and whether the files are those of the commit."""
    with checkout.opened(commit, timeout=TIMEOUT) as git:
        author = _AUTHOR.search((git.run("cat-file", "commit", commit) or b"").partition(b"\n\n")[0])
        status = git.run(
            "status", "--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=all", "--no-renames"
        )
    return replace(
        known,
        author=_short(author[1].decode("utf-8", "replace").strip()) if author is not None else None,
        clean=_clean(status, os.path.relpath(os.path.realpath(folder), checkout.top)) if status is not None else None,
    )


def _clean(status: bytes, project: str) -> bool:
    """Whether no tracked file differs from the commit, and Git tracks or ignores every YAML file in the project."""
    inside = b"" if project == "." else os.fsencode(project.replace(os.sep, "/")) + b"/"
    return all(
        entry[:2] == b"??" and not (entry[3:].startswith(inside) and entry.lower().endswith(_YAML))
        for entry in status.split(b"\0")
        if entry
    )
