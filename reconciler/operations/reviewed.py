"""Whether a plan does only what people have reviewed: the plans of the pull requests that were merged since."""

from __future__ import annotations

import json
import os
from pathlib import Path

from msgspec import Struct

from reconciler.documents.decisions import dump_decisions
from reconciler.documents.load import load_plan
from reconciler.documents.signature import plan_key, signature_fault
from reconciler.engine.stale import touched, unreviewed
from reconciler.errors import ReconcilerError
from reconciler.files import LARGEST_DOCUMENT, read_regular, write_whole
from reconciler.forge.base import Forge
from reconciler.forge.decisions import By, Decided, decided
from reconciler.model.decision import Decision
from reconciler.model.plan import Plan, SavedPlan

_DECISIONS = "decisions.json"
_REQUESTS = "requests.json"


class Comparison(Struct, frozen=True, kw_only=True):
    """What a plan does beyond the reviewed plans."""

    differences: tuple[str, ...]
    notes: tuple[str, ...]
    """For each pull request: where its plan is, or why it cannot be used."""


def collect(forge: Forge, commit: str, by: By, name: str, folder: Path) -> Decided:
    """Write the reviewed plans and the decisions of what was merged since the last apply to a folder.

    A decision is about the change in its own pull request. It ends where a later one changes the object again.
    """
    requests = forge.merged_since_apply(commit)
    folder.mkdir(parents=True, exist_ok=True)
    listed, ignored = [], []
    decisions: dict[str, Decision] = {}
    for request in requests:
        plan = forge.reviewed_plan(request, name)
        listed.append({"number": request.number, "url": request.url, "plan": plan is not None})
        if plan is not None:
            write_whole(folder / f"{request.number}.plan", plan, private=True)
        found = decided(forge, [request], by)
        own = {item.address: item for item in found.decisions}
        for address in _changed(plan) & (decisions.keys() - own.keys()):
            earlier = decisions.pop(address)
            ignored.append(f"{earlier.words}: #{request.number} changes {address} again, without a decision")
        decisions |= own
        ignored += found.ignored
    kept = Decided(decisions=tuple(decisions[key] for key in sorted(decisions)), ignored=tuple(ignored))
    write_whole(folder / _REQUESTS, json.dumps(listed, indent=2).encode() + b"\n", private=True)
    write_whole(folder / _DECISIONS, dump_decisions(kept.decisions).encode(), private=True)
    return kept


def _changed(plan: bytes | None) -> set[str]:
    """Return the objects that a plan changes; none where it cannot be read, because then it does not count either."""
    try:
        return set(touched(load_plan((plan or b"").decode()).plan))
    except (ReconcilerError, UnicodeDecodeError):
        return set()


def compare(fresh: SavedPlan, folder: Path) -> Comparison:
    """Compare a plan with the reviewed ones in a folder that `collect` wrote."""
    try:
        listed = json.loads(_read(folder / _REQUESTS))
    except ValueError:
        raise ReconcilerError(f"{folder / _REQUESTS} was not written by `reconciler ci reviewed`") from None
    plans: list[Plan] = []
    notes = []
    for item in listed:
        why = _use(fresh, folder / f"{int(item['number'])}.plan", plans) if item["plan"] else "it has no plan"
        if why is not None:
            notes.append(f"{item['url']}: {why}")
    if not listed:
        notes.append("no pull request was merged since the last apply")
    plan = fresh.plan
    differences = unreviewed(plan, plans) if touched(plan) else []
    return Comparison(differences=tuple(differences), notes=tuple(notes))


def _use(fresh: SavedPlan, file: Path, plans: list[Plan]) -> str | None:
    """Add a reviewed plan to those that count; else say why it does not."""
    key = plan_key()
    try:
        saved = load_plan(_read(file))
    except ReconcilerError as error:
        return f"its plan cannot be read: {error.message}"
    if key is not None and (fault := signature_fault(saved, key)) is not None:
        return f"its plan does not count: {fault}"
    if not saved.intact:
        return "its plan does not count: it was edited"
    for what in ("project", "environment", "tool_version"):
        then, now = getattr(saved.head, what), getattr(fresh.head, what)
        if then != now:
            return (
                f"its plan does not count: its {what.replace('_', ' ')} is {then or 'none'}, and is {now or 'none'} now"
            )
    plans.append(saved.plan)
    return None


def _read(file: Path) -> str:
    try:
        return read_regular(file, LARGEST_DOCUMENT)[0].decode("utf-8")
    except (OSError, UnicodeDecodeError):
        hint = "run `reconciler ci reviewed` before"
        raise ReconcilerError(f"cannot read {os.fspath(file)}", hint=hint) from None
