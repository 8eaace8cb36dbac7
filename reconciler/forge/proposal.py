"""A pull request with a change that a pipeline made, through the checkout that it has."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.errors import ReconcilerError, UsageError
from reconciler.forge.base import Forge
from reconciler.forge.here import TOKEN

_HELPER = f'!f() {{ echo "username=$RECONCILER_FORGE_USERNAME"; echo "password=${TOKEN}"; }}; f'
"""Git asks this shell function, so that the token is in no argument and no file."""

_NAME, _MAIL = "reconciler", "reconciler@users.noreply.invalid"


def propose(forge: Forge, patch: Path, folder: Path, base: str, title: str, run: str | None) -> str | None:
    """Apply a patch to a checkout, push it as a new branch and open a pull request; None where it changes nothing."""
    if not patch.is_file():
        raise UsageError(f"cannot read {patch}", hint="pass the file that `git diff` wrote")
    if patch.stat().st_size == 0:
        return None
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-")
    number = os.environ.get("GITHUB_RUN_ID") or os.environ.get("CI_JOB_ID") or "0"
    branch = f"reconciler/{slug}-{re.sub(r'[^0-9]', '', number) or '0'}"
    _git(folder, "checkout", "--quiet", "-b", branch)
    _git(folder, "apply", "--index", str(patch.resolve()))
    _git(folder, "-c", f"user.name={_NAME}", "-c", f"user.email={_MAIL}", "commit", "--quiet", "--message", title)
    _git(folder, *_credentials(), "push", "--quiet", _remote(), f"HEAD:refs/heads/{branch}")
    words = (
        f"reconciler wrote this change{f' in [this run]({run})' if run else ''}. Check the plan before you merge it."
    )
    return forge.propose(branch, base, title, words)


def _remote() -> str:
    """Return where to push to: the address of a GitLab checkout has the token of the job, which may not push."""
    server, path = os.environ.get("CI_SERVER_URL", ""), os.environ.get("CI_PROJECT_PATH")
    return f"{server}/{path}.git" if path and server.startswith("https://") else "origin"


def _credentials() -> list[str]:
    """Let the token answer for the server of the forge alone."""
    server = os.environ.get("GITHUB_SERVER_URL") or os.environ.get("CI_SERVER_URL")
    if server is None or urlsplit(server).scheme != "https":
        return []
    return ["-c", "credential.helper=", "-c", f"credential.{server}.helper={_HELPER}"]


def _git(folder: Path, *arguments: str) -> None:
    user = "x-access-token" if os.environ.get("GITHUB_ACTIONS") else "oauth2"
    variables = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "RECONCILER_FORGE_USERNAME": user}
    try:
        done = subprocess.run(  # noqa: S603 - arguments as a list, no shell
            ["git", "-c", "core.hooksPath=/dev/null", *arguments],  # noqa: S607 - the git of the runner
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise ReconcilerError(f"cannot run git: {error.strerror}", hint="install Git on the runner") from None
    if done.returncode:
        verb = next(word for word in arguments if word in {"checkout", "apply", "commit", "push"})
        raise ReconcilerError(f"git {verb} failed: {done.stderr.strip()[-500:]}", hint="nothing was proposed")
