"""The whole output for a project with a dozen mistakes, as a golden file; UPDATE_GOLDEN=1 rewrites it."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.manifests.load import load_bytes

GOLDEN = Path(__file__).parents[1] / "golden" / "errors"


@pytest.fixture
def project(tmp_path, monkeypatch):
    shutil.copytree(GOLDEN / "project", tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.delenv("RECONCILER_TRUSTED_CONFIG", raising=False)
    return tmp_path / "project"


def printed(capsys, *arguments, code=1):
    assert run(arguments) == code
    taken = capsys.readouterr()
    return taken.err + taken.out


def test_the_output_is_as_recorded(project, capsys):
    output = printed(capsys, "validate")
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / "validate.txt").write_text(output, encoding="utf-8")
    assert output == (GOLDEN / "validate.txt").read_text(encoding="utf-8")


def test_each_problem_has_its_range_in_json_and_its_number(project, capsys):
    problems = json.loads(printed(capsys, "validate", "--format", "json"))["problems"]
    assert len(problems) >= 12
    assert all(problem["number"].startswith("RC0") for problem in problems)
    found = {
        (project / problem["range"]["file"].removeprefix("project/"))
        .read_text(encoding="utf-8")
        .splitlines()[problem["range"]["start"]["line"] - 1][
            problem["range"]["start"]["column"] - 1 : problem["range"]["end"]["column"] - 1
        ]
        for problem in problems
    }
    assert {"many", "studoi", "Sesion", "{{ values.title }}", '"studio(at)example.com"', "strat_date"} <= found


def test_in_a_plan_the_same_problems_are_shown_and_standard_input_has_its_lines(project, capsys, monkeypatch):
    assert printed(capsys, "plan").startswith(
        (GOLDEN / "validate.txt").read_text(encoding="utf-8").rpartition("\nInvalid")[0]
    )
    if os.name == "posix":
        assert printed(capsys, "validate", "--untrusted") == (GOLDEN / "validate.txt").read_text(encoding="utf-8")


def test_of_many_problems_the_first_errors_show_their_line_and_every_other_error_is_printed(project, capsys):
    many = "".join(
        f"---\napiVersion: reconciler/v1\nkind: Sesion\nmetadata: {{name: a{n}}}\nspec: {{}}\n" for n in range(60)
    )
    (project / "manifests" / "many.yaml").write_text(many, encoding="utf-8")
    for command in (("validate", "manifests/many.yaml"), ("plan",)):
        output = printed(capsys, *command)
        assert len(re.findall(r"(?m)^manifests/many\.yaml:[0-9]+:7: Sesion/a[0-9]+: unknown kind", output)) == 60
        assert output.count("| kind: Sesion\n") <= 20
    verbose = printed(capsys, "validate", "-v", "manifests/many.yaml")
    assert verbose.count("[RC0202]") == verbose.count("| kind: Sesion\n") == 60


def test_of_many_warnings_the_rest_is_counted(project, capsys):
    (project / "manifests" / "many.yaml").write_text(
        "".join(
            f"---\napiVersion: reconciler/v1\nkind: Session\nmetadata: {{name: a{n}}}\n"
            f"spec: {{name: A{n}, type: event, group: G, start_date: 2027-03-01, time: 11:00}}\n"
            for n in range(30)
        ),
        encoding="utf-8",
    )
    output = printed(capsys, "validate", "manifests/many.yaml", code=0)
    assert output.count("[RC0218]") == 20
    assert "\nand 10 more warnings; -v or --format json lists all\n" in output


def test_the_code_that_is_named_is_explained(project, capsys):
    command = printed(capsys, "validate").splitlines()[-1].removeprefix("To explain a code: `reconciler ")
    assert printed(capsys, *command.removesuffix("`").split(), code=0).startswith("RC0301  unknown-reference\n")


def test_the_lines_of_the_project_file_are_quoted_without_its_credentials(project, capsys):
    file = project / "reconciler.yaml"
    file.write_text(
        file.read_text("utf-8").replace("password: {env: BB_PASSWORD}", "password: hunter2"), encoding="utf-8"
    )
    output = printed(capsys, "validate")
    assert "11 |       auth: {username: {env: BB_USERNAME}, password: ********\n" in output
    assert "hunter2" not in output
    assert load_bytes(file.read_bytes(), "reconciler.yaml").documents
