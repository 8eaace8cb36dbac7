"""What each command costs with 1,000, 10,000 and 100,000 objects, and how that grows.

    python tests/benchmarks/scale.py [--sizes 1000,10000,100000] [--form files|flat|giant] [--checkout PATH] [GLOB…]

runs the commands whose name matches a GLOB as processes of their own, against a server without storage and without
latency (`scale_server.py`), and prints wall time, CPU time, peak memory and requests. `growth` is the CPU time of one
size over that of the size before: 10 is linear for ten times as many objects.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from scale_town import CREDENTIALS, Town, recorded, write

HERE = Path(__file__).parent
LIMIT = 900.0
"""Seconds after which a command is ended."""

ADOPT = "adopt --all"
BLOCKS_UNTIL = ("--from", "2027-03-01", "--until", "2028-02-01")


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and what is done before it."""

    name: str
    arguments: Sequence[str]
    codes: Sequence[int] = (0,)
    changed: float | None = None
    """The part of all objects whose manifests are changed first; None: the files stay."""
    since: bool = False
    """Whether the manifests are committed before the change."""
    empty: bool = False
    """Whether nothing is live."""


STEPS = (
    Step("validate", ["validate"]),
    Step("validate again", ["validate"]),
    Step("fmt --check", ["fmt", "--check"], (0, 1)),
    Step("plan of twins", ["plan"], (0, 2)),
    Step(ADOPT, ["adopt", "--all"]),
    Step("plan", ["plan"]),
    Step("plan, json", ["plan", "--format", "json"]),
    Step("plan --target", ["plan", "--target", "Session/class-000001"]),
    Step("drift", ["drift"], (0, 2)),
    Step("why --offline", ["why", "Session/class-000005", "--offline"]),
    Step("state list", ["state", "list"]),
    Step("state show", ["state", "show", "Session/class-000005"]),
    Step("state mv", ["state", "mv", "Session/class-000005", "Session/moved"]),
    Step("state mv back", ["state", "mv", "Session/moved", "Session/class-000005"]),
    Step("export --out", ["export", "--out", "../exported", *BLOCKS_UNTIL]),
    Step("plan, 1 % changed", ["plan", "--out", "../changed.plan"], (0, 2), changed=0.01),
    Step("plan --changed-since", ["plan", "--changed-since", "HEAD"], (0, 2), since=True),
    Step("apply, 1 % changed", ["apply", "--yes"]),
    Step("plan of creates", ["plan", "--env", "prod", "--out", "../creates.plan"], (0, 2), empty=True),
    Step("show, text", ["show", "../creates.plan"]),
    Step("show, json", ["show", "../creates.plan", "--format", "json"]),
    Step("show, markdown", ["show", "../creates.plan", "--format", "markdown"]),
    Step("show, html", ["show", "../creates.plan", "--format", "html"]),
    Step("destroy plan", ["destroy", "--format", "json"], (0, 1, 2, 4)),
    Step("state rm", ["state", "rm", "Session/class-00000*"]),
    Step("state restore", ["state", "restore", "BACKUP"]),
    Step("state rm all", ["state", "rm", "*"]),
    Step("state restore all", ["state", "restore", "BACKUP"]),
)


@dataclass(slots=True)
class Cost:
    """What one command cost."""

    wall: float
    cpu: float
    rss: float
    code: int
    requests: dict[str, int] = field(default_factory=dict)


def run(command: Sequence[str], folder: Path, env: dict[str, str]) -> Cost:
    """Run a command as a process of its own."""
    with (folder.parent / "stdout.txt").open("wb") as out, (folder.parent / "stderr.txt").open("wb") as err:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.perf_counter() - begin > LIMIT:
                process.kill()
                _, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(0.005)
        wall = time.perf_counter() - begin
    process.returncode = code = os.waitstatus_to_exitcode(status)
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, code)


def seed(folder: Path, town: Town, env: dict[str, str]) -> None:
    """Record every object as managed: three are adopted, and their rows are repeated for all others."""
    first = ("Session/class-000000", "Resource/room-000000", "Block/closed-000000")
    targets = [word for address in first for word in ("--target", address)]
    cost = run([sys.executable, "-m", "reconciler", "adopt", "--all", *targets], folder, env)
    assert cost.code == 0, (folder.parent / "stderr.txt").read_text()
    with closing(sqlite3.connect(folder / ".reconciler" / "state.db")) as state, state:
        state.row_factory = sqlite3.Row
        rows = {row["kind"]: dict(row) for row in state.execute("SELECT * FROM reconciler_objects")}
        state.execute("DELETE FROM reconciler_objects")
        names = list(rows["Session"])
        query = (
            f"INSERT INTO reconciler_objects ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
        )
        for kind, name, remote_id, fields, depends_on in recorded(town):
            kept = json.loads(rows[kind]["fields"])
            changes = {key: value for key, value in fields.items() if key in kept}
            row = {**rows[kind], "name": name, "remote_id": str(remote_id), "fields": json.dumps(kept | changes)}
            state.execute(query, {**row, "depends_on": json.dumps(depends_on)})


def _chosen(words: Sequence[str]) -> list[Step]:
    """Return the steps that some globs name, and the one that makes the state which later ones need."""
    named = [step for step in STEPS if not words or any(fnmatch(step.name, word) for word in words)]
    adopts = next(step for step in STEPS if step.name == ADOPT)
    later = any(STEPS.index(step) > STEPS.index(adopts) for step in named)
    return [step for step in STEPS if step in named or (later and step is adopts)]


SEEDED = 10_000
"""Objects above which the state is filled by `seed`, unless the adoption itself is to be measured."""


def measure(size: int, options: argparse.Namespace) -> dict[str, Cost]:
    """Return what each command costs with one number of objects."""
    root = Path(tempfile.mkdtemp(prefix=f"scale-{size}-", dir=options.folder))
    folder = root / "project"
    server = subprocess.Popen(
        [sys.executable, HERE / "scale_server.py", str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        return _steps(folder, url, Town(size), options)
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(root)


def _steps(folder: Path, url: str, town: Town, options: argparse.Namespace) -> dict[str, Cost]:
    env = {**os.environ, **CREDENTIALS, "NO_COLOR": "1", "PYTHONHASHSEED": "0", "NO_PROXY": "127.0.0.1"}
    env |= {"RECONCILER_TRUST_HOSTS": url.removeprefix("http://"), "GIT_CONFIG_GLOBAL": "/dev/null"}
    if options.checkout:
        env["PYTHONPATH"] = options.checkout
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    write(folder, url, town, form=options.form)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    found: dict[str, Cost] = {}
    for step in _chosen(options.words):
        if step.name == ADOPT and town.size > SEEDED and not any(fnmatch(ADOPT, word) for word in options.words):
            seed(folder, town, env)
            continue
        if step.since:
            write(folder, url, town, form=options.form)
            who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "gc.auto=0"]
            (folder / ".gitignore").write_text(".reconciler\n")
            subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
            subprocess.run(["git", *who, "commit", "-q", "-m", "all"], cwd=folder, check=True)
            write(folder, url, town, changed=town.size // 100, form=options.form)
        elif step.changed is not None:
            write(folder, url, town, changed=int(step.changed * town.size), form=options.form)
        backups = sorted((folder / ".reconciler" / "backups").glob("*.db"))
        arguments = [str(backups[-1] if backups else "none") if word == "BACKUP" else word for word in step.arguments]
        urllib.request.urlopen(f"{url}/_bench/{'empty' if step.empty else 'full'}").read()
        urllib.request.urlopen(f"{url}/_bench/requests").read()
        cost = run([sys.executable, "-m", "reconciler", *arguments], folder, env)
        cost.requests = json.load(urllib.request.urlopen(f"{url}/_bench/requests"))
        found[step.name] = cost
        if step.name == "export --out":
            shutil.rmtree(folder.parent / "exported", ignore_errors=True)
        shown = f"{town.size:>8,} {step.name:<22}{cost.wall:9.2f}{cost.cpu:9.2f}{cost.rss:8.0f}"
        shown += f"{sum(cost.requests.values()):9,}"
        said = _end_of(folder.parent / "stdout.txt").splitlines()
        shown += f"  {said[-1][:50]}" if said and "format" not in " ".join(step.arguments) else ""
        print(shown + ("" if cost.code in step.codes else f"  exit code {cost.code}!"), flush=True)  # noqa: T201
        if cost.code not in step.codes:
            print(_end_of(folder.parent / "stderr.txt"), said[-2:])  # noqa: T201
    return found


def _end_of(file: Path) -> str:
    """Return the end of a long text. A process that held all of it would count in the memory of those it starts."""
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - 500))
        return opened.read().decode("utf-8", "replace")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--form", choices=("files", "flat", "giant"), default="files")
    parser.add_argument("--checkout")
    parser.add_argument("--folder", default=None)
    options = parser.parse_args()
    sizes = [int(item) for item in options.sizes.split(",")]
    print(f"{'objects':>8} {'command':<22}{'wall s':>9}{'CPU s':>9}{'MB':>8}{'requests':>9}")  # noqa: T201
    every = {size: measure(size, options) for size in sizes}
    print("\n" + f"{'command':<22}" + "".join(f"{f'CPU at {size:,}':>16}{'growth':>8}{'MB':>7}" for size in sizes))  # noqa: T201
    for name in every[sizes[0]]:
        line, before = f"{name:<22}", None
        for size in sizes:
            cost = every[size].get(name)
            if cost is None:
                continue
            growth = f"{cost.cpu / before:.1f}" if before else ""
            line += f"{cost.cpu:16.2f}{growth:>8}{cost.rss:7.0f}"
            before = cost.cpu
        print(line)  # noqa: T201


if __name__ == "__main__":
    main()
