"""Open intents: what is recorded before a call is sent, and until when the remote system may still process it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from reconciler.engine.ledger import Ledger
from reconciler.model.canonical import now, utc
from reconciler.model.change import Call, Edit
from reconciler.model.objects import Address, Fields, Intent
from reconciler.providers.notice import Notice
from reconciler.settings import Connection

PENDING_MARGIN = 3.0
"""Seconds beyond a connection's timeout after which a server has certainly ended a call that no client waits for.

Instants are kept to the second, and an attempt may start PROMPT later: at most two seconds are lost.
"""

PROMPT = 1.0
"""Seconds after which an attempt is too late for its intent, so that the intent is extended first."""


def begin(ledger: Ledger, run_id: str, call: Call, connection: Connection, fields: Fields) -> int:
    """Record durably what is about to be sent, so that the next run looks for it even if this run dies.

    `fields` are what a create sends, or what `overwritten` gives for an update.
    """
    intent = Intent(
        run_id=run_id,
        address=call.address,
        connection=call.connection,
        target=connection.target,
        effect=call.effect,
        fields=fields,
        started_at=now(),
        pending_until=pending_until(connection.timeout),
    )
    return ledger.begin(intent, fenced=True)


def overwritten(edit: Edit) -> Fields:
    """Return what an update may overwrite: the values it sends, or under `slots[123456]` what that slot was."""
    if edit.part is None:
        return edit.values
    return {f"{edit.part}[{edit.part_id}]": edit.replaces or {}}


def pending_until(timeout: float) -> str:
    """Return until when the remote system may process a call that is sent now and gets no answer."""
    return utc(datetime.now(UTC) + timedelta(seconds=timeout + PENDING_MARGIN))


def extending(ledger: Ledger, number: int) -> Notice:
    """Return what extends an intent where an attempt of its call starts later than it was recorded.

    The connection's pace, reads before the call and pauses between attempts take time. So does a machine that
    sleeps, which only one of its clocks shows.
    """
    recorded = time.monotonic(), time.time()

    def extend(seconds: float) -> None:
        nonlocal recorded
        moment = time.monotonic(), time.time()
        if max(moment[0] - recorded[0], moment[1] - recorded[1]) > PROMPT:
            recorded = moment
            ledger.extend(number, pending_until(seconds))

    return extend


def left_to_wait(intent: Intent) -> float:
    """Return for how many seconds a remote system may still process an intent's call; negative where it cannot.

    Never more than it was recorded for: the clock of the machine that recorded it may be ahead of this one.
    """
    if not intent.pending_until:
        return -1.0
    ends = datetime.fromisoformat(intent.pending_until)
    recorded = (ends - datetime.fromisoformat(intent.started_at)).total_seconds()
    return min((ends - datetime.now(UTC)).total_seconds(), recorded)


def wait_for_pending(
    intents: Mapping[Address, Sequence[Intent]], selected: Collection[Address], on_wait: Callable[[float], None]
) -> None:
    """Wait until no server can still process a lost call: an earlier look would miss its effect."""
    seconds = max((left_to_wait(item) for address in selected for item in intents.get(address, ())), default=0.0)
    if seconds > 0:
        on_wait(seconds)
        time.sleep(seconds)
