"""Objects that are over by themselves after a while: what is said of one, and what is done.

Their systems cannot be asked for a list. So neither can an object be searched whose creation has no
known result, nor can it be told whether one that is over has become something else (a booking).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from reconciler.model.canonical import digest, utc
from reconciler.model.change import Change
from reconciler.model.kind import Kind
from reconciler.model.objects import Desired, Fields, Intent, Problem, Record
from reconciler.model.risk import Risk, risk

MAY_BE_BOOKED = "it may have become a booking, which this API cannot tell"


def expired_words(how: str) -> str:
    """Return what is known of an object that is over; `how` is what was seen."""
    return f"it has expired ({how}); {MAY_BE_BOOKED}"


def may_be_booked() -> Risk:
    """Warn of making anew what may have been booked meanwhile: the same places would be taken twice."""
    return risk("expired-or-booked", f"made anew after it expired: {MAY_BE_BOOKED}", booked=None, reserved=None)


def declaration(kind: Kind, fields: Fields) -> str:
    """Digest what was declared of an object that is given up; what only this program reads makes no other one."""
    return digest({name: value for name, value in fields.items() if name not in kind.local})


def let_lie(
    desired: Desired, record: Record, how: str, wish: Literal["report", "forget"]
) -> tuple[Change, tuple[Problem, ...]]:
    """Leave an expired object alone, or drop it from the state; either way nothing is sent."""
    said = expired_words(how)
    forget = wish == "forget"
    change = Change(
        address=desired.address,
        connection=desired.connection,
        action="delete" if forget else "noop",
        reason=f"{said}; on_expiry is {wish}, so {'only the record is dropped' if forget else 'nothing is changed'}",
        remote_id=record.remote_id,
        source=desired.source,
        desired=desired,
        record=record,
        expired=True,
    )
    if forget:
        return change, ()
    problem = Problem(
        code="expired",
        severity="warning",
        summary=said,
        hint="look whether it was booked; to hold it anew set on_expiry: recreate, to give it up on_expiry: forget",
        where=desired.source,
        address=desired.address,
    )
    return change, (problem,)


def given_up(desired: Desired) -> Change:
    """Leave alone what expired and was forgotten, as long as its manifest is the one it had then."""
    return Change(
        address=desired.address,
        connection=desired.connection,
        action="noop",
        reason=(
            "expired and was forgotten, as on_expiry says; to hold it again change its manifest, "
            f"or run: reconciler state rm {desired.address}"
        ),
        source=desired.source,
        desired=desired,
        expired=True,
    )


def still_unsure(kind: Kind, own: Sequence[Intent], now: str) -> str | None:
    """Say why a creation without a known result keeps its object from being made; None once it is surely over.

    The sentence ends where the address belongs.
    """
    if kind.ephemeral is None:
        return None
    over = utc(datetime.fromisoformat(own[-1].started_at) + timedelta(seconds=kind.ephemeral.settles_after))
    if now >= over:
        return None
    return (
        f"an earlier creation ({own[-1].started_at}) has an unknown result, and this API cannot list what there is; "
        f"what it may have made is over by {over} at the latest, and then it is made anew; "
        "to have it made anew with the next apply: reconciler state rm"
    )
