"""The hooks for pre-commit: those of this repository, and those that `init` writes, which pre-commit runs."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from desk import run_in
from repository import commit, git

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / ".pre-commit-hooks.yaml"


@pytest.fixture
def project(tmp_path):
    assert run_in(tmp_path, dict(os.environ), "init", "--quiet").code == 0
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def pre_commit(folder, *arguments):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "PRE_COMMIT_HOME": str(folder / ".cache")}
    command = [sys.executable, "-m", "pre_commit", *arguments]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_pre_commit_accepts_the_hooks_of_this_repository(tmp_path):
    assert pre_commit(tmp_path, "validate-manifest", str(HOOKS)) == (0, "")


def test_each_hook_runs_a_command_that_works_in_a_project(project):
    hooks = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks] == ["reconciler-validate", "reconciler-fmt"]
    for hook in hooks:
        program, *arguments = shlex.split(hook["entry"])
        assert program == "reconciler"
        assert run_in(project, dict(os.environ), *arguments).code == 0


@pytest.mark.slow
def test_a_commit_in_a_new_project_is_formatted_and_checked(project):
    code, said = pre_commit(project, "run", "--all-files")
    assert (code, said.count("Passed")) == (0, 2), said
    file = project / "manifests" / "classes.yaml"
    right = file.read_text(encoding="utf-8")
    file.write_text(right.replace("group: Classes", "group: 'Classes'").replace("18:00", "28:00"), encoding="utf-8")
    code, said = pre_commit(project, "run", "--all-files")
    assert code == 1
    assert "files were modified by this hook" in said
    assert "the hour 28 does not exist" in said
    assert file.read_text(encoding="utf-8") == right.replace("18:00", "28:00")
