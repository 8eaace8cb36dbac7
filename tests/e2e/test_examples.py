"""The examples are what people copy: each validates, applies to a sandbox, and then plans nothing."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import run
from reconciler.sandbox import Options, Sandbox
from reconciler.schema import load_schema

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("leisure-centre", "session", "resource", "block", "booking-session", "tour-operator")
CREDENTIALS = {
    "BB_USERNAME": "username",
    "BB_PASSWORD": "password",
    "BB_APP_ID": "app_id",
    "BB_APP_KEY": "app_key",
    "BB_TOKEN": "auth_token",
    "CF_KEY": "checkfront_key",
    "CF_SECRET": "checkfront_secret",
}
SERVERS = {
    "create_answer": ("body", "location", "none"),
    "show_fields": ("documented", "all"),
    "resource_fields": ("documented", "all"),
}
ODD_SERVER = {
    "update_answer": "none",
    "slot_order": "id",
    "number_style": "fixed",
    "boolean_style": "digit",
    "time_style": "unpadded",
    "empty_style": "absent",
    "block_owner": "person",
    "datetime_style": "millis",
    "page_size": 7,
    "next_links": "misleading",
    "resource_delete": "hard",
    "delete_answer": 204,
    "company_zone": "America/New_York",
    "json_create_status": 200,
}


def _combinations() -> Iterator[Any]:
    """Yield each example with each server; quick are each example with one server, and the largest with the odd one."""
    servers = list(itertools.product(*SERVERS.values()))
    for number, name in enumerate(NAMES):
        for values in servers:
            quick = values == servers[number % len(servers)]
            row = {"name": name, **dict(zip(SERVERS, values, strict=True))}
            yield pytest.param(row, id="-".join((name, *values)), marks=[] if quick else [pytest.mark.slow])
        marks = [] if name == "leisure-centre" else [pytest.mark.slow]
        yield pytest.param({"name": name, **ODD_SERVER}, id=f"{name}-odd", marks=marks)


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    return captured.out + captured.err


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, option in CREDENTIALS.items():
        monkeypatch.setenv(variable, str(getattr(Options(), option)))


def _copy(name: str, folder: Path, url: str) -> Path:
    project = folder / name
    shutil.copytree(EXAMPLES / name, project, ignore=shutil.ignore_patterns(".reconciler"))
    file = project / "reconciler.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("http://127.0.0.1:8700", url), encoding="utf-8")
    return project


def test_every_example_is_tested() -> None:
    assert {path.parent.name for path in EXAMPLES.glob("*/reconciler.yaml")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_validates_without_a_single_problem(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["validate", "--project", str(EXAMPLES / name)])
    said = _said(capsys)
    assert code == 0, said
    assert "0 errors, 0 warnings" in said


def test_the_production_environment_validates_too(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["validate", "--project", str(EXAMPLES / "leisure-centre"), "--env", "prod"])
    assert code == 0, _said(capsys)


@pytest.mark.parametrize("name", NAMES)
def test_points_to_the_sandboxs_default_port_and_holds_no_secret(name: str) -> None:
    text = (EXAMPLES / name / "reconciler.yaml").read_text(encoding="utf-8")
    assert "base_url: http://127.0.0.1:8700" in text
    assert "demo-" not in text


@pytest.mark.parametrize("kind", ["session", "resource", "block"])
def test_shows_every_field_of_its_kind(kind: str) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (EXAMPLES / kind / "manifests").iterdir())
    missing = [field for field in load_schema(kind)["properties"] if f"  {field}: " not in text.replace(":\n", ": ")]
    assert missing == []


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("choices", list(_combinations()))
def test_applies_and_then_plans_nothing(
    choices: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, switches = choices["name"], {option: value for option, value in choices.items() if option != "name"}
    with Sandbox(Options().changed(**switches), seed="samples") as sandbox:
        project = _copy(name, tmp_path, sandbox.url)
        code = run(["apply", "--yes", "--project", str(project)])
        assert code == 0, _said(capsys)
        sandbox.clear_log()
        code = run(["plan", "--detailed-exitcode", "--project", str(project)])
        assert code == 0, _said(capsys)
        assert {entry.method for entry in sandbox.log()} == {"GET"}
        code = run(["drift", "--project", str(project)])
        assert code == 0, _said(capsys)
        assert "No drift" in _said(capsys)


@pytest.mark.usefixtures("credentials")
def test_destroy_leaves_what_was_not_the_projects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox(seed="samples") as sandbox:
        project = _copy("block", tmp_path, sandbox.url)
        assert run(["apply", "--yes", "--project", str(project)]) == 0, _said(capsys)
        assert run(["destroy", "--yes", "--project", str(project)]) == 0, _said(capsys)
        kept = [row["id"] for row in sandbox.resources() if not row["deleted"]]
        assert kept == [13]
        assert sandbox.slots() == []
