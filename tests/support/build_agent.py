"""A build agent for tests: runs the steps of a workflow file with bash, as it is shipped and never as a copy.

A workflow that calls a reusable one is followed there, with the inputs, secrets and permissions that it hands over. The
expressions of both are evaluated. Actions of others are emulated: checkout, upload-artifact and download-artifact. Of
the action of this repository, only the installation is left out: the tests use the reconciler of their own environment.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
CALLED = re.compile(r"OWNER/reconciler/(\.github/workflows/\w+\.yml)@[0-9a-f]{40}")

_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
_CONTEXT = re.compile(r"'[^']*'|\b(?:github|inputs|secrets|vars|steps|needs|job|runner)(?:\.[\w-]+)+")

Checkout = Callable[[Mapping[str, Any], Path], None]
"""Puts the files that the inputs of actions/checkout ask for into a folder."""


class Listener:
    """Another host: it keeps all that anything sends to it."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                self.received.append(b"a connection")
                try:
                    self.received.append(connection.recv(65536))
                except OSError:
                    continue

    def close(self) -> None:
        self._socket.close()


def evaluated(expression: str, contexts: Mapping[str, Any], failed: bool = False) -> Any:
    """Return the value of an expression of a workflow, from what its contexts hold."""

    def name(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith("'") else f"found({match[0]!r})"

    def found(path: str) -> Any:
        value: Any = contexts
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return "" if value is None else value

    text = _EXPRESSION.sub(lambda match: match[1], expression) if "${{" in expression else expression
    text = _CONTEXT.sub(name, text).replace("&&", " and ").replace("||", " or ")
    text = re.sub(r"!(?!=)", " not ", text)
    status = {"always": lambda: True, "failure": lambda: failed, "success": lambda: not failed, "found": found}
    return eval(text.strip(), {"__builtins__": {}, "true": True, "false": False}, status)


@dataclass
class Agent:
    """Runs jobs in a workspace, beside a home folder and the files that steps write to."""

    workflow: Path
    """The file of a user, which calls a reusable workflow, or one with steps."""
    folder: Path
    checkout: Checkout
    secrets: Mapping[str, str]
    variables: Mapping[str, str]
    github: Mapping[str, Any] = field(default_factory=dict)
    """The context `github` of the run."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """What a person gave to a run that was started by hand."""
    inherited: Mapping[str, str] = field(default_factory=dict)
    """What the agent itself has in its environment."""
    without: frozenset[str] = frozenset()
    """Variables of the workflow to leave out, to see what remains without them."""
    replaced: Mapping[str, str] = field(default_factory=dict)
    """Variables whose value the test gives."""
    printed: str = ""
    """All that the steps wrote to the log."""
    environments: list[dict[str, str]] = field(default_factory=list)
    """The environment of each step that ran."""
    ran: list[str] = field(default_factory=list)
    """The jobs that ran: the others were skipped by their own condition."""
    uploaded: Callable[[str, Path], None] | None = None
    """Is given the name and file of each artifact."""

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def run(self, job: str | None = None) -> int:
        """Run a job, or all of them, and return the exit code of the first step that failed, or 0."""
        stated = yaml.safe_load(self.workflow.read_text(encoding="utf-8"))
        codes = []
        for caller in stated["jobs"].values():
            called = CALLED.fullmatch(caller.get("uses", "")) if "uses" in caller else None
            if "if" in caller and not evaluated(caller["if"], self._contexts()):
                continue
            if called is None:
                codes.append(self._workflow(stated, job, dict(self.inputs), self.secrets))
                break
            below = yaml.safe_load((ROOT / called[1]).read_text(encoding="utf-8"))
            codes.append(self._workflow(below, job, *self._handed_over(caller, below)))
        return next((code for code in codes if code), 0)

    def _handed_over(
        self, caller: Mapping[str, Any], below: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the inputs and secrets of the called workflow; AssertionError where GitHub would refuse the call."""
        interface = below[True]["workflow_call"]  # YAML 1.1 reads the key `on` as true
        given = {name: self._value(value, self._contexts()) for name, value in caller.get("with", {}).items()}
        assert set(given) <= set(interface["inputs"])
        passed = {name: self._value(value, self._contexts()) for name, value in caller.get("secrets", {}).items()}
        assert set(passed) <= set(interface["secrets"])
        assert {name for name, about in interface["secrets"].items() if about["required"]} <= set(passed)
        for about in below["jobs"].values():
            for scope, right in about["permissions"].items():
                assert {"read": 1, "write": 2}[right] <= {"write": 2, "read": 1}.get(
                    caller["permissions"].get(scope), 0
                )
        return {**{name: about.get("default", "") for name, about in interface["inputs"].items()}, **given}, passed

    def _workflow(
        self, stated: Mapping[str, Any], only: str | None, inputs: dict[str, Any], secrets: Mapping[str, str]
    ) -> int:
        ended: dict[str, int] = {}
        for name, job in stated["jobs"].items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            contexts = self._contexts(inputs, secrets)
            if only not in {None, name} or any(ended.get(need) != 0 for need in needs):
                continue
            if "if" in job and not evaluated(str(job["if"]), contexts):
                continue
            self.ran.append(name)
            ended[name] = self._job(job, {**contexts, "steps": {}}, stated.get("env", {}))
        return next((code for code in ended.values() if code), 0)

    def _job(self, job: Mapping[str, Any], contexts: dict[str, Any], common: Mapping[str, str]) -> int:
        shutil.rmtree(self.workspace, ignore_errors=True)
        shutil.rmtree(self.folder / "temp", ignore_errors=True)
        for name in ("workspace", "temp", "home", "artifacts"):
            (self.folder / name).mkdir(exist_ok=True)
        failed = 0
        for step in job["steps"]:
            condition = str(step.get("if", "success()"))
            called = any(word in condition for word in ("always()", "failure()", "success()"))
            if (failed and not called) or not evaluated(condition, contexts, failed=bool(failed)):
                continue
            code = self._script(step, common, contexts) if "run" in step else self._action(step, contexts)
            failed = failed or code
        return failed

    def _contexts(
        self, inputs: Mapping[str, Any] | None = None, secrets: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        return {
            "github": self.github,
            "inputs": self.inputs if inputs is None else inputs,
            "secrets": self.secrets if secrets is None else secrets,
            "vars": self.variables,
        }

    def written(self) -> str:
        """Return all that left the job: its log, and the files that it wrote."""
        files = [*self.workspace.glob("*.*"), *(self.folder / "artifacts").iterdir(), *self._outputs().values()]
        texts = [path.read_text(encoding="utf-8") for path in files if path.is_file()]
        return "\n".join([self.printed, *texts])

    def steered(self) -> str:
        """Return what later steps would be steered by, without the exit code that the step of the plan hands on."""
        files = (path for name, path in self._outputs().items() if name != "GITHUB_STEP_SUMMARY")
        text = "".join(path.read_text(encoding="utf-8") for path in files if path.exists())
        return re.sub(r"^code=\d+\n", "", text, flags=re.MULTILINE)

    def _outputs(self) -> dict[str, Path]:
        names = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
        return {name: self.folder / "temp" / name for name in names}

    def _action(self, step: Mapping[str, Any], contexts: Mapping[str, Any]) -> int:
        action = step["uses"].partition("@")[0]
        given = {name: self._value(value, contexts) for name, value in step.get("with", {}).items()}
        if action == "actions/checkout":
            self.checkout(given, self.workspace / given["path"])
        elif action == "actions/upload-artifact":
            shutil.copy(self.workspace / given["path"], self.folder / "artifacts")
            if self.uploaded is not None:
                self.uploaded(given["name"], self.workspace / given["path"])
        elif action == "actions/download-artifact":
            shutil.copytree(self.folder / "artifacts", self.workspace, dirs_exist_ok=True)
        elif action.startswith("$/"):
            steps = yaml.safe_load((ROOT / action[2:] / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
            assert [item["name"] for item in steps] == ["Install reconciler"]
        else:
            raise AssertionError(action)
        return 0

    def _script(self, step: Mapping[str, Any], common: Mapping[str, str], contexts: dict[str, Any]) -> int:
        assert "${{" not in step["run"], "text of others must not become part of a script"
        stated = {**common, **step.get("env", {})}
        outputs = self._outputs()
        outputs["GITHUB_OUTPUT"].write_text("")
        environment = {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "RUNNER_TEMP": str(self.folder / "temp"),
            **{name: str(path) for name, path in outputs.items()},
            **self.inherited,
            **{name: self._value(text, contexts) for name, text in stated.items() if name not in self.without},
            **self.replaced,
        }
        self.environments.append({name: str(value) for name, value in environment.items()})
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=self.workspace,
            env=self.environments[-1],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        self.printed += done.stdout
        if "id" in step:
            lines = outputs["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines()
            contexts["steps"][step["id"]] = {"outputs": dict(line.split("=", 1) for line in lines)}
        return done.returncode

    def _value(self, text: Any, contexts: Mapping[str, Any]) -> Any:
        """Return a value of the file; an expression that is all of it keeps its type."""
        if not isinstance(text, str):
            return text
        if whole := _EXPRESSION.fullmatch(text):
            return evaluated(whole[1], contexts)
        return _EXPRESSION.sub(lambda match: str(evaluated(match[1], contexts)), text)
