"""One repository at GitHub, through its REST API."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from reconciler.errors import ReconcilerError, RemoteError
from reconciler.forge.base import Note, Request, Text
from reconciler.forge.client import LARGEST, ForgeClient

BOT = "github-actions[bot]"
"""The author of what the token of a job writes; RECONCILER_FORGE_USER names another one."""

_MEMBER = "reconciler.plan"


class GitHub:
    """The repository of a run of GitHub Actions."""

    longest = 65536
    kinds = frozenset({"description", "label", "review"})

    def __init__(self, environment: Mapping[str, str], token: str) -> None:
        named = environment.get("GITHUB_REPOSITORY", "")
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", named):
            raise ReconcilerError(f"GITHUB_REPOSITORY is {named!r}; expected owner/name")
        self._repository = named
        self._at = f"/repos/{named}"
        self._run = environment.get("GITHUB_RUN_ID", "")
        self._user = environment.get("RECONCILER_FORGE_USER") or BOT
        self._client = ForgeClient(
            environment["GITHUB_API_URL"],
            "Authorization",
            token,
            accept="application/vnd.github+json",
            prefix="Bearer ",
        )
        self._rights: dict[str, bool] = {}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def notes(self, number: int) -> Iterator[Note]:
        """Yield the comments of a pull request, oldest first."""
        for item in self._client.pages(f"{self._at}/issues/{number}/comments"):
            yield self._note(item, "id")

    def _note(self, item: Mapping[str, Any], key: str) -> Note:
        return Note(number=item[key], body=item.get("body") or "", mine=_login(item) == self._user)

    def write_note(self, number: int, body: str, note: int | None) -> None:
        """Write a comment, or replace the text of one."""
        if note is None:
            self._client.send("POST", f"{self._at}/issues/{number}/comments", {"body": body})
        else:
            self._client.send("PATCH", f"{self._at}/issues/comments/{note}", {"body": body})

    def issues(self) -> Iterator[Note]:
        """Yield the open issues."""
        for item in self._client.pages(f"{self._at}/issues", {"state": "open", "direction": "asc"}):
            if "pull_request" not in item:
                yield self._note(item, "number")

    def write_issue(self, title: str, body: str, issue: int | None) -> str:
        """Open an issue, or replace the text of one; return its address."""
        if issue is None:
            made = self._client.send("POST", f"{self._at}/issues", {"title": title, "body": body})
        else:
            made = self._client.send("PATCH", f"{self._at}/issues/{issue}", {"title": title, "body": body})
        return str(made["html_url"])

    def close_issue(self, issue: int, words: str) -> None:
        """Close an issue, and say why."""
        self._client.send("POST", f"{self._at}/issues/{issue}/comments", {"body": words})
        self._client.send("PATCH", f"{self._at}/issues/{issue}", {"state": "closed", "state_reason": "completed"})

    def request(self, number: int) -> Request:
        """Read a pull request."""
        return self._request(self._client.get(f"{self._at}/pulls/{number}"))

    def _request(self, item: Mapping[str, Any]) -> Request:
        head = item["head"]
        return Request(
            number=item["number"],
            url=item["html_url"],
            author=_login(item),
            body=item.get("body") or "",
            head=head["sha"],
            own=(head.get("repo") or {}).get("full_name") == self._repository,
        )

    def texts(self, request: Request) -> Iterator[Text]:
        """Yield its description, the labels that it has, and the reviews that approve it."""
        yield Text(place="description", by=request.author, words=request.body)
        labels: dict[str, str] = {}
        for event in self._client.pages(f"{self._at}/issues/{request.number}/events"):
            if event.get("event") == "labeled":
                labels[event["label"]["name"]] = _login(event, "actor")
            elif event.get("event") == "unlabeled":
                labels.pop(event["label"]["name"], None)
        for name, by in sorted(labels.items()):
            yield Text(place="label", by=by, words=f"/{name}")
        newest: dict[str, dict[str, Any]] = {}
        for review in self._client.pages(f"{self._at}/pulls/{request.number}/reviews"):
            if review.get("state") in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}:
                newest[_login(review)] = review
        for by, last in sorted(newest.items()):
            if last["state"] == "APPROVED":
                yield Text(place="review", by=by, words=last.get("body") or "", commit=last.get("commit_id"))

    def may_write(self, user: str) -> bool:
        """Say whether a person has write access to the repository."""
        if user not in self._rights:
            try:
                path = f"{self._at}/collaborators/{quote(user, safe='')}/permission"
                found = self._client.get(path)
            except RemoteError as error:
                if error.status != 404:  # noqa: PLR2004 - not a user
                    raise
                found = {}
            self._rights[user] = found.get("permission") in {"admin", "write"}
        return self._rights[user]

    def merged_since_apply(self, commit: str) -> list[Request]:
        """Return the pull requests that a commit has and the last apply that succeeded had not, oldest first."""
        run = self._client.get(f"{self._at}/actions/runs/{self._run}")
        branch = self._client.get(self._at)["default_branch"]
        wanted = {"status": "success", "branch": branch, "per_page": 1}
        runs = self._client.get(f"{self._at}/actions/workflows/{run['workflow_id']}/runs", wanted)["workflow_runs"]
        if not runs:
            found = list(self._client.pages(f"{self._at}/commits/{commit}/pulls"))
            since, commits = "", {commit}
        else:
            since = runs[0]["created_at"]
            between = f"{self._at}/compare/{runs[0]['head_sha']}...{commit}"
            commits = {item["sha"] for item in self._client.pages(between, key="commits")}
            found = list(self._closed_since(branch, since))
        merged = [item for item in found if item.get("merged_at") and item.get("merge_commit_sha") in commits]
        return [self._request(item) for item in sorted(merged, key=lambda item: (item["merged_at"], item["number"]))]

    def _closed_since(self, branch: str, since: str) -> Iterator[dict[str, Any]]:
        wanted = {"state": "closed", "base": branch, "sort": "updated", "direction": "desc"}
        for item in self._client.pages(f"{self._at}/pulls", wanted):
            if item["updated_at"] < since:
                return
            yield item

    def reviewed_plan(self, request: Request, name: str) -> bytes | None:
        """Return the plan file of its newest run; None where there is none.

        A run for a fork is left out: the fork states what that run does.
        """
        wanted = {"head_sha": request.head}
        runs = [
            run
            for run in self._client.pages(f"{self._at}/actions/runs", wanted, key="workflow_runs")
            if run["event"] in {"pull_request", "pull_request_review"}
            and run["head_sha"] == request.head
            and (run.get("head_repository") or {}).get("full_name") == self._repository
        ]
        for run in sorted(runs, key=lambda run: (run["created_at"], run["id"]), reverse=True):
            listed = self._client.pages(f"{self._at}/actions/runs/{run['id']}/artifacts", {"name": name}, "artifacts")
            for item in sorted(listed, key=lambda item: int(item["id"]), reverse=True):
                if item["name"] == name and not item["expired"]:
                    return _unpacked(self._client.download(f"{self._at}/actions/artifacts/{item['id']}/zip"), name)
        return None

    def propose(self, branch: str, base: str, title: str, body: str) -> str:
        """Open a pull request for a branch; return its address."""
        sent = {"title": title, "head": branch, "base": base, "body": body}
        return str(self._client.send("POST", f"{self._at}/pulls", sent)["html_url"])


def _login(item: Mapping[str, Any], key: str = "user") -> str:
    """Return who did something; a deleted account has no name, and no rights."""
    return str((item.get(key) or {}).get("login") or "")


def _unpacked(packed: bytes, name: str) -> bytes:
    """Return the one file of an artifact."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            if archive.getinfo(_MEMBER).file_size > LARGEST:
                raise RemoteError(f"artifact {name}: {_MEMBER} has more than {LARGEST} bytes")
            with archive.open(_MEMBER) as file:
                return file.read(LARGEST)
    except (KeyError, zipfile.BadZipFile, NotImplementedError, OSError):
        raise RemoteError(f"artifact {name} is not an archive with {_MEMBER}") from None
