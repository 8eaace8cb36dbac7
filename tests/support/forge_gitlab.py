"""A stand-in for GitLab on loopback, and an agent that runs the jobs of `.gitlab/reconciler.yml`.

GitLab's OpenAPI description does not cover these calls, so each is checked against what its documentation says. How
sure: read from the pages named below, never tried at a real GitLab.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml
from build_agent import BIN
from loopback import Loopback
from repository import git
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ROOT = Path(__file__).parents[2]
PROJECT, BOT = 7, 99
PAGING = {"page", "per_page"}
DOCUMENTED = {
    # https://docs.gitlab.com/api/users/, /api/members/
    "GET /user": (set(), set()),
    "GET /projects/:id/members/all/:user_id": (set(), set()),
    # https://docs.gitlab.com/api/notes/
    "GET /projects/:id/merge_requests/:iid/notes": ({"sort", "order_by"}, set()),
    "POST /projects/:id/merge_requests/:iid/notes": (set(), {"body"}),
    "PUT /projects/:id/merge_requests/:iid/notes/:note_id": (set(), {"body"}),
    "POST /projects/:id/issues/:iid/notes": (set(), {"body"}),
    # https://docs.gitlab.com/api/issues/
    "GET /projects/:id/issues": ({"state", "sort", "order_by"}, set()),
    "POST /projects/:id/issues": (set(), {"title", "description"}),
    "PUT /projects/:id/issues/:iid": (set(), {"title", "description", "state_event"}),
    # https://docs.gitlab.com/api/merge_requests/
    "GET /projects/:id/merge_requests": ({"state", "target_branch", "order_by", "updated_after"}, set()),
    "POST /projects/:id/merge_requests": (
        set(),
        {"source_branch", "target_branch", "title", "description", "remove_source_branch"},
    ),
    "GET /projects/:id/merge_requests/:iid": (set(), set()),
    "GET /projects/:id/merge_requests/:iid/pipelines": (set(), set()),
    # https://docs.gitlab.com/api/resource_label_events/
    "GET /projects/:id/merge_requests/:iid/resource_label_events": (set(), set()),
    # https://docs.gitlab.com/api/deployments/, /api/repositories/, /api/commits/
    "GET /projects/:id/deployments": ({"environment", "status", "order_by", "sort"}, set()),
    "GET /projects/:id/repository/compare": ({"from", "to"}, set()),
    "GET /projects/:id/repository/commits/:sha/merge_requests": (set(), set()),
    # https://docs.gitlab.com/api/jobs/, /api/job_artifacts/
    "GET /projects/:id/pipelines/:pipeline_id/jobs": ({"scope"}, set()),
    "GET /projects/:id/jobs/:job_id/artifacts/:path": (set(), set()),
}
"""Each call with its query parameters and the members of its body."""


class GitLab(Loopback):
    """One project; `url` is what a job has in CI_API_V4_URL."""

    token = "glpat-3b8e1f7c60d9a254"

    def __init__(self, remote: Path) -> None:
        self.remote = remote
        self.people = {"ana": (1, 40), "ben": (2, 30), "tim": (3, 20)}
        """Each person with id and access level."""
        self.merges: dict[int, dict[str, Any]] = {}
        self.notes: dict[int, list[dict[str, Any]]] = {}
        self.labels: dict[int, list[dict[str, Any]]] = {}
        self.issues: dict[int, dict[str, Any]] = {}
        self.deployments: list[dict[str, Any]] = []
        self.pipelines: dict[int, dict[str, Any]] = {}
        self.faults: list[str] = []
        self._ids = itertools.count(1)
        self._forms = {
            name: re.compile(re.sub(r":path", ".+", re.sub(r":(?!path)\w+", "[^/]+", name.partition(" ")[2])))
            for name in DOCUMENTED
        }
        super().__init__(Starlette(routes=[Route("/{path:path}", self._serve, methods=["GET", "POST", "PUT"])]))

    def person(self, name: str) -> dict[str, Any]:
        return {"id": self.people[name][0], "username": name}

    def open(self, branch: str, author: str = "ben", description: str = "", source: int = PROJECT) -> dict[str, Any]:
        number = next(self._ids)
        self.merges[number] = {
            "iid": number,
            "web_url": f"https://gitlab.com/acme/timetable/-/merge_requests/{number}",
            "author": self.person(author),
            "description": description,
            "sha": git(self.remote, "rev-parse", branch),
            "source_project_id": source,
            "target_project_id": PROJECT,
            "state": "opened",
            "merged_at": None,
            "branch": branch,
        }
        return self.merges[number]

    def merge(self, request: dict[str, Any]) -> str:
        tree = git(self.remote, "merge-tree", "--write-tree", "main", request["branch"])
        sha = git(self.remote, "rev-parse", request["branch"])
        parents = ("-p", git(self.remote, "rev-parse", "main"), "-p", sha)
        commit = git(self.remote, "commit-tree", tree, *parents, "-m", f"Merge !{request['iid']}")
        git(self.remote, "update-ref", "refs/heads/main", commit)
        at = f"2027-01-01T00:00:{next(self._ids):02}Z"
        request.update(state="merged", merge_commit_sha=commit, sha=sha, merged_at=at)
        return commit

    async def _serve(self, request: Request) -> Response:
        path, query = request.url.path, dict(request.query_params)
        content = await request.body()
        try:
            if request.headers.get("private-token") != self.token:
                return JSONResponse({"message": "401 Unauthorized"}, 401)
            body = json.loads(content) if content else {}
            found = [name for name, form in self._forms.items() if name.startswith(f"{request.method} ")]
            name = next(name for name in found if self._forms[name].fullmatch(path))
            parameters, members = DOCUMENTED[name]
            assert set(query) <= parameters | PAGING, f"{name} has no {set(query) - parameters - PAGING}"
            assert set(body) <= members, f"{name} takes no {set(body) - members}"
            status, answer = self._answer(request.method, path.split("/")[1:], query, body)
        except Exception as error:  # noqa: BLE001 - the test fails in `faults`
            self.faults.append(f"{request.method} {path}: {type(error).__name__}: {error}")
            return JSONResponse({"message": "stand-in: see faults"}, 422)
        return Response(answer) if isinstance(answer, bytes) else JSONResponse(answer, status)

    def _answer(  # noqa: PLR0911 - one for each call
        self, method: str, parts: list[str], query: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, Any]:
        match (method, *(parts[2:] if parts[0] == "projects" else parts)):
            case ("GET", "user"):
                return 200, {"id": BOT, "username": "project_7_bot"}
            case ("GET", "members", "all", number):
                level = next((level for key, level in self.people.values() if key == int(number)), None)
                missing = (404, {"message": "404 Not found"})
                return (
                    missing if level is None else (200, {"id": int(number), "access_level": level, "state": "active"})
                )
            case ("GET", "merge_requests", number, "notes"):
                return 200, self.notes.get(int(number), [])
            case ("POST", "merge_requests" | "issues", number, "notes"):
                note = {"id": next(self._ids), "author": {"id": BOT}, "body": body["body"]}
                self.notes.setdefault(int(number), []).append(note)
                return 201, note
            case ("PUT", "merge_requests", number, "notes", note):
                found = next(item for item in self.notes[int(number)] if item["id"] == int(note))
                found["body"] = body["body"]
                return 200, found
            case ("GET", "issues"):
                return 200, [item for item in self.issues.values() if item["state"] == query["state"]]
            case ("POST", "issues"):
                number = next(self._ids)
                about = {
                    "iid": number,
                    "state": "opened",
                    "author": {"id": BOT},
                    "web_url": f"https://gitlab.com/{number}",
                }
                self.issues[number] = {**about, **body}
                return 201, self.issues[number]
            case ("PUT", "issues", number):
                self.issues[int(number)].update(body)
                if body.get("state_event") == "close":
                    self.issues[int(number)]["state"] = "closed"
                return 200, self.issues[int(number)]
            case _:
                return self._more(method, parts[2:], query, body)

    def _more(  # noqa: PLR0911 - one for each call
        self, method: str, parts: list[str], query: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, Any]:
        match (method, *parts):
            case ("GET", "merge_requests", number):
                return 200, self.merges[int(number)]
            case ("GET", "merge_requests"):
                return 200, [item for item in self.merges.values() if item["state"] == query["state"]]
            case ("POST", "merge_requests"):
                made = self.open(body["source_branch"], "ben", body["description"])
                made["title"] = body["title"]
                return 201, made
            case ("GET", "merge_requests", number, "pipelines"):
                return 200, [item for item in self.pipelines.values() if item["merge"] == int(number)]
            case ("GET", "merge_requests", number, "resource_label_events"):
                return 200, self.labels.get(int(number), [])
            case ("GET", "deployments"):
                return 200, self.deployments[-1:]
            case ("GET", "repository", "compare"):
                commits = git(self.remote, "rev-list", f"{query['from']}..{query['to']}").split()
                return 200, {"commits": [{"id": sha} for sha in commits]}
            case ("GET", "repository", "commits", sha, "merge_requests"):
                return 200, [item for item in self.merges.values() if item.get("merge_commit_sha") == sha]
            case ("GET", "pipelines", number, "jobs"):
                return 200, self.pipelines[int(number)]["jobs"]
            case ("GET", "jobs", number, "artifacts", path):
                job = next(job for item in self.pipelines.values() for job in item["jobs"] if job["id"] == int(number))
                return 200, job["files"][path].encode()
            case _:
                raise AssertionError("the stand-in does not know this call")

    # The runner

    def run(
        self, folder: Path, source: str, variables: dict[str, str], merge: dict[str, Any] | None = None
    ) -> dict[str, int]:
        """Run the jobs that a pipeline has by its rules, each on a runner of its own; return their exit codes."""
        known = {"CI_PIPELINE_SOURCE": source, "CI_DEFAULT_BRANCH": "main", "CI_PROJECT_ID": str(PROJECT), **variables}
        if merge is None:
            known["CI_COMMIT_BRANCH"] = "main"
        else:
            known["CI_MERGE_REQUEST_IID"] = str(merge["iid"])
            known["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"] = str(merge["source_project_id"])
            known["CI_MERGE_REQUEST_PROJECT_ID"] = str(merge["target_project_id"])
            merge["sha"] = git(self.remote, "rev-parse", merge["branch"])
        pipeline = {"id": next(self._ids), "merge": merge and merge["iid"], "sha": merge and merge["sha"], "jobs": []}
        self.pipelines[pipeline["id"]] = pipeline
        codes = {}
        for name, job in _jobs().items():
            if not name.startswith(".") and any(_holds(rule["if"], known) for rule in job["rules"]):
                codes[name] = self._job(folder, name, job, known, pipeline)
        return codes

    def _job(
        self, folder: Path, name: str, job: dict[str, Any], known: dict[str, str], pipeline: dict[str, Any]
    ) -> int:
        number = next(self._ids)
        place = folder / f"job-{number}" / "project"
        git(folder, "clone", "--quiet", str(self.remote), str(place))
        git(place, "checkout", "--quiet", "--detach", pipeline["sha"] or "origin/main")
        stated = {key: str(value) for key, value in job["variables"].items()}
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", "\n".join([*job["before_script"], *job["script"]])],
            cwd=place,
            env={
                "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(place.parent),
                "LANG": "C.UTF-8",
                "CI": "true",
                "GITLAB_CI": "true",
                "CI_SERVER_URL": "https://gitlab.com",
                "CI_API_V4_URL": self.url,
                "CI_JOB_URL": f"https://gitlab.com/acme/timetable/-/jobs/{number}",
                **known,
                **stated,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        print(f"--- {name}: {done.returncode}", done.stdout, done.stderr, sep="\n")  # noqa: T201 - for pytest -s
        files = {
            path: (place / path).read_text(encoding="utf-8")
            for path in job.get("artifacts", {}).get("paths", [])
            if (place / path).exists()
        }
        pipeline["jobs"].append({"id": number, "name": name, "artifacts_file": {} if files else None, "files": files})
        if files:
            pipeline["jobs"][-1]["artifacts_file"] = {"filename": "artifacts.zip"}
        if "environment" in job and done.returncode == 0:
            sha = git(self.remote, "rev-parse", "main")
            self.deployments.append({"id": number, "sha": sha, "created_at": "2027-01-01T00:00:00Z"})
        return done.returncode


def _jobs() -> dict[str, Any]:
    """Return the jobs of the file, with inputs, `extends` and `!reference` resolved, without the installation."""
    head, _, text = (ROOT / ".gitlab/reconciler.yml").read_text(encoding="utf-8").partition("\n---\n")
    example = (ROOT / "examples/pipelines/gitlab/.gitlab-ci.yml").read_text(encoding="utf-8")
    given = yaml.safe_load(example)["include"][0]["inputs"]
    declared = yaml.safe_load(head)["spec"]["inputs"]
    assert set(given) <= set(declared)
    assert {name for name, about in declared.items() if "default" not in about} <= set(given)
    values = {**{name: about.get("default") for name, about in declared.items()}, **given}
    text = re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda match: str(values[match[1]]), text)

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!reference", lambda loader, node: tuple(loader.construct_sequence(node)))
    jobs: dict[str, Any] = yaml.load(text, Loader)
    for name, stated in jobs.items():
        job = jobs[name] = {**jobs.get(stated.get("extends"), {}), **stated}
        for key in ("before_script", "script"):
            lines = []
            for line in job.get(key, []):
                if isinstance(line, tuple):
                    lines += [] if line[0] == ".reconciler:install" else jobs[line[0]][line[1]]
                else:
                    lines.append(line)
            job[key] = lines
    return jobs


def _holds(rule: str, known: dict[str, str]) -> bool:
    """Evaluate a rule of the few forms that the file uses."""
    for part in rule.split(" && "):
        left, mark, right = part.partition(" == ")
        value = known.get(left.removeprefix("$"), "")
        wanted = known.get(right.removeprefix("$"), "") if right.startswith("$") else right.strip('"')
        if (mark and value != wanted) or (not mark and not value):
            return False
    return True
