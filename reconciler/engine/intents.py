"""Open intents: what is recorded before a call is sent, and until when the remote system may still process it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from reconciler.engine.ledger import Ledger
from reconciler.errors import ReconcilerError
from reconciler.model.canonical import now, utc
from reconciler.model.change import Call, Edit
from reconciler.model.objects import Address, Fields, Intent
from reconciler.providers.notice import Notice, asleep
from reconciler.settings import Connection

PENDING_MARGIN = 3.0
"""Seconds that are added to every recorded instant.

Instants are kept to the second, writing one may take PROMPT, and so may all until the first byte leaves: at most three
seconds are lost.
"""

PROMPT = 1.0
"""Seconds after which an attempt is too late for its intent, so that the intent is extended first."""

SLOWEST_STATE = 45.0
"""Seconds that writing an intent may take: the lease that this renews lives longer, so it is held at the first byte."""

_NAMED, _TRIES = 5, 4

_log = logging.getLogger("reconciler.apply")


def begin(ledger: Ledger, run_id: str, call: Call, connection: Connection, fields: Fields) -> int:
    """Record durably what is about to be sent, so that the next run looks for it even if this run dies.

    `fields` are what a create sends, or what `overwritten` gives for an update.
    """
    moment = _moment()
    intent = Intent(
        run_id=run_id,
        address=call.address,
        connection=call.connection,
        target=connection.target,
        effect=call.effect,
        fields=fields,
        started_at=now(),
        pending_until=pending_until(connection, connection.timeout),
    )
    number = ledger.begin(intent, fenced=True)
    if (took := _passed(moment)) > PROMPT:
        _extend(ledger, number, connection, connection.timeout, took)
    return number


def overwritten(edit: Edit) -> Fields:
    """Return what an update may overwrite: the values it sends, or under `slots[123456]` what that slot was."""
    if edit.part is None:
        return edit.values
    return {f"{edit.part}[{edit.part_id}]": edit.replaces or {}}


def pending_until(connection: Connection, seconds: float) -> str:
    """Return until when the remote system may process a call whose last byte leaves in so many seconds at most.

    `settle_after` counts from then on: it belongs to the server, and no timeout of this client shortens it.
    """
    return utc(datetime.now(UTC) + timedelta(seconds=seconds + connection.settle_after + PENDING_MARGIN))


def settling(connection: Connection) -> str:
    """Return until when a call may be processed whose connection is closed now; empty where it ended with that."""
    return pending_until(connection, 0.0) if connection.settle_after else ""


def settling_words(connection: Connection) -> str:
    """Say for how long a call without an answer may go on, after the words that say what happened to it."""
    seconds = connection.settle_after
    return f"; the server may still process it for {seconds:g} s: plan again then, or add --wait" if seconds else ""


def extending(ledger: Ledger, number: int, connection: Connection) -> Notice:
    """Return what extends an intent where an attempt of its call starts later than it was recorded.

    The connection's pace, reads before the call and pauses between attempts take time. So does a machine that
    sleeps, which only one of its clocks shows.
    """
    recorded, good_for, took = _moment(), PROMPT, 0.0

    def extend(seconds: float) -> None:
        nonlocal recorded, good_for, took
        if _passed(recorded) > good_for:
            recorded, good_for = _extend(ledger, number, connection, seconds, took)
            took = _passed(recorded)

    return extend


def _extend(
    ledger: Ledger, number: int, connection: Connection, seconds: float, took: float
) -> tuple[tuple[float, float], float]:
    """Record until when a call that starts now may be processed; return the moment, and for how long that is right.

    Writing it takes time, too. Where that takes longer than was allowed for (`took` the last time), it is recorded once
    more. ReconcilerError: the call must not be sent.
    """
    for _ in range(_TRIES):
        moment, good_for = _moment(), min(max(PROMPT, 2 * took), SLOWEST_STATE)
        ledger.extend(number, pending_until(connection, seconds + good_for))
        took = _passed(moment)
        if took <= good_for:
            return moment, good_for
        if took > SLOWEST_STATE:
            break
    message = f"not sent, because the state took {took:.0f} s to record the call"
    raise ReconcilerError(message, hint="check the database of the state and its disk, then plan again")


def _moment() -> tuple[float, float]:
    """Return the present by two clocks: one of them may stand still while the machine sleeps, the other may be set."""
    return time.monotonic() + asleep(), time.time()


def _passed(since: tuple[float, float]) -> float:
    """Return the seconds since a moment, by the clock that shows more of them."""
    return max(now - then for now, then in zip(_moment(), since, strict=True))


OVERTAKEN = "another run wrote it while this one read; try again when that run has ended"
"""Why an object is unknown whose record is newer than what was read of it, or older."""


def open_call(intent: Intent) -> str:
    """Say for people what is known of a call that the state holds."""
    call = f"a call to {intent.effect} it, which started at {intent.started_at},"
    if intent.confirmed:
        return f"{call} succeeded, but no read shows its effect yet"
    if left_to_wait(intent) > 0:
        return f"{call} may still be in progress at the server until {intent.pending_until}"
    return f"{call} has an unknown result"


def left_to_wait(intent: Intent) -> float:
    """Return in how many seconds a read shows what a call did; negative where one does now.

    Never more than it was recorded for: the clock of the machine that recorded it may be ahead of this one.
    """
    if not intent.pending_until:
        return -1.0
    ends = datetime.fromisoformat(intent.pending_until)
    recorded = (ends - datetime.fromisoformat(intent.started_at)).total_seconds()
    return min((ends - datetime.now(UTC)).total_seconds(), recorded)


def in_flight(intents: Sequence[Intent], moment: str) -> Intent | None:
    """Return the call that a server may still process for longest; None where all have ended."""
    unknown = [item for item in intents if not item.confirmed]
    pending = [item for item in unknown if left_to_wait(item) > 0 and item.pending_until > moment]
    return max(pending, key=lambda item: item.pending_until, default=None)


def wait_for_pending(
    intents: Mapping[Address, Sequence[Intent]],
    selected: Collection[Address],
    longest: float,
    on_wait: Callable[[float], None],
) -> str:
    """Wait until reads show what open calls did, at most `longest` seconds; return the instant after it, if any.

    An earlier look would miss the effect of a call that a server still processes.
    """
    open_calls = [item for address in sorted(selected, key=str) for item in intents.get(address, ())]
    awaited = [item for item in open_calls if left_to_wait(item) > 0]
    until = max((item.pending_until for item in awaited), default="")
    seconds = max((left_to_wait(item) for item in open_calls), default=0.0)
    if min(seconds, longest) <= 0:
        return ""
    for item in awaited[:_NAMED]:
        _log.warning("%s: %s", item.address, open_call(item))
    if len(awaited) > _NAMED:
        _log.warning("… and %d more open calls", len(awaited) - _NAMED)
    on_wait(min(seconds, longest))
    time.sleep(min(seconds, longest))
    return max(now(), until) if seconds <= longest else now()
