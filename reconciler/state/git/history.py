"""Commit messages: the history of the branch is the history of the runs that wrote."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from reconciler.model.words import listed
from reconciler.state.rows import Row

_NAMED = 3

_MOST = 100
"""Files that a message lists."""

_LONGEST = 300

_VERBS = {
    "objects": ("record", "remove"),
    "intents": ("begin", "end"),
    "forgotten": ("note as expired", "no longer note as expired"),
}
"""What a new or changed file, and a deleted one, means; the other tables are `note` and `drop`."""

_WHAT = {"runs": "the run", "baselines": "what was live before the run", "hosts": "the hosts", "seen": "what was live"}
"""What the files of other tables are; otherwise the name of the table."""


def message(files: Mapping[str, Row | None], run: Mapping[str, str]) -> str:
    """Return the message of a commit of the branch. `run`: what is known of the run, by the words that name it."""
    done: dict[str, list[str]] = {}
    for path, row in files.items():
        folder, *names = path.removesuffix(".json").split("/")[2:]
        verb = _VERBS.get(folder, ("note", "drop"))[row is None]
        what = "/".join(names[:2]) if folder in _VERBS else _WHAT.get(folder, folder)
        if what not in done.setdefault(verb, []):
            done[verb].append(what)
    said = "; ".join(f"{verb} {listed(names, _NAMED)}" for verb, names in sorted(done.items())) or "note the version"
    command = run.get("Command")
    subject = f"{command}: {said}" if command else said
    paths = [f"  {path}" for path in list(files)[:_MOST]]
    if len(files) > _MOST:
        paths.append(f"  and {len(files) - _MOST} more")
    return _text(subject, run, ["Files:", *paths])


def lease_message(row: Row | None, before: Row | None) -> str:
    """Return the message of a commit of the ref of a lease; `row` is None where it is released."""
    if row is None:
        return _text("release the lease" + (f" of run {before['run_id']}" if before else ""), {}, [])
    if before is not None and before["run_id"] == row["run_id"]:
        return _text(f"renew the lease of run {row['run_id']}", {}, [])
    over = f", held by run {before['run_id']} before" if before else ""
    return _text(f"take the lease for run {row['run_id']}{over}", {"Holder": f"{row['holder']} on {row['host']}"}, [])


def facts(run: Row) -> Mapping[str, str]:
    """Return what a message says of a run: the command, its plan, and who started it where."""
    stated: Mapping[str, str] = run["context"] or {}
    known = {"Run": run["run_id"], "Command": run["command"], "Plan": run["plan_digest"]}
    return {name: str(value) for name, value in {**known, **stated}.items() if value}


def _text(subject: str, run: Mapping[str, str], rest: list[str]) -> str:
    lines = [f"{name.replace('_', ' ').capitalize()}: {_line(value)}" for name, value in run.items()]
    parts = [_line(subject), "\n".join(lines), "\n".join(rest)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _line(text: str) -> str:
    """Return a text as one line without control characters."""
    return "".join(char for char in text if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"})[:_LONGEST]
