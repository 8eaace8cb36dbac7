"""What the contract suite of the providers is made of: a provider's declaration, and a project to try it with."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from combinations import all_pairs

from reconciler.cli.main import run
from reconciler.sandbox import Options, Sandbox

Spec = Mapping[str, Any]
Form = Mapping[str, str | int]
"""The switches of the sandbox that differ from their defaults."""

EVERYWHERE = ("delete_answer", "delete_body", "delete_again", "strict")
"""Switches that concern every provider."""

CLOSED = Options.choices()


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One object: its spec, and edits that follow each other. An edit replaces fields; None removes one."""

    kind: str
    name: str
    spec: Spec
    edits: tuple[Spec, ...] = ()

    def after(self, step: int) -> dict[str, Any]:
        """Return the spec after so many edits."""
        merged = dict(self.spec)
        for edit in self.edits[:step]:
            merged |= edit
        return {name: value for name, value in merged.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What a provider states to take part in the suite."""

    auth: Mapping[str, str]
    """The sandbox option that holds each credential."""
    samples: tuple[Sample, ...]
    live: Callable[[Sandbox], list[Any]]
    """The live objects in the sandbox's own words: without doubles, and without what was deleted."""
    foreign: Callable[[Sandbox], object]
    """Makes objects of somebody else, which no run may touch."""
    check: Callable[[Sandbox, list[Spec]], None] = lambda *_: None
    """Asserts that the sandbox has what these specs state, where reading it back through the provider proves less."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The provider's own connection settings."""
    switches: tuple[str, ...] = ()
    """The switches of the sandbox with a closed list of values that concern this provider."""
    numbers: tuple[tuple[str, str | int], ...] = ()
    """Values of other switches that concern it."""
    possible: Callable[[Form], bool] = lambda _: True
    """Whether a client can do all of this under a form, or the beginning of one."""
    answers_all: Form | None = None
    """The form under which every field is answered, so that every write is verified."""
    window: tuple[str, ...] = ()
    """Options of `export` that the samples need to be found."""
    can_replace: bool = True
    """Whether an object can be deleted and created again elsewhere."""
    listed: bool = True
    """Whether live objects can be found without their ids."""

    @property
    def steps(self) -> int:
        """Return the number of edits of the sample with the most."""
        return max(len(sample.edits) for sample in self.samples)

    def forms(self) -> Iterator[Form]:
        """Yield every form with one switch changed."""
        for name in (*self.switches, *EVERYWHERE):
            yield from ({name: value} for value in CLOSED[name][1:])
        yield from ({name: value} for name, value in self.numbers)

    def pairs(self) -> list[Form]:
        """Return forms in which every two values of two switches occur together."""
        choices = {name: CLOSED[name] for name in (*self.switches, *EVERYWHERE)}
        for name, value in self.numbers:
            choices[name] = (*choices.get(name, (getattr(Options(), name),)), value)
        return all_pairs(choices, possible=self.possible)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Bench:
    """A project with one connection, `main`, of one provider; where another sandbox is given, `other` leads there."""

    def __init__(
        self, folder: Path, box: Sandbox, provider: str, declaration: Declaration, other: Sandbox | None = None
    ) -> None:
        self.folder, self.box, self.provider, self.declaration = folder, box, provider, declaration
        self.connection = "main"
        self.foreign: list[Any] = []
        (folder / "manifests").mkdir(parents=True, exist_ok=True)
        # Another host name is another target, although it is the same machine.
        urls = {"main": box.url} | ({} if other is None else {"other": other.url.replace("127.0.0.1", "localhost")})
        credentials = {name: {"env": f"CONTRACT_{name}".upper()} for name in declaration.auth}
        self.env = {f"CONTRACT_{name}".upper(): getattr(Options(), option) for name, option in declaration.auth.items()}
        self.env["RECONCILER_TRUST_HOSTS"] = " ".join(urlsplit(url).netloc for url in urls.values())
        settings = {"provider": provider, "auth": credentials, **declaration.settings}
        project = {
            "apiVersion": "reconciler/v1",
            "kind": "Project",
            "metadata": {"name": "contract"},
            "spec": {
                "manifests": ["manifests"],
                "policy": {"max_deletes": 1000, "max_change_percent": 100},
                "connections": {name: {**settings, "base_url": url, "settle_after": 0} for name, url in urls.items()},
            },
        }
        (folder / "reconciler.yaml").write_text(json.dumps(project), encoding="utf-8")

    def run(self, *arguments: str, code: int | Iterable[int] | None = None) -> Done:
        """Run a command in this process; `code` is what it must end with."""
        out, err = io.StringIO(), io.StringIO()
        before, here = dict(os.environ), Path.cwd()
        try:
            os.environ.update(self.env, NO_COLOR="1")
            os.chdir(self.folder)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                ended = run(list(arguments))
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ.update(before)
        done = Done(ended, out.getvalue(), err.getvalue())
        assert "internal error" not in done.out + done.err, done
        wanted = {code} if isinstance(code, int) else None if code is None else set(code)
        assert wanted is None or done.code in wanted, done
        return done

    def declare(self, step: int = 0) -> None:
        """Write every sample's manifest as it is after so many edits."""
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
        """Prove that the sandbox has what is declared after so many edits."""
        self.declaration.check(self.box, [sample.after(step) for sample in self.declaration.samples])

    def undeclare(self) -> None:
        """Remove every manifest."""
        shutil.rmtree(self.folder / "manifests")
        (self.folder / "manifests").mkdir()

    def forget_all(self) -> None:
        """Lose the state."""
        shutil.rmtree(self.folder / ".reconciler")

    def adopt(self) -> int:
        """Adopt all that is declared and live, and return how many objects are managed then."""
        self.run("adopt", "--all", code=0)
        return len(self.run("state", "list", "--format", "json", code=0).json["objects"])

    def plan(self) -> dict[str, int]:
        """Return the counts of a plan without zeros."""
        summary = self.run("plan", "--format", "json", "--detailed-exitcode", code=(0, 2, 4)).json["summary"]
        return {name: count for name, count in summary.items() if count}

    def apply(self) -> set[str]:
        """Apply, prove that it converged, and return the actions that were taken."""
        flags = ("--yes", "--allow-empty", "--allow-booked", "*")
        report = self.run("apply", *flags, "--format", "json", code=0).json
        self.settled()
        return {item["action"] for item in report["outcomes"]} - {"noop"}

    def settled(self) -> None:
        """Prove that nothing is left to do: the next plan is empty, and reads only."""
        self.box.clear_log()
        assert set(self.plan()) <= {"noop"}, self.run("plan").out
        assert self.written() == []

    def written(self) -> list[str]:
        """Return the writing calls since the log was cleared; a login is none."""
        calls = [f"{item.method} {item.path}" for item in self.box.log() if item.method != "GET"]
        return [call for call in calls if "/login/" not in call]

    def copy(self, folder: Path) -> Bench:
        """Return another project of the same name with the manifests and the state that this one has now."""
        shutil.copytree(self.folder, folder)
        return Bench(folder, self.box, self.provider, self.declaration)

    def plant(self) -> None:
        """Make what belongs to somebody else."""
        self.declaration.foreign(self.box)
        self.foreign = self.declaration.live(self.box)

    def live(self) -> list[Any]:
        """Return what is live beside what belongs to somebody else, which must be as it was made."""
        found = self.declaration.live(self.box)
        assert all(item in found for item in self.foreign)
        return [item for item in found if item not in self.foreign]
