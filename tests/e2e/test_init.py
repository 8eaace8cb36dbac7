"""`init`: a project that is valid at once, plans on the sandbox, and whose pipelines pass the linters of the forge."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from desk import CREDENTIALS, run_in
from jsonschema import Draft7Validator
from repository import commit, git

from reconciler.operations import init

ALL = ("--connection", "bookingbug-sessions", "--connection", "bookingbug-admin", "--connection", "checkfront")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SHOP = {"CF_KEY": "sandbox-key", "CF_SECRET": "sandbox-secret"}


@pytest.fixture
def place(tmp_path):
    return tmp_path


def started(place, *arguments, code=0):
    done = run_in(place, {**os.environ, "NO_COLOR": "1"}, "init", *arguments)
    assert done.code == code, done
    assert "Traceback" not in done.err
    return done


def contents(folder):
    return {
        os.path.relpath(path, folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def test_a_new_project_is_valid_and_plans_applies_and_is_empty_on_the_sandbox(place, box):
    started(place, "acme", *ALL[:4])
    project = place / "acme"
    assert run_in(project, dict(os.environ), "validate").out == "Valid: 3 objects in 2 files; 0 errors, 0 warnings.\n"
    file = project / "reconciler.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("http://127.0.0.1:8700", box.url), encoding="utf-8")
    variables = {**os.environ, **CREDENTIALS, "NO_COLOR": "1"}
    assert "Plan: 3 to create." in run_in(project, variables, "plan", "--env", "sandbox").out
    assert run_in(project, variables, "apply", "--env", "sandbox", "--yes").code == 0
    assert run_in(project, variables, "plan", "--env", "sandbox", "--detailed-exitcode").code == 0


def test_a_provider_of_another_package_is_left_to_the_project_file(place, monkeypatch):
    monkeypatch.setattr(init, "providers", lambda: {"tool-hire": None})
    done = started(place, "--connection", "tool-hire", code=64)
    command = re.search(r"`reconciler (explain \S+)`", done.err)
    assert run_in(place, dict(os.environ), *command[1].split()).code == 0


def test_it_names_what_it_wrote_and_what_to_run_next(place):
    done = started(place, "My Timetable!")
    assert "Wrote My Timetable!/reconciler.yaml" in done.err
    assert "reconciler plan --env sandbox" in done.err
    assert (
        yaml.safe_load((place / "My Timetable!" / "reconciler.yaml").read_text())["metadata"]["name"] == "my-timetable"
    )
    readme = (place / "My Timetable!" / "README.md").read_text(encoding="utf-8")
    assert "| `BB_USERNAME` | user of the sessions API | plan and drift read; apply also" in readme
    assert started(place, "quiet", "--quiet").err == ""


def test_an_editor_finds_a_schema_for_every_file_and_it_accepts_them(place):
    started(place, ".", *ALL)
    schemas = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (place / ".schemas").iterdir()}
    assert sorted(schemas) == ["manifest.schema.json", "project.schema.json"]
    files = [place / "reconciler.yaml", *(place / "manifests").glob("*.yaml")]
    assert len(files) == 4
    for file in files:
        line = file.read_text(encoding="utf-8").splitlines()[0]
        named = (file.parent / line.removeprefix("# yaml-language-server: $schema=")).resolve()
        assert named.parent == place / ".schemas"
        check = Draft7Validator(schemas[named.name])
        for document in yaml.load_all(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader):
            wrong = [error.message for error in check.iter_errors(typed(document))]
            assert wrong == []
            assert list(check.iter_errors({**document, "spec": {"nmae": 1}}))


def typed(value):
    """Give numbers back their type, which BaseLoader leaves as text; dates and times stay text, as for an editor."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return float(value) if re.fullmatch(r"\d+(\.\d+)?", value) else value


@pytest.mark.parametrize(
    ("remote", "forge", "state"),
    [
        ("git@github.com:acme/timetable.git", "github", "git+https://github.com/acme/timetable.git#reconciler-state"),
        ("https://github.com/acme/timetable", "github", "git+https://github.com/acme/timetable.git#reconciler-state"),
        (
            "ssh://git@gitlab.example.com:2222/a/b/c.git",
            "gitlab",
            "git+https://gitlab.example.com/a/b/c.git#reconciler-state",
        ),
        ("https://code.example.com/acme/timetable.git", "none", None),
        (None, "none", None),
    ],
)
def test_the_remote_tells_the_forge_and_where_the_state_is(place, remote, forge, state):
    git(place, "init", "-q", "-b", "trunk")
    if remote is not None:
        git(place, "remote", "add", "origin", remote)
    started(place, "sub", "--source", f"acme/reconciler@{COMMIT}")
    spec = yaml.safe_load((place / "sub" / "reconciler.yaml").read_text(encoding="utf-8"))["spec"]
    assert spec.get("state") == state
    workflows = place / "sub" / ".github" / "workflows"
    assert workflows.is_dir() is (forge == "github")
    assert (place / "sub" / ".gitlab-ci.yml").is_file() is (forge == "gitlab")
    assert run_in(place / "sub", dict(os.environ), "validate").code == 0
    if forge == "github":
        texts = "".join(path.read_text(encoding="utf-8") for path in workflows.iterdir())
        assert f"acme/reconciler/.github/workflows/plan.yml@{COMMIT}" in texts
        assert "branches: [trunk]" in texts
        assert "uses: OWNER" not in texts
        assert "`github.com" in (place / "sub" / "README.md").read_text(encoding="utf-8").replace(
            "uk.bookingbug.com ", ""
        )


def test_the_workflows_pass_the_linters_and_say_what_is_left_to_fill_in(place):
    started(place, ".", "--ci", "github", "--source", f"acme/reconciler@{COMMIT}")
    workflows = sorted(map(str, (place / ".github" / "workflows").iterdir()))
    assert [Path(path).name for path in workflows] == ["apply.yml", "drift.yml", "plan.yml"]
    bin_folder = Path(sys.executable).parent
    for command in (
        [str(bin_folder / "jactionlint"), "--shellcheck", str(bin_folder / "shellcheck"), *workflows],
        [str(bin_folder / "zizmor"), "--offline", "--quiet", *workflows],
    ):
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "replace `OWNER/reconciler`" not in (place / "README.md").read_text(encoding="utf-8")
    readme = (place / "README.md").read_text(encoding="utf-8")
    for words in ("RECONCILER_PLAN_KEY", "RECONCILER_HOSTS", "`plan` and `production`", "Set `state`"):
        assert words in readme


def test_without_a_source_the_readme_says_which_repository_to_name(place, monkeypatch):
    monkeypatch.setattr("reconciler.operations.init.own_source", lambda: None)
    started(place, ".", "--ci", "github")
    assert "replace `OWNER/reconciler`" in (place / "README.md").read_text(encoding="utf-8")


def test_the_installed_program_knows_the_commit_that_it_comes_from(place, monkeypatch):
    folder = place / "checkout"
    folder.mkdir()
    git(folder, "init", "-q")
    made = commit(folder)
    git(folder, "remote", "add", "origin", "https://github.com/acme/reconciler.git")

    class Distribution:
        def __init__(self, text):
            self.text = text

        def read_text(self, name):
            assert name == "direct_url.json"
            return self.text

    for stated, expected in (
        ({"url": folder.as_uri(), "dir_info": {"editable": True}}, ("github.com", "acme/reconciler", made)),
        (
            {"url": "https://github.com/o/r.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            ("github.com", "o/r", COMMIT),
        ),
        ({"url": "https://example.com/reconciler.whl", "archive_info": {}}, None),
        (None, None),
        ([], None),
    ):
        text = None if stated is None else json.dumps(stated)
        monkeypatch.setattr(init.metadata, "distribution", lambda _, text=text: Distribution(text))
        found = init.own_source()
        assert (found and (found.host, found.path, found.commit)) == expected
    monkeypatch.setattr(
        init.metadata,
        "distribution",
        lambda _: Distribution(json.dumps({"url": folder.as_uri(), "dir_info": {"editable": True}})),
    )
    tried = init.look_around(folder / "timetable")
    assert (tried.name, tried.forge, tried.state) == ("timetable", "none", None), "a project tried in its checkout"


def test_nothing_that_exists_is_overwritten_and_nothing_is_half_written(place):
    (place / "README.md").write_text("mine\n", encoding="utf-8")
    (place / ".gitignore").write_text("mine\n", encoding="utf-8")
    before = contents(place)
    done = started(place, ".", code=1)
    assert "README.md already exists with different content" in done.err
    assert ".gitignore already exists" in done.err
    assert "--keep" in done.err
    assert contents(place) == before
    started(place, ".", "--keep")
    assert contents(place)["README.md"] == b"mine\n"
    assert (place / "reconciler.yaml").is_file()
    again = contents(place)
    started(place, ".", "--keep")
    assert contents(place) == again


def test_settings_of_an_editor_that_exist_stay(place):
    (place / ".vscode").mkdir()
    (place / ".vscode" / "settings.json").write_text("{}\n", encoding="utf-8")
    started(place, ".")
    assert contents(place)[".vscode/settings.json"] == b"{}\n"
    assert (place / ".schemas" / "manifest.schema.json").is_file()


def test_a_folder_that_cannot_be_written_is_left_as_it_was(place, monkeypatch):
    written = []

    def fail(path, content):
        if len(written) == 5:
            raise OSError(28, "No space left on device", str(path))
        written.append(path)
        path.write_bytes(content)

    monkeypatch.setattr(init, "write_whole", fail)
    done = started(place, "new/project", code=1)
    assert "No space left on device; nothing was written" in done.err
    assert contents(place) == {}
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--connection", "bookingbug"), "unknown provider"),
        (("--connection", "checkfront=http://shop.example.com"), "uses http"),
        (("--connection", "checkfront=https://u:hunter2@shop.example.com"), "contains credentials"),
        (("--name", "No Good"), "expected at most 63 lowercase letters"),
        (("--source", "acme/reconciler@main"), "is not OWNER/REPOSITORY@COMMIT"),
        (("--ci", "jenkins"), "'jenkins' is not one of"),
    ],
)
def test_an_option_that_cannot_be_is_refused_before_anything_is_written(place, arguments, words):
    done = started(place, "new", *arguments, code=64)
    assert words in done.err
    assert list(place.iterdir()) == []


def test_a_hostile_folder_and_remote_give_a_plain_project(place):
    git(place, "init", "-q", "-b", "x")
    config = place / ".git" / "config"
    hostile = 'https://github.com/a"b/`id`.git'
    config.write_text(f'[remote "origin"]\n\turl = {hostile}\n[core]\n\tfsmonitor = touch ran\n', encoding="utf-8")
    (place / ".git" / "HEAD").write_text("ref: refs/heads/a]; rm -rf $(x)\n", encoding="utf-8")
    folder = "{x: y}\n--- kind"
    started(place, folder, "--ci", "github")
    document = yaml.safe_load((place / folder / "reconciler.yaml").read_text(encoding="utf-8"))
    assert document["metadata"]["name"] == "x-y-kind"
    assert "state" not in document["spec"]
    assert "rm -rf" not in "".join(path.read_text() for path in (place / folder / ".github" / "workflows").iterdir())
    assert not (place / "ran").exists()


def test_live_objects_become_the_manifests_and_adopting_them_changes_nothing(place, box):
    box.reset()
    variables = {**os.environ, **CREDENTIALS, "NO_COLOR": "1"}
    url = box.url
    first = place / "first"
    started(place, "first", "--connection", f"bookingbug-sessions={url}", "--connection", f"bookingbug-admin={url}")
    assert run_in(first, variables, "apply", "--yes").code == 0
    shutil.rmtree(first)
    box.clear_log()
    arguments = ["init", "live", "--from-live", "--connection", f"bookingbug-sessions={url}"]
    done = run_in(place, variables, *arguments, "--connection", f"bookingbug-admin={url}")
    assert done.code == 0, done
    assert "reconciler adopt --all" in done.err
    assert {item.method for item in box.log()} == {"GET"}
    live = place / "live"
    assert "To manage these objects from now on" in (live / "README.md").read_text(encoding="utf-8")
    manifest = next((live / "manifests").rglob("first-class.yaml")).read_text(encoding="utf-8")
    assert manifest.startswith("# yaml-language-server: $schema=../../.schemas/manifest.schema.json\n")
    assert " 0 written, 3 unchanged." in run_in(live, variables, "export", "--out", "manifests").err
    assert run_in(live, variables, "adopt", "--all").code == 0
    assert run_in(live, variables, "plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_a_part_of_the_live_objects_is_no_success(place, box, quiet):
    box.reset()
    box.add_resource({"name": "Hall"})
    arguments = [
        "init",
        "live",
        "--from-live",
        *(f"--connection=bookingbug-{kind}={box.url}" for kind in ("sessions", "admin")),
    ]
    done = run_in(place, {**os.environ, **CREDENTIALS, "BB_PASSWORD": "wrong", "NO_COLOR": "1"}, *arguments, *quiet)
    assert done.code == 1, done
    assert "connection sessions could not be read" in done.err
    assert "Some live objects could not be read" in done.err.splitlines()[-1]
    assert (place / "live" / "manifests" / "resources" / "hall.yaml").is_file()


def test_live_objects_that_cannot_be_read_leave_nothing_behind(place, box):
    box.reset()
    for variables, words in (
        ({}, "environment variable BB_USERNAME"),
        (CREDENTIALS, "nothing could be exported"),
    ):
        environ = {name: value for name, value in os.environ.items() if not name.startswith("BB_")}
        arguments = ["init", "live", "--from-live", "--connection", f"bookingbug-sessions={box.url}"]
        done = run_in(place, {**environ, **variables, "NO_COLOR": "1"}, *arguments)
        assert (done.code, words in done.err) == (1, True), done
        assert list(place.iterdir()) == []
