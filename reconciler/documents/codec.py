"""Plans, reports and drift as JSON documents for programs, and reading a saved plan back.

The documents are described by `schemas/plan.schema.json`, `report.schema.json` and `drift.schema.json`.
Same value, same bytes: keys stand in a fixed order and nothing is taken from the clock or a hash.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from reconciler.documents.load import FORMAT_VERSION, load_plan_document, plan_digest
from reconciler.model import canonical
from reconciler.model.change import Change, FieldChange, SlotBookings
from reconciler.model.objects import Problem, SourceRef, problem_order
from reconciler.model.plan import Plan
from reconciler.model.report import Drift, Outcome, Report, Verification
from reconciler.model.risk import Risk
from reconciler.redaction import redacted_data

__all__ = [
    "FORMAT_VERSION",
    "drift_document",
    "dumps",
    "load_plan_document",
    "plan_digest",
    "plan_document",
    "problems_document",
    "report_document",
]

# Lone surrogates are no UTF-8; the others could steer the terminal, or the build agent, a document is shown on.
_UNSAFE = re.compile(
    "[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]|(?<=#)#(?=\\w*\\[)"
)


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return the plan document (contract, section 4); its own digest, the last key, tells when it was edited since."""
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "tool_version": plan.tool_version,
        "project": plan.project,
        "environment": plan.environment,
        "manifest_digest": plan.manifest_digest,
        "live_digest": plan.live_digest,
        "summary": plan.summary,
        "changes": [_change(plan, change) for change in plan.changes],
        "problems": [_problem(problem) for problem in plan.problems],
        "selection": _selection(plan),
        "purpose": plan.purpose,
        "bookings": _totals(plan),
        "manifests": dict(plan.manifests),
        "targets": dict(plan.targets),
        "forecast": asdict(plan.forecast),
        "runs": plan.runs,
    }
    masked = redacted_data(canonical.plain(document))
    return {**masked, "digest": plan_digest(masked)}


def report_document(report: Report, plan: Plan) -> dict[str, Any]:
    """Return the document of an apply and of what it was about."""
    sources = {change.address: change.source for change in plan.changes}
    return {
        "format_version": FORMAT_VERSION,
        "plan_digest": report.plan_digest,
        "summary": report.summary,
        "outcomes": [
            {**_outcome(outcome), "source": _source(sources.get(outcome.address))} for outcome in report.outcomes
        ],
        "project": plan.project,
        "environment": plan.environment,
        "selection": _selection(plan),
        "interrupted": report.interrupted,
        "refused": report.refused,
        **({"verify": _verification(report.verified)} if report.verified is not None else {}),
    }


def drift_document(drift: Drift) -> dict[str, Any]:
    """Return the document of a drift check."""
    return {
        "format_version": FORMAT_VERSION,
        "summary": drift.summary,
        "coverage": drift.coverage,
        "objects": [
            {
                "address": str(item.address),
                "status": item.status,
                "fields": [_field(field) for field in item.fields],
                "remote_id": item.shown_id,
                "reason": item.reason,
                "coverage": {"fields": item.total, "verifiable": item.verifiable},
            }
            for item in drift.objects
        ],
    }


def problems_document(problems: Iterable[Problem], **counts: int) -> dict[str, Any]:
    """Return what `validate` found; `counts` (files, documents) stand before the problems."""
    found = sorted(problems, key=problem_order)
    return {
        "format_version": FORMAT_VERSION,
        "valid": all(problem.severity != "error" for problem in found),
        **counts,
        "problems": [_problem(problem) for problem in found],
    }


def dumps(document: Mapping[str, Any]) -> str:
    """Return a document's text: keys in the order given, two blanks of indent, a newline at the end.

    Control, bidi and lone surrogate characters are written as JSON escapes, which read back the same. Known secrets
    are masked inside of the texts, so that the document stays one.
    """
    text = json.dumps(redacted_data(canonical.plain(document)), indent=2, ensure_ascii=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def _verification(found: Verification) -> dict[str, Any]:
    return {
        "summary": dict(found.summary),
        "changes": [str(address) for address, _ in found.left],
        "words": [words for _, words in found.left],
    }


def _selection(plan: Plan) -> dict[str, Any]:
    return {"targets": list(plan.selection.targets), "excludes": list(plan.selection.excludes)}


def _source(source: SourceRef | None) -> dict[str, Any] | None:
    return {"file": source.path, "line": source.line} if source is not None else None


def _change(plan: Plan, change: Change) -> dict[str, Any]:
    return {
        "address": str(change.address),
        "kind": change.address.kind,
        "connection": change.connection,
        "action": change.action,
        "remote_id": change.shown_id,
        "reason": change.reason,
        "source": _source(change.source),
        "fields": [_field(field) for field in change.fields],
        "risks": [_risk(risk) for risk in change.risks],
        "calls": [{"method": call.method, "path": call.path} for call in change.requests],
        "name": change.label,
        "unverified": list(change.unverified),
        "expired": change.expired,
        "live": canonical.plain(change.lasting) if change.writes else None,
        "digest": change.digest,
        "bookings": [_touched(item) for item in change.bookings],
        "stake": _stake(change, plan.currency),
        "guarded": list(plan.guarded.get(change.address, ())),
        **_bookkeeping(change),
        **({"timezone": change.zone} if change.zone is not None else {}),
    }


def _totals(plan: Plan) -> dict[str, Any]:
    totals = plan.bookings
    return {
        "slots": totals.slots,
        "booked": totals.booked,
        "reserved": totals.reserved,
        "unknown": totals.unknown,
        "amount": totals.amount,
        "currency": plan.currency,
        "unpriced": totals.unpriced,
    }


def _touched(item: SlotBookings) -> dict[str, Any]:
    return {"slot": item.slot, "when": item.when, "booked": item.booked, "reserved": item.reserved}


def _stake(change: Change, currency: str | None) -> dict[str, Any] | None:
    stake = change.at_stake
    if stake is None:
        return None
    return {"places": stake.places, "price": stake.price, "amount": stake.amount, "currency": currency}


def _bookkeeping(item: Change | Outcome) -> dict[str, Any]:
    """Return what becomes of the record alone: keys that are there only where they say something."""
    moved = {"moved_from": str(item.moved_from)} if item.moved_from is not None else {}
    return {**moved, **({"forget": True} if item.forget else {})}


def _field(field: FieldChange) -> dict[str, Any]:
    return {
        "path": field.path,
        "before": canonical.plain(field.before),
        "after": canonical.plain(field.after),
        "origin": field.origin,
        "verifiable": field.verifiable,
    }


def _risk(risk: Risk) -> dict[str, Any]:
    return {
        "code": risk.code,
        "level": risk.level,
        "message": risk.message,
        "slots": list(risk.slots),
        "booked": risk.booked,
        "reserved": risk.reserved,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    where = problem.where
    return {
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.summary,
        "hint": problem.hint,
        "address": str(problem.address) if problem.address is not None else None,
        "source": {"file": where.path, "line": where.line, "column": where.column} if where else None,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "address": str(outcome.address),
        "action": outcome.action,
        "state": outcome.state,
        "remote_id": outcome.shown_id,
        "error": outcome.error,
        "blocked_by": str(outcome.blocked_by) if outcome.blocked_by is not None else None,
        "calls": outcome.calls,
        "allowed": [{"code": item.code, "by": item.by, "message": item.message} for item in outcome.allowed],
        **_bookkeeping(outcome),
    }
