"""A stand-in for GitHub on loopback: one repository, a bare Git remote beside it, and people who use both.

Each call is checked against GitHub's own description (`github_openapi`), each answer too, and every call with the token
of the run it comes from. What a person does (push, open, review, label, merge) is a method.
"""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from github_openapi import Description
from loopback import Loopback
from repository import git
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

REPOSITORY = "acme/timetable"
WORKFLOWS = ("plan", "apply", "drift")
BOT = "github-actions[bot]"


@dataclass
class Pull:
    number: int
    branch: str
    author: str
    body: str
    head: str
    title: str = "A change"
    repository: str = REPOSITORY
    state: str = "open"
    merged_at: str | None = None
    merge_commit: str | None = None
    updated_at: str = ""
    reviews: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Run:
    number: int
    workflow: str
    event: str
    head: str
    created_at: str
    branch: str
    repository: str = REPOSITORY
    status: str = "in_progress"
    artifacts: dict[str, bytes] = field(default_factory=dict)


class GitHub(Loopback):
    """One repository; `url` is what a runner has in GITHUB_API_URL."""

    token = "ghs-token-6f1d0c83b7a952e4"

    def __init__(self, remote: Path) -> None:
        self.remote = remote
        self.rights: dict[str, str] = {"ana": "admin", "ben": "write", "tim": "read"}
        self.pulls: dict[int, Pull] = {}
        self.issues: dict[int, dict[str, Any]] = {}
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.runs: dict[int, Run] = {}
        self.described = Description()
        self.page = 100
        """The most entries that a page has, whatever is asked for."""
        self.faults: list[str] = []
        """What was wrong with calls: a test expects none."""
        self._ids = itertools.count(1)
        self._minute = itertools.count()
        self._artifacts: dict[int, tuple[Run, str]] = {}
        super().__init__(self._app())

    def now(self) -> str:
        minute = next(self._minute)
        return f"2027-01-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z"

    # What people do

    def head(self, branch: str) -> str:
        return git(self.remote, "rev-parse", f"refs/heads/{branch}")

    def open(self, branch: str, author: str = "ben", body: str = "", repository: str = REPOSITORY) -> Pull:
        number = next(self._ids)
        pull = Pull(number, branch, author, body, self.head(branch), repository=repository, updated_at=self.now())
        self.pulls[number] = pull
        return pull

    def review(self, pull: Pull, by: str, body: str = "", state: str = "APPROVED") -> None:
        pull.reviews.append(
            {
                "id": next(self._ids),
                "user": {"login": by, "type": "User"},
                "body": body,
                "state": state,
                "commit_id": self.head(pull.branch),
                "submitted_at": self.now(),
            }
        )

    def label(self, pull: Pull, by: str, name: str, event: str = "labeled") -> None:
        actor = {"login": by, "type": "User"}
        pull.events.append({"id": next(self._ids), "event": event, "actor": actor, "label": {"name": name}})

    def say(self, number: int, by: str, body: str) -> None:
        self.comments.setdefault(number, []).append(self._comment(by, body))

    def merge(self, pull: Pull) -> str:
        """Merge as the button does, and return the merge commit."""
        tree = git(self.remote, "merge-tree", "--write-tree", "main", pull.branch)
        parents = ("-p", self.head("main"), "-p", self.head(pull.branch))
        commit = git(self.remote, "commit-tree", tree, *parents, "-m", f"Merge pull request #{pull.number}")
        git(self.remote, "update-ref", "refs/heads/main", commit)
        pull.head, pull.state, pull.merge_commit = self.head(pull.branch), "closed", commit
        pull.merged_at = pull.updated_at = self.now()
        return commit

    def start(self, workflow: str, event: str, head: str, branch: str, repository: str = REPOSITORY) -> Run:
        run = Run(next(self._ids), workflow, event, head, self.now(), branch, repository)
        self.runs[run.number] = run
        return run

    def upload(self, run: Run, name: str, files: dict[str, bytes]) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for file, content in files.items():
                archive.writestr(file, content)
        run.artifacts[name] = packed.getvalue()
        self._artifacts[next(self._ids)] = (run, name)

    def merged_view(self, pull: Pull) -> str:
        """Return the commit that a run of the pull request checks out: its merge with the branch below."""
        tree = git(self.remote, "merge-tree", "--write-tree", "main", pull.branch)
        parents = ("-p", self.head("main"), "-p", self.head(pull.branch))
        commit = git(self.remote, "commit-tree", tree, *parents, "-m", f"Merge {pull.branch} into main")
        git(self.remote, "update-ref", f"refs/pull/{pull.number}/merge", commit)
        return commit

    # The API

    def _comment(self, login: str, body: str) -> dict[str, Any]:
        kind = "Bot" if login.endswith("[bot]") else "User"
        at = self.now()
        user = {"login": login, "type": kind}
        return {"id": next(self._ids), "user": user, "body": body, "created_at": at, "updated_at": at}

    def _pull(self, pull: Pull) -> dict[str, Any]:
        if pull.state == "open":
            pull.head = self.head(pull.branch)
        repository = {"full_name": pull.repository, "name": pull.repository.partition("/")[2]}
        return {
            "number": pull.number,
            "html_url": f"https://github.com/{REPOSITORY}/pull/{pull.number}",
            "user": {"login": pull.author, "type": "User"},
            "body": pull.body,
            "title": pull.title,
            "state": pull.state,
            "head": {"sha": pull.head, "ref": pull.branch, "repo": repository},
            "base": {"ref": "main"},
            "merged_at": pull.merged_at,
            "merge_commit_sha": pull.merge_commit,
            "updated_at": pull.updated_at,
        }

    def _run(self, run: Run) -> dict[str, Any]:
        return {
            "id": run.number,
            "name": run.workflow,
            "workflow_id": WORKFLOWS.index(run.workflow) + 1,
            "event": run.event,
            "head_sha": run.head,
            "head_repository": {"full_name": run.repository, "name": run.repository.partition("/")[2]},
            "created_at": run.created_at,
            "status": "completed" if run.status != "in_progress" else run.status,
            "conclusion": None if run.status == "in_progress" else run.status,
        }

    def _app(self) -> Starlette:
        methods = ["GET", "POST", "PATCH", "PUT", "DELETE"]
        return Starlette(routes=[Route("/{path:path}", self._serve, methods=methods)])

    async def _serve(self, request: Request) -> Response:
        path, query = request.url.path, dict(request.query_params)
        if path.startswith("/blob/"):
            if "authorization" in request.headers:
                self.faults.append("the host of files got the token")
            run, name = self._artifacts[int(path.rpartition("/")[2])]
            return Response(run.artifacts[name], media_type="application/zip")
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse({"message": "Bad credentials"}, 401)
        content = await request.body()
        try:
            body = json.loads(content) if content else None
            name = self.described.check_call(request.method, path, query, body)
            status, answer = self._answer(request.method, path.split("/")[1:], query, body or {})
            if isinstance(answer, Response):
                return answer
            self.described.check_answer(name, status, answer)
            headers = self._link(answer, query)
        except Exception as error:  # noqa: BLE001 - a defect of the caller or of the stand-in: the test fails in `faults`
            self.faults.append(f"{request.method} {path}: {type(error).__name__}: {error}")
            return JSONResponse({"message": "stand-in: see faults"}, 422)
        return JSONResponse(answer, status, headers)

    def _link(self, answer: Any, query: dict[str, str]) -> dict[str, str]:
        """Name the next page where one may be there: GitHub does so for a full page."""
        lists = [answer] if isinstance(answer, list) else [part for part in answer.values() if isinstance(part, list)]
        size = min(int(query.get("per_page", 30)), self.page)
        page = int(query.get("page", 1)) + 1
        return {"Link": f'<{self.url}/?page={page}>; rel="next"'} if any(len(part) == size for part in lists) else {}

    def _answer(  # noqa: PLR0911 - one for each call
        self, method: str, parts: list[str], query: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, Any]:
        match (method, *parts[3:]):
            case ("GET",):
                return 200, {"full_name": REPOSITORY, "name": "timetable", "default_branch": "main"}
            case ("GET", "issues", number, "comments"):
                return 200, self._part(self.comments.get(int(number), []), query)
            case ("POST", "issues", number, "comments"):
                made = self._comment(BOT, body["body"])
                self.comments.setdefault(int(number), []).append(made)
                return 201, made
            case ("PATCH", "issues", "comments", number):
                found = next(item for items in self.comments.values() for item in items if item["id"] == int(number))
                found["body"], found["updated_at"] = body["body"], self.now()
                return 200, found
            case ("GET", "issues"):
                listed = [item for item in self.issues.values() if item["state"] == query.get("state", "open")]
                return 200, self._part(listed, query)
            case ("POST", "issues"):
                number = next(self._ids)
                self.issues[number] = {
                    **self._comment(BOT, body["body"]),
                    "number": number,
                    "title": body["title"],
                    "state": "open",
                    "html_url": f"https://github.com/{REPOSITORY}/issues/{number}",
                }
                return 201, self.issues[number]
            case ("PATCH", "issues", number):
                self.issues[int(number)].update({k: v for k, v in body.items() if k != "state_reason"})
                return 200, self.issues[int(number)]
            case ("GET", "issues", number, "events"):
                return 200, self._part(self.pulls[int(number)].events, query)
            case ("GET", "pulls", number, "reviews"):
                return 200, self._part(self.pulls[int(number)].reviews, query)
            case ("GET", "collaborators", user, "permission"):
                if user not in self.rights:
                    return 404, {"message": "Not Found"}
                return 200, {"permission": self.rights[user], "user": {"login": user, "type": "User"}}
            case _:
                return self._more(method, parts[3:], query, body)

    def _more(  # noqa: PLR0911 - one for each call
        self, method: str, parts: list[str], query: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, Any]:
        match (method, *parts):
            case ("GET", "pulls", number):
                return 200, self._pull(self.pulls[int(number)])
            case ("GET", "pulls"):
                listed = [pull for pull in self.pulls.values() if pull.state == query["state"]]
                listed.sort(key=lambda pull: pull.updated_at, reverse=query.get("direction") == "desc")
                return 200, self._part([self._pull(pull) for pull in listed], query)
            case ("POST", "pulls"):
                pull = self.open(body["head"], BOT, body.get("body", ""))
                pull.title = body["title"]
                return 201, self._pull(pull)
            case ("GET", "commits", sha, "pulls"):
                listed = [self._pull(pull) for pull in self.pulls.values() if pull.merge_commit == sha]
                return 200, self._part(listed, query)
            case ("GET", "compare", between):
                commits = git(self.remote, "rev-list", "--reverse", between.replace("...", "..")).split()
                return 200, {"commits": self._part([{"sha": sha} for sha in commits], query)}
            case ("GET", "actions", "workflows", number, "runs"):
                listed = [run for run in self.runs.values() if WORKFLOWS.index(run.workflow) + 1 == int(number)]
                listed = [run for run in listed if run.branch == query["branch"] and run.status == query["status"]]
                return 200, self._listed("workflow_runs", [self._run(run) for run in reversed(listed)], query)
            case ("GET", "actions", "runs"):
                listed = [run for run in self.runs.values() if run.head == query["head_sha"]]
                return 200, self._listed("workflow_runs", [self._run(run) for run in reversed(listed)], query)
            case ("GET", "actions", "runs", number):
                return 200, self._run(self.runs[int(number)])
            case ("GET", "actions", "runs", number, "artifacts"):
                listed = [
                    {"id": key, "name": name, "expired": False}
                    for key, (run, name) in self._artifacts.items()
                    if run.number == int(number) and name == query.get("name", name)
                ]
                return 200, self._listed("artifacts", listed, query)
            case ("GET", "actions", "artifacts", number, "zip"):
                return 302, RedirectResponse(f"{self.url}/blob/{number}", 302)
            case _:
                raise AssertionError("the stand-in does not know this call")

    def _part(self, entries: list[Any], query: dict[str, str]) -> list[Any]:
        size = min(int(query.get("per_page", 30)), self.page)
        start = (int(query.get("page", 1)) - 1) * size
        return entries[start : start + size]

    def _listed(self, key: str, entries: list[Any], query: dict[str, str]) -> dict[str, Any]:
        return {"total_count": len(entries), key: self._part(entries, query)}
