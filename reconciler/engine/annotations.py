"""The annotation with which a manifest allows its own risks to bookings until a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from reconciler.engine.verdict import Finding
from reconciler.model.change import Change
from reconciler.model.objects import Problem

ALLOW_UNTIL = "allow-booked-until"
"""The annotation that allows the risks of a declared object, up to and including a day in UTC."""

ALLOWED, EXPIRED = "allowed-by-annotation", "annotation-passed"


def in_force(change: Change, today: str) -> str | None:
    """Return the annotation that allows a declared object's risks; None where there is none in force."""
    until = _until(change)
    counts = until is not None and date.fromisoformat(until) >= date.fromisoformat(today)
    return f"annotation {ALLOW_UNTIL} {until}" if counts else None


def allowed(findings: Iterable[Finding]) -> Iterator[Problem]:
    """Warn of every risk that an annotation allows."""
    for finding in findings:
        if finding.annotated:
            what = finding.problem
            summary = f"{finding.by} allows: {what.summary}"
            yield replace(what, code=ALLOWED, severity="warning", summary=summary, hint=None)


def expired(changes: Iterable[Change], today: str) -> Iterator[Problem]:
    """Warn of every annotation whose day has passed."""
    for change in changes:
        until = _until(change)
        if until is not None and in_force(change, today) is None:
            yield Problem(
                code=EXPIRED,
                severity="warning",
                summary=f"annotation {ALLOW_UNTIL} {until} has expired (today is {today}) and allows nothing",
                hint="remove it, or set a later day",
                where=change.source,
                address=change.address,
            )


def _until(change: Change) -> str | None:
    return change.desired.annotations.get(ALLOW_UNTIL) if change.desired is not None else None
