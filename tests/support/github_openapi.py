"""What GitHub publishes about the calls that this project makes, and a check of a call against it.

`github_openapi.json` is an extract of GitHub's OpenAPI description, as the npm package @octokit/openapi carries it (MIT
licence). To make it again, unpack that package and run:

    python tests/support/github_openapi.py package/generated/api.github.com.deref.json
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema

FILE = Path(__file__).with_name("github_openapi.json")
CALLS = {
    "/repos/{owner}/{repo}": ["get"],
    "/repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}": ["get"],
    "/repos/{owner}/{repo}/actions/runs": ["get"],
    "/repos/{owner}/{repo}/actions/runs/{run_id}": ["get"],
    "/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts": ["get"],
    "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs": ["get"],
    "/repos/{owner}/{repo}/collaborators/{username}/permission": ["get"],
    "/repos/{owner}/{repo}/commits/{commit_sha}/pulls": ["get"],
    "/repos/{owner}/{repo}/compare/{basehead}": ["get"],
    "/repos/{owner}/{repo}/issues": ["get", "post"],
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["patch"],
    "/repos/{owner}/{repo}/issues/{issue_number}": ["patch"],
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
    "/repos/{owner}/{repo}/issues/{issue_number}/events": ["get"],
    "/repos/{owner}/{repo}/pulls": ["get", "post"],
    "/repos/{owner}/{repo}/pulls/{pull_number}": ["get"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/reviews": ["get"],
}
"""Every path and method that the stand-in answers."""

_GIVEN = (
    "actor artifacts author_association base body closed_at commit_id commits created_at default_branch event expired "
    "full_name head head_repository head_sha html_url id label login merge_commit_sha merged_at name number "
    "permission pull_request ref repo sha state status conclusion submitted_at title total_count type updated_at url "
    "user workflow_id workflow_runs"
)
FIELDS = frozenset(_GIVEN.split())
"""The members of answers that the stand-in gives; the extract leaves out the others."""

_KEPT = frozenset({"type", "nullable", "enum", "items", "properties", "required", "oneOf", "anyOf", "allOf"})


def _pruned(schema: Any, *, answer: bool, depth: int = 0) -> Any:
    """Return a schema as JSON Schema: without words, and of an answer only the members that the stand-in gives."""
    if not isinstance(schema, dict) or depth > 12:
        return {}
    found: dict[str, Any] = {}
    for key in _KEPT & schema.keys():
        value = schema[key]
        if key == "properties":
            names = {name for name in value if not answer or name in FIELDS}
            found[key] = {name: _pruned(value[name], answer=answer, depth=depth + 1) for name in sorted(names)}
            found["additionalProperties"] = False
        elif key == "items":
            found[key] = _pruned(value, answer=answer, depth=depth + 1)
        elif key in {"oneOf", "anyOf", "allOf"}:
            kept = [_pruned(item, answer=answer, depth=depth + 1) for item in value]
            found["anyOf"] = [item for number, item in enumerate(kept) if item not in kept[:number]]
        elif key == "required":
            if not answer:
                found[key] = value
        elif key != "nullable":
            found[key] = value
    if schema.get("nullable"):
        found = {"anyOf": [found, {"type": "null"}]}
    return found


def extract(description: dict[str, Any]) -> dict[str, Any]:
    """Return what the stand-in needs of GitHub's description."""
    made: dict[str, Any] = {}
    for path, methods in CALLS.items():
        for method in methods:
            stated = description["paths"][path][method]
            sent = stated.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            answers = {
                status: _pruned(content["schema"], answer=True)
                for status, said in stated["responses"].items()
                if status.startswith("2")
                for content in [said.get("content", {}).get("application/json", {})]
                if "schema" in content
            }
            made[f"{method.upper()} {path}"] = {
                "query": {
                    item["name"]: _pruned(item["schema"], answer=False)
                    for item in stated.get("parameters", [])
                    if item["in"] == "query"
                },
                "body": None if sent is None else _pruned(sent, answer=False),
                "answers": answers,
                "statuses": sorted(stated["responses"]),
            }
    return {"source": "@octokit/openapi", "version": description["info"]["version"], "calls": made}


class Description:
    """The extract, and the calls that were checked against it."""

    def __init__(self) -> None:
        self._calls: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))["calls"]
        self._paths = [
            (name, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(name.partition(" ")[2]))))
            for name in self._calls
        ]
        self.seen: list[str] = []

    def check_call(self, method: str, path: str, query: dict[str, str], body: Any) -> str:
        """Return the name of a call; AssertionError where GitHub does not describe it."""
        found = [name for name, form in self._paths if name.startswith(f"{method} ") and form.fullmatch(path)]
        assert found, f"GitHub does not describe {method} {path}"
        name = min(found, key=lambda item: item.count("{"))
        stated = self._calls[name]
        for key, text in query.items():
            assert key in stated["query"], f"{name} has no parameter {key}"
            kind = stated["query"][key].get("type")
            jsonschema.validate(int(text) if kind == "integer" else text, stated["query"][key])
        assert (body is not None) <= (stated["body"] is not None), f"{name} takes no body"
        if stated["body"] is not None:
            jsonschema.validate(body, stated["body"])
        self.seen.append(name)
        return name

    def check_answer(self, name: str, status: int, answer: Any) -> None:
        """Refuse an answer of the stand-in that GitHub could not give."""
        stated = self._calls[name]
        assert str(status) in stated["statuses"] or status in {401, 403, 404}, f"{name} does not answer {status}"
        if str(status) in stated["answers"]:
            jsonschema.validate(answer, stated["answers"][str(status)])


if __name__ == "__main__":
    made = extract(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    calls = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(made['calls'][name], sort_keys=True)}" for name in made["calls"]
    )
    head = f'"source": {json.dumps(made["source"])}, "version": {json.dumps(made["version"])}'
    FILE.write_text(f'{{{head}, "calls": {{\n{calls}\n}}}}\n', encoding="utf-8")
