"""A front desk for end-to-end tests: a project folder, a sandbox, and the installed command between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.engine import intents
from reconciler.sandbox import Fault, Options, Sandbox
from reconciler.testing.bench import Done, run_in

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: acme}}
spec:
  manifests: [manifests]
  connections:
    sessions:
      provider: bookingbug-sessions
      base_url: {url}
      auth: {{username: {{env: BB_USERNAME}}, password: {{env: BB_PASSWORD}}}}
      settle_after: 0
    admin:
      provider: bookingbug-admin
      base_url: {url}
      company_id: 37004
      auth: {{app_id: {{env: BB_APP_ID}}, app_key: {{env: BB_APP_KEY}}, auth_token: {{env: BB_TOKEN}}}}
      settle_after: 0
"""

CREDENTIALS = {
    "BB_USERNAME": Options().username,
    "BB_PASSWORD": Options().password,
    "BB_APP_ID": Options().app_id,
    "BB_APP_KEY": Options().app_key,
    "BB_TOKEN": Options().auth_token,
}

SLOTS = [("2027-03-01", "11:00", 60), ("2027-03-08", "11:00", 60), ("2027-03-15", "9:30", 90)]

COMMAND = [sys.executable, "-P", "-W", "error", "-m", "reconciler"]


def until(condition: Callable[[], Any], process: subprocess.Popen[str] | None = None) -> None:
    """Wait for what the server or a process in the background brings about; the process must not end before."""
    deadline = time.monotonic() + 100
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def interrupt(process: subprocess.Popen[str], number: int) -> None:
    """Send a signal to a run that writes, and return when it has understood."""
    process.send_signal(number)
    assert process.stderr is not None
    assert any(line.startswith("Stopping: ") for line in process.stderr)


def _checked(done: Done, code: int | None) -> Done:
    """Refuse what no command may end with, and any other exit code than the expected one."""
    assert "Traceback" not in done.out + done.err, done
    assert "internal error" not in done.out + done.err, done
    assert code in {None, done.code}, done
    return done


class Desk:
    """A project folder beside a sandbox; `run` is what a user would type."""

    def __init__(self, folder: Path, box: Sandbox) -> None:
        self.folder = folder
        self.box = box
        self.env = {**os.environ, **CREDENTIALS, "NO_COLOR": "1"}
        (folder / "manifests").mkdir(exist_ok=True)
        self.project(PROJECT.format(url=box.url))

    def project(self, text: str) -> None:
        (self.folder / "reconciler.yaml").write_text(text, encoding="utf-8")

    def manifest(self, name: str, text: str) -> Path:
        path = self.folder / "manifests" / name
        path.write_text(text, encoding="utf-8")
        return path

    def session(self, address: str = "yoga", /, slots: Any = SLOTS, **fields: Any) -> None:
        """Declare one session with custom slots; keyword arguments replace or add fields."""
        spec = {"name": "Yoga", "type": "course", "group": "Body & Mind", "repeat": "custom", "price": 35, **fields}
        if slots is not None:
            spec["slots"] = [{"date": day, "time": time, "duration": length} for day, time, length in slots]
        self.declare("Session", address, spec)

    def declare(self, kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> None:
        document = {
            "apiVersion": "reconciler/v1",
            "kind": kind,
            "metadata": {"name": name, **metadata},
            "spec": {key: value for key, value in spec.items() if value is not None},
        }
        self.manifest(f"{kind.lower()}-{name}.json", json.dumps(document, indent=2))

    def forget(self, kind: str, name: str) -> None:
        (self.folder / "manifests" / f"{kind.lower()}-{name}.json").unlink()

    def run(self, *arguments: str, code: int | None = None, **env: str) -> Done:
        """Run the command line in this process, with the same words and exit code as the command; assert its code."""
        assert not any(name.startswith("PYTHON") for name in env), "an interpreter reads these as it starts: process()"
        return _checked(run_in(self.folder, {**self.env, **env}, *arguments), code)

    def process(self, *arguments: str, code: int | None = None, **env: str) -> Done:
        """Run the command as a user does, where streams, encodings or the interpreter itself are the point."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return _checked(Done(done.returncode, done.stdout, done.stderr), code)

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start the command and return at once; the caller reads what it says to the end."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.env,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def hold(self, method: str = "POST", *, after: int = 0) -> None:
        """Let calls wait at the server until the faults are cleared, all but the first `after`."""
        self.box.fault(Fault(kind="hold", match_method=method, after=after, times=None, seconds=25))

    def released_while_waiting(self, monkeypatch: pytest.MonkeyPatch, ended: Callable[[], Any]) -> list[float]:
        """Let runs in this process wait for open calls until the server has ended those it holds, however fast it is.

        Returns a list of the seconds that they would have waited.
        """
        waited = []

        def wait(seconds: float) -> None:
            self.box.clear_faults()
            until(ended)
            waited.append(seconds)

        monkeypatch.setattr(intents, "time", SimpleNamespace(sleep=wait, monotonic=time.monotonic, time=time.time))
        return waited

    def asked(self, method: str = "POST") -> int:
        """Return how many calls of a method have come."""
        return sum(item.method == method for item in self.box.log())

    def calls(self) -> list[str]:
        """Return what the sandbox was asked since the last look, without reads."""
        found = [f"{item.method} {item.path}" for item in self.box.log() if item.method != "GET"]
        self.box.clear_log()
        return found

    def settled(self) -> None:
        """Assert rule 1 of the contract: after an apply that ended 0, the next plan is empty."""
        plan = self.run("plan", "--detailed-exitcode", "--format", "json", code=0).json
        assert {name: count for name, count in plan["summary"].items() if count and name != "noop"} == {}
