"""What SECURITY.md says about the workflows: those of this repository, and the one that users copy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from reconciler.sandbox.identity import credentials
from reconciler.sandbox.options import Options

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples/pipelines/github").glob("*.yml"))
CALLED = [ROOT / ".github/workflows" / path.name for path in EXAMPLES]
WORKFLOWS = [*sorted((ROOT / ".github/workflows").glob("*.yml")), *EXAMPLES]
ACTION = re.compile(r"\buses: (?!\$/\.github/actions/)(\S+)")

MAY_WRITE = {
    ("release.yml", "publish"): {"contents", "id-token", "attestations", "packages"},
    ("release.yml", "pypi"): {"id-token"},
    ("plan.yml", "plan"): {"pull-requests"},
    ("apply.yml", "apply"): {"contents", "issues"},
    ("drift.yml", "drift"): {"contents", "issues"},
    ("drift.yml", "propose"): {"contents", "pull-requests"},
}
"""Every job that may write, and what."""


def _read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_no_token_may_write_by_default(path):
    text = path.read_text(encoding="utf-8")
    actions = ACTION.findall(text)
    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []
    assert yaml.safe_load(text)["permissions"] in ({}, {"contents": "read"})


def test_each_job_may_write_only_what_it_needs():
    found = {}
    for path in sorted((ROOT / ".github/workflows").glob("*.yml")):
        for name, job in _read(path)["jobs"].items():
            if writes := {scope for scope, right in job.get("permissions", {}).items() if right == "write"}:
                found[path.name, name] = writes
    assert found == MAY_WRITE


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_a_workflow_of_a_user_hands_over_what_the_called_one_takes_and_no_more(path):
    for caller in _read(path)["jobs"].values():
        _compare(caller)


def _compare(caller):
    file = re.fullmatch(r"OWNER/reconciler/(\.github/workflows/\w+\.yml)@0{40}", caller["uses"])
    below = _read(ROOT / file[1])
    interface = below[True]["workflow_call"]  # YAML 1.1 reads the key `on` as true
    assert set(caller.get("with", {})) <= set(interface["inputs"])
    assert caller["secrets"] == {name: f"${{{{ secrets.{name} }}}}" for name in interface["secrets"]}
    wanted = [set(job["permissions"].items()) for job in below["jobs"].values()]
    most = dict(sorted((item for rights in wanted for item in rights), key=lambda item: item[1] == "write"))
    assert caller["permissions"] == most


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_runs_with_secrets_on_the_code_of_a_fork(path):
    stated = _read(path)
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(stated[True])
    for name, job in stated["jobs"].items():
        steps = yaml.safe_dump(job.get("steps", []))
        if "secrets." in steps and path in CALLED and path.name == "plan.yml":
            assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"], name
        if name == "validate":
            assert "secrets." not in steps
            assert "github.token" not in steps
            assert job["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("path", CALLED, ids=lambda path: path.name)
def test_no_step_has_the_token_of_the_forge_beside_a_credential(path):
    """The step that reads manifests gets no token but that of the state, and the one that comments no credential."""
    for job in _read(path)["jobs"].values():
        for step in job["steps"]:
            given = step.get("env", {})
            assert not ("RECONCILER_FORGE_TOKEN" in given and any("secrets." in str(text) for text in given.values()))


def test_one_job_uploads_to_the_index_without_a_token():
    upload = re.compile(r"twine|pypi-publish|uv publish|upload\.pypi")
    others = (*WORKFLOWS, ROOT / ".github/release", ROOT / "Makefile")
    assert [path.name for path in others if upload.search(path.read_text(encoding="utf-8"))] == ["release.yml"]
    jobs = _read(ROOT / ".github/workflows/release.yml")["jobs"]
    assert [name for name, job in jobs.items() if upload.search(yaml.safe_dump(job))] == ["pypi"]
    assert jobs["pypi"]["environment"] == "pypi"
    assert jobs["pypi"]["permissions"] == {"id-token": "write"}
    assert not re.search(r"secrets|password|checkout", yaml.safe_dump(jobs["pypi"]))


def test_dependencies_are_audited_each_week():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    (schedule,) = workflow[True]["schedule"]  # YAML 1.1 reads the key `on` as true
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", schedule["cron"])
    steps = [step.get("run", "") for job in workflow["jobs"].values() if "if" not in job for step in job["steps"]]
    audits = [line for run in steps for line in run.splitlines() if "pip-audit --strict" in line]
    for audited in (".github/requirements.txt", ".github/requirements-lowest.txt", "--path"):
        assert any(audited in line for line in audits), audited


def test_a_check_covers_the_workflows():
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ncheck:")[2].partition("\n\n")[0]
    assert "/jactionlint " in recipe
    assert "/zizmor --offline " in recipe
    assert "/hadolint Containerfile" in recipe


def test_the_workflows_set_every_variable_that_bounds_a_project_file():
    page = (ROOT / ".github/SECURITY.md").read_text(encoding="utf-8")
    variables = re.findall(r"^\| `(RECONCILER_\w+)`", page, re.MULTILINE)
    assert len(variables) > 3
    for path in CALLED:
        workflow = _read(path)
        jobs = {name: job for name, job in workflow["jobs"].items() if "secrets." in yaml.safe_dump(job["steps"])}
        assert jobs
        for name, job in jobs.items():
            stated = set(workflow["env"]).union(*(step.get("env", {}) for step in job["steps"]))
            # What runs on the protected branch has its project file, which is the trusted one.
            assert set(variables) - stated <= (set() if name == "plan" else {"RECONCILER_TRUSTED_CONFIG"})
            assert "default_branch" in yaml.safe_dump(job["steps"])


def test_the_pipelines_allow_each_credential_of_the_sandbox_and_hand_it_over():
    """A project that works with `reconciler sandbox` works in a pipeline with the same variables."""
    for path in [*CALLED, ROOT / ".gitlab/reconciler.yml"]:
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"RECONCILER_ENV: (.+)", text)[0].split()) == set(credentials(Options()))
    for path in CALLED:
        workflow = _read(path)
        for step in (step for job in workflow["jobs"].values() for step in job["steps"]):
            given = {name for name in step.get("env", {}) if name in credentials(Options())}
            assert given in (set(), set(credentials(Options()))), step["name"]


def test_gitlab_installs_by_hash_at_a_fixed_commit_and_plans_no_fork():
    text = (ROOT / ".gitlab/reconciler.yml").read_text(encoding="utf-8")
    assert "regex: ^[0-9a-f]{40}$" in text
    assert text.count("--require-hashes") == 1
    plan = text.partition("\nreconciler:plan:")[2].partition("\nreconciler:apply:")[0]
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID" in plan
    page = (ROOT / ".github/SECURITY.md").read_text(encoding="utf-8")
    stated = {"RECONCILER_PLAN_KEY", "RECONCILER_HOSTS"}  # variables of the project, which the file names at its top
    for name in re.findall(r"^\| `(RECONCILER_\w+)`", page, re.MULTILINE):
        assert name in text or name in stated, name
