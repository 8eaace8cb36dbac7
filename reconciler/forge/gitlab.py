"""One project at GitLab, through its REST API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from reconciler.errors import ReconcilerError, RemoteError
from reconciler.forge.base import Note, Request, Text
from reconciler.forge.client import ForgeClient

_DEVELOPER = 30
"""The access level from which a member can push."""

_NOT_FOUND = 404


class GitLab:
    """The project of a pipeline of GitLab."""

    longest = 1_000_000
    kinds = frozenset({"description", "label"})
    """An approval does not name its commit, so it proves nothing about what is merged."""

    def __init__(self, environment: Mapping[str, str], token: str) -> None:
        project = environment.get("CI_PROJECT_ID", "")
        if not re.fullmatch(r"\d+", project):
            raise ReconcilerError(f"CI_PROJECT_ID is {project!r}; expected a number")
        self._project = int(project)
        self._at = f"/projects/{project}"
        self._branch = environment.get("CI_DEFAULT_BRANCH", "main")
        self._environment = environment.get("RECONCILER_DEPLOYMENT", "production")
        self._plan_job = environment.get("RECONCILER_PLAN_JOB", "reconciler:plan")
        self._client = ForgeClient(environment["CI_API_V4_URL"], "PRIVATE-TOKEN", token, accept="application/json")
        self._me: int | None = None
        self._rights: dict[str, bool] = {}
        self._ids: dict[str, int] = {}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _mine(self, item: Mapping[str, Any]) -> bool:
        if self._me is None:
            self._me = int(self._client.get("/user")["id"])
        return bool((item.get("author") or {}).get("id") == self._me)

    def notes(self, number: int) -> Iterator[Note]:
        """Yield the comments of a merge request, oldest first."""
        for item in self._client.pages(f"{self._at}/merge_requests/{number}/notes", {"sort": "asc"}):
            yield Note(number=item["id"], body=item.get("body") or "", mine=self._mine(item))

    def write_note(self, number: int, body: str, note: int | None) -> None:
        """Write a comment, or replace the text of one."""
        path = f"{self._at}/merge_requests/{number}/notes"
        if note is None:
            self._client.send("POST", path, {"body": body})
        else:
            self._client.send("PUT", f"{path}/{note}", {"body": body})

    def issues(self) -> Iterator[Note]:
        """Yield the open issues."""
        for item in self._client.pages(f"{self._at}/issues", {"state": "opened", "sort": "asc"}):
            yield Note(number=item["iid"], body=item.get("description") or "", mine=self._mine(item))

    def write_issue(self, title: str, body: str, issue: int | None) -> str:
        """Open an issue, or replace the text of one; return its address."""
        sent = {"title": title, "description": body}
        path = f"{self._at}/issues"
        made = self._client.send("POST", path, sent) if issue is None else self._edit_issue(issue, sent)
        return str(made["web_url"])

    def _edit_issue(self, issue: int, sent: Mapping[str, str]) -> Any:
        return self._client.send("PUT", f"{self._at}/issues/{issue}", sent)

    def close_issue(self, issue: int, words: str) -> None:
        """Close an issue, and say why."""
        self._client.send("POST", f"{self._at}/issues/{issue}/notes", {"body": words})
        self._edit_issue(issue, {"state_event": "close"})

    def request(self, number: int) -> Request:
        """Read a merge request."""
        return self._request(self._client.get(f"{self._at}/merge_requests/{number}"))

    def _request(self, item: Mapping[str, Any]) -> Request:
        return Request(
            number=item["iid"],
            url=item["web_url"],
            author=self._person(item.get("author")),
            body=item.get("description") or "",
            head=item["sha"],
            own=item.get("source_project_id") == item.get("target_project_id") == self._project,
        )

    def _person(self, found: Mapping[str, Any] | None) -> str:
        """Return the name of a person, and remember the id that asks for the rights."""
        if not found:
            return ""
        self._ids[str(found["username"])] = int(found["id"])
        return str(found["username"])

    def texts(self, request: Request) -> Iterator[Text]:
        """Yield its description, and the labels that it has."""
        yield Text(place="description", by=request.author, words=request.body)
        labels: dict[str, str] = {}
        for event in self._client.pages(f"{self._at}/merge_requests/{request.number}/resource_label_events"):
            name = (event.get("label") or {}).get("name")  # none where the label was deleted
            if name is not None and event.get("action") == "add":
                labels[name] = self._person(event.get("user"))
            elif name is not None:
                labels.pop(name, None)
        for name, by in sorted(labels.items()):
            yield Text(place="label", by=by, words=f"/{name}")

    def may_write(self, user: str) -> bool:
        """Say whether a person has write access to the project."""
        if user not in self._rights:
            try:
                found = self._client.get(f"{self._at}/members/all/{self._ids[user]}")
            except RemoteError as error:
                if error.status != _NOT_FOUND:
                    raise
                found = {}
            self._rights[user] = found.get("access_level", 0) >= _DEVELOPER and found.get("state") == "active"
        return self._rights[user]

    def merged_since_apply(self, commit: str) -> list[Request]:
        """Return the merge requests that a commit has and the last apply that succeeded had not, oldest first."""
        wanted = {"environment": self._environment, "status": "success", "order_by": "id", "sort": "desc"}
        done = self._client.get(f"{self._at}/deployments", {**wanted, "per_page": 1})
        if not done:
            found = list(self._client.pages(f"{self._at}/repository/commits/{commit}/merge_requests"))
            commits = {commit}
        else:
            between = self._client.get(f"{self._at}/repository/compare", {"from": done[0]["sha"], "to": commit})
            commits = {item["id"] for item in between["commits"]}
            listed = {
                "state": "merged",
                "target_branch": self._branch,
                "order_by": "updated_at",
                "updated_after": done[0]["created_at"],
            }
            found = list(self._client.pages(f"{self._at}/merge_requests", listed))
        merged = [
            item
            for item in found
            if item.get("state") == "merged"
            and {item.get("merge_commit_sha"), item.get("squash_commit_sha"), item.get("sha")} & commits
        ]
        ordered = sorted(merged, key=lambda item: (item["merged_at"], item["iid"]))
        return [self.request(item["iid"]) for item in ordered]

    def reviewed_plan(self, request: Request, name: str) -> bytes | None:
        """Return the plan file of its newest pipeline in this project; None where there is none."""
        pipelines = self._client.pages(f"{self._at}/merge_requests/{request.number}/pipelines")
        own = [item for item in pipelines if item.get("project_id", self._project) == self._project]
        for pipeline in sorted(own, key=lambda item: int(item["id"]), reverse=True):
            if pipeline["sha"] != request.head:
                continue
            for job in self._client.pages(f"{self._at}/pipelines/{pipeline['id']}/jobs"):
                if job["name"] == self._plan_job and job.get("artifacts_file"):
                    return self._client.download(f"{self._at}/jobs/{job['id']}/artifacts/{quote(name)}.plan")
        return None

    def propose(self, branch: str, base: str, title: str, body: str) -> str:
        """Open a merge request for a branch; return its address."""
        sent = {"source_branch": branch, "target_branch": base, "title": title, "description": body}
        made = self._client.send("POST", f"{self._at}/merge_requests", {**sent, "remove_source_branch": True})
        return str(made["web_url"])
