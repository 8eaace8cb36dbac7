"""The forge whose pipeline this process runs in, from the variables that its runner sets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from reconciler.errors import UsageError
from reconciler.forge.base import Forge
from reconciler.forge.github import GitHub
from reconciler.forge.gitlab import GitLab

TOKEN = "RECONCILER_FORGE_TOKEN"  # noqa: S105 - the name of a variable
"""The variable with the token for the API of the forge."""


@contextmanager
def forge() -> Iterator[Forge]:
    """Open the forge of this pipeline; UsageError outside of one."""
    found = _forge()
    try:
        yield found
    finally:
        found.close()


def _forge() -> Forge:
    token = (os.environ.get(TOKEN) or "").strip()
    if not token:
        raise UsageError(f"{TOKEN} is not set", hint="set it to a token for the API of GitHub or GitLab")
    if os.environ.get("GITHUB_API_URL"):
        return GitHub(os.environ, token)
    if os.environ.get("CI_API_V4_URL"):
        return GitLab(os.environ, token)
    raise UsageError(
        "this is no pipeline of GitHub or GitLab",
        hint="set GITHUB_API_URL and GITHUB_REPOSITORY, or CI_API_V4_URL and CI_PROJECT_ID",
    )


def run_url(environment: Mapping[str, str] | None = None) -> str | None:
    """Return the address of this run; None where it has none."""
    found = os.environ if environment is None else environment
    if found.get("GITHUB_RUN_ID") and found.get("GITHUB_REPOSITORY"):
        server = found.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{server}/{found['GITHUB_REPOSITORY']}/actions/runs/{found['GITHUB_RUN_ID']}"
    return found.get("CI_JOB_URL")
