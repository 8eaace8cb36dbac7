"""A project with one connection, in which the contract suite runs commands."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Generic
from unittest.mock import patch
from urllib.parse import urlsplit

from msgspec import Struct

from reconciler.cli.main import run
from reconciler.testing.declaration import Box, Declaration

ALL_ALLOWED = ("--yes", "--allow-empty", "--allow-booked", "*")
"""The options of an apply that no guard stops."""


class Done(Struct, frozen=True):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON data."""
        return json.loads(self.out)


def run_in(folder: Path, variables: Mapping[str, str], *arguments: str, screen: io.StringIO | None = None) -> Done:
    """Run a command line in this process, in a folder and with exactly these environment variables.

    A `screen` is what both streams write to.
    """
    out, err = screen or io.StringIO(), screen or io.StringIO()
    with (
        contextlib.chdir(folder),
        patch.dict(os.environ, variables, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        ended = run(list(arguments))
    return Done(ended, out.getvalue(), err.getvalue())


def expect(condition: object, message: str, done: Done | None = None) -> None:
    """Raise AssertionError with a message, and the output of a command, unless the condition holds."""
    if not condition:
        raise AssertionError(message if done is None else f"{message}\n{done.out}{done.err}")


class Bench(Generic[Box]):
    """A project with a connection `main` to an emulator; if another emulator is given, `other` leads there."""

    def __init__(self, folder: Path, declaration: Declaration[Box], box: Box, other: Box | None = None) -> None:
        self.folder, self.declaration, self.box, self.other = folder, declaration, box, other
        self.connection = "main"
        self.foreign: list[Any] = []
        (folder / "manifests").mkdir(parents=True, exist_ok=True)
        # Another host name is another target, although it is the same machine.
        urls = {"main": box.url} | ({} if other is None else {"other": other.url.replace("127.0.0.1", "localhost")})
        variables = {name: f"CONTRACT_{name}".upper() for name in declaration.auth}
        self.env = {variables[name]: value for name, value in declaration.auth.items()}
        self.env["RECONCILER_TRUST_HOSTS"] = " ".join(urlsplit(url).netloc for url in urls.values())
        auth = {"auth": {name: {"env": variable} for name, variable in variables.items()}} if variables else {}
        settings = {"provider": declaration.provider, "settle_after": 0, **auth, **declaration.settings}
        project = {
            "apiVersion": "reconciler/v1",
            "kind": "Project",
            "metadata": {"name": "contract"},
            "spec": {
                "manifests": ["manifests"],
                "policy": {"max_deletes": 1000, "max_change_percent": 100},
                "connections": {name: {**settings, "base_url": url} for name, url in urls.items()},
            },
        }
        (folder / "reconciler.yaml").write_text(json.dumps(project), encoding="utf-8")

    def run(self, *arguments: str, code: int | Collection[int] | None = None) -> Done:
        """Run a command in this process; `code` is the exit code that it must have, or several."""
        direct = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1")
        done = run_in(self.folder, {**os.environ, **self.env, "NO_COLOR": "1", **direct}, *arguments)
        command = f"reconciler {' '.join(arguments)}"
        expect("internal error" not in done.out + done.err, f"{command}: internal error", done)
        wanted = {code} if isinstance(code, int) else None if code is None else set(code)
        expect(wanted is None or done.code in wanted, f"{command}: exit code {done.code}; expected {wanted}", done)
        return done

    def declare(self, step: int = 0) -> None:
        """Write every sample's manifest after its first `step` edits."""
        for sample in self.declaration.samples:
            document = {
                "apiVersion": "reconciler/v1",
                "kind": sample.kind,
                "metadata": {"name": sample.name, "connection": self.connection},
                "spec": sample.after(step),
            }
            path = self.folder / "manifests" / f"{sample.kind}-{sample.name}.json"
            path.write_text(json.dumps(document), encoding="utf-8")

    def check(self, step: int) -> None:
        """Prove that the emulator has what the samples declare after `step` edits."""
        self.declaration.check(self.box, [sample.after(step) for sample in self.declaration.samples])

    def undeclare(self) -> None:
        """Remove every manifest."""
        shutil.rmtree(self.folder / "manifests")
        (self.folder / "manifests").mkdir()

    def forget_all(self) -> None:
        """Lose the state."""
        shutil.rmtree(self.folder / ".reconciler")

    def adopt(self) -> int:
        """Adopt everything that is declared and live, and return how many objects are then managed."""
        self.run("adopt", "--all", code=0)
        return len(self.run("state", "list", "--format", "json", code=0).json["objects"])

    def plan(self) -> dict[str, int]:
        """Return the counts of a plan without zeros."""
        summary = self.run("plan", "--format", "json", "--detailed-exitcode", code=(0, 2, 4)).json["summary"]
        return {name: count for name, count in summary.items() if count}

    def apply(self, *actions: str) -> set[str]:
        """Apply, prove that it converged, and return the actions of the report, which must be `actions` if given."""
        done = self.run("apply", *ALL_ALLOWED, "--format", "json", code=0)
        self.settled()
        found = {item["action"] for item in done.json["outcomes"]} - {"noop"}
        expect(not actions or found == set(actions), f"apply: actions {sorted(found)}; expected {actions}", done)
        return found

    def settled(self) -> None:
        """Prove that nothing is left to do: the next plan is empty, and reads only."""
        self.box.clear_log()
        empty = set(self.plan()) <= {"noop"}
        expect(empty, "the plan after the apply is not empty", None if empty else self.run("plan"))
        written = self.written()
        expect(not written, f"the plan sent writing calls: {written}")

    def written(self) -> list[str]:
        """Return the writing calls since the log was cleared, without logins."""
        calls = [f"{item.method} {item.path}" for item in self.box.log() if item.method != "GET"]
        return [call for call in calls if call != f"POST {self.declaration.login_path}"]

    def copy(self, folder: Path) -> Bench[Box]:
        """Return another project of the same name with the manifests and the state that this one has now."""
        shutil.copytree(self.folder, folder)
        return Bench(folder, self.declaration, self.box)

    def plant(self) -> None:
        """Make the objects of someone else."""
        self.declaration.foreign(self.box)
        self.foreign = self.declaration.live(self.box)

    def live(self, count: int) -> list[Any]:
        """Return the live objects of this project; prove their number, and that those of others are unchanged."""
        found = self.declaration.live(self.box)
        changed = [item for item in self.foreign if item not in found]
        expect(not changed, f"objects of someone else were changed or deleted: {changed}")
        own = [item for item in found if item not in self.foreign]
        expect(len(own) == count, f"{len(own)} live objects; expected {count}: {own}")
        return own
