"""Bookings of resources that a plan would harm: asked for only where a change needs it, and told as risks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from reconciler.errors import RemoteError
from reconciler.model.change import Change, SlotBookings
from reconciler.model.kind import Kind
from reconciler.model.objects import Address
from reconciler.model.occupancy import Booking, Enquiry, Occupancy, Window
from reconciler.model.plan import Plan
from reconciler.model.risk import Level, Risk, risk, unknown, weighed
from reconciler.providers.base import Provider, ReadsBookings

Question = tuple[str, Window]
"""A connection's name and what is asked there."""

_NAMED = 5
_CANNOT = "this provider cannot read bookings"


def enquiries(plan: Plan, kinds: Mapping[str, Kind], now: str) -> dict[Address, Enquiry]:
    """Return what has to be asked before the plan's risks are known; `now` is an instant in UTC."""
    found = {change.address: kinds[change.address.kind].enquiry(change, now) for change in plan.changes}
    return {address: enquiry for address, enquiry in found.items() if enquiry is not None and enquiry.windows}


def look(asked: Mapping[Address, Enquiry], open_provider: Callable[[str], Provider]) -> dict[Question, Occupancy]:
    """Ask every question once, connections side by side; one that fails is an answer that says why."""
    questions: dict[str, set[Window]] = {}
    for enquiry in asked.values():
        questions.setdefault(enquiry.connection, set()).update(enquiry.windows)
    answers: dict[Question, Occupancy] = {}

    def ask(name: str) -> None:
        windows = sorted(questions[name])
        try:
            provider = open_provider(name)
            found = provider.bookings(windows) if isinstance(provider, ReadsBookings) else {}
            failure = _CANNOT
        except RemoteError as error:
            found, failure = {}, error.message
        for window in windows:
            answers[name, window] = found.get(window, Occupancy(failure=failure))

    if questions:
        pool = ThreadPoolExecutor(max_workers=len(questions), thread_name_prefix="bookings")
        try:
            list(pool.map(ask, sorted(questions)))
        finally:  # an interrupted look waits for no connection: whoever opened them closes them
            pool.shutdown(wait=False, cancel_futures=True)
    return answers


def told(
    plan: Plan,
    asked: Mapping[Address, Enquiry],
    answers: Mapping[Question, Occupancy],
    levels: Mapping[str, Level],
) -> Plan:
    """Return the plan with the bookings that were found, and the risks they are."""
    changes = tuple(
        _with_bookings(change, asked[change.address], answers, levels) if change.address in asked else change
        for change in plan.changes
    )
    return replace(plan, changes=changes)


def _with_bookings(
    change: Change, enquiry: Enquiry, answers: Mapping[Question, Occupancy], levels: Mapping[str, Level]
) -> Change:
    hit: dict[str, Booking] = {}
    failures: dict[str, str] = {}
    for window in enquiry.windows:
        answer = answers[enquiry.connection, window]
        if answer.failure is not None:
            failures[window.resource_id] = answer.failure
        hit.update({item.id: item for item in answer.bookings if item.hits(window)})
    found = sorted(hit.values(), key=lambda item: (item.start, item.id))
    risks = [*([_risk(enquiry, found)] if found else []), *_unknown(enquiry, failures)]
    unsaid = [SlotBookings(slot=None, when=None)] if failures else []
    touched = [
        SlotBookings(slot=item.id, when=_when(item), booked=item.booked, reserved=item.reserved) for item in found
    ]
    return replace(
        change,
        risks=(*change.risks, *(weighed(item, levels) for item in risks)),
        bookings=(*change.bookings, *touched, *unsaid),
    )


def _risk(enquiry: Enquiry, found: list[Booking]) -> Risk:
    named = ", ".join(_when(item) for item in found[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    noun = "booking" if len(found) == 1 else "bookings"
    return risk(
        enquiry.code,
        f"{enquiry.what} hits {len(found)} {noun} of resource {enquiry.windows[0].resource_id} ({named}{more})",
        slots=tuple(item.id for item in found),
        booked=sum(item.booked for item in found),
        reserved=sum(item.reserved for item in found),
    )


def _unknown(enquiry: Enquiry, failures: Mapping[str, str]) -> list[Risk]:
    return [
        unknown(
            enquiry.code,
            f"{enquiry.what}: the bookings of resource {resource} could not be read ({why}): "
            "not known whether anyone has booked",
        )
        for resource, why in sorted(failures.items())
    ]


def _when(item: Booking) -> str:
    return f"{item.start[:10]} {item.start[11:16]} UTC"
