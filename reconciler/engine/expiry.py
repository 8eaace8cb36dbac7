"""Objects that expire by themselves: what a plan says of one, and what it does.

The API of such an object has no list, and does not show whether an expired object became a booking.
"""

from __future__ import annotations

from typing import Literal

from reconciler.engine.subject import Decided, Subject
from reconciler.model.canonical import digest
from reconciler.model.change import Decision
from reconciler.model.kind import Kind
from reconciler.model.objects import Desired, Fields, Problem
from reconciler.model.risk import Risk, risk

_NOT_KNOWN = "the API does not show whether it became a booking"


def expired_words(how: str) -> str:
    """Return what is known about an expired object; `how` is the evidence."""
    return f"it expired ({how}); {_NOT_KNOWN}"


def may_be_booked() -> Risk:
    """Warn of recreating what may have become a booking: the same places would be taken twice."""
    return risk("expired-or-booked", f"recreated after it expired: {_NOT_KNOWN}", booked=None, reserved=None)


def declaration(kind: Kind, fields: Fields) -> str:
    """Digest what is declared of an object, without fields that only this program reads."""
    return digest({name: value for name, value in fields.items() if name not in kind.local})


def keep_expired(subject: Subject, desired: Desired, how: str, policy: Literal["report", "forget"]) -> Decided:
    """Do not change an expired object, or remove its record; nothing is sent in either case."""
    said = expired_words(how)
    if policy == "forget":
        reason = f"{said}; on_expiry is forget, so only the record is removed"
        return subject.nothing(desired.connection, reason, expired=True, action="delete"), ()
    problem = Problem(
        code="expired",
        severity="warning",
        summary=said,
        hint=(
            "check whether it was booked; to hold it again, set on_expiry: recreate; "
            "to stop managing it, set on_expiry: forget"
        ),
        where=desired.source,
        address=desired.address,
    )
    reason = f"{said}; on_expiry is report, so nothing is changed"
    return subject.nothing(desired.connection, reason, expired=True), (problem,)


def given_up(subject: Subject, desired: Desired) -> Decision:
    """Do not change an expired object that is no longer managed, as long as its manifest has not changed."""
    reason = (
        "expired and no longer managed, because on_expiry is forget; to hold it again, change its manifest "
        f"or run: reconciler state rm {desired.address}"
    )
    return subject.nothing(desired.connection, reason, expired=True)
