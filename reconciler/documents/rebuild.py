"""From a document that was read back to the values it was made from, as far as they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.documents.load import plan_digest
from reconciler.model.change import Call, Change, FieldChange, SlotBookings
from reconciler.model.objects import Address, Problem, SourceRef
from reconciler.model.plan import Forecast, Plan, SavedPlan, Selection
from reconciler.model.report import Allowance, Drift, Drifted, Outcome, Report, Verification
from reconciler.model.risk import Risk
from reconciler.render.values import known_zone

Document = Mapping[str, Any]


def saved(document: Document) -> SavedPlan:
    """Return a saved plan, and whether its document is as it was written."""
    digest = document["digest"]
    return SavedPlan(plan=plan(document), digest=digest, intact=plan_digest(document) == digest)


def plan(document: Document) -> Plan:
    """Return a plan that shows as the one the document was made from; it cannot be carried out."""
    return Plan(
        project=document["project"],
        environment=document["environment"],
        tool_version=document["tool_version"],
        manifest_digest=document["manifest_digest"],
        live_digest=document["live_digest"],
        changes=tuple(_change(item) for item in document["changes"]),
        problems=tuple(_problem(item) for item in document["problems"]),
        selection=_selection(document),
        purpose=document["purpose"],
        guarded={
            Address.parse(item["address"]): tuple(item["guarded"]) for item in document["changes"] if item["guarded"]
        },
        currency=document["bookings"]["currency"],
        manifests=document["manifests"],
        targets=document["targets"],
        runs=document["runs"],
        forecast=Forecast(**_known(Forecast, document["forecast"])),
    )


def report(document: Document) -> tuple[Report, Plan]:
    """Return a report, and what of its plan is shown with it."""
    outcomes = document["outcomes"]
    made = Report(
        plan_digest=document["plan_digest"],
        outcomes=tuple(_outcome(item) for item in outcomes),
        interrupted=document["interrupted"],
        refused=document["refused"],
        verified=_verification(document.get("verify")),
    )
    stand_in = Plan(
        project=document["project"],
        environment=document["environment"],
        tool_version="",
        manifest_digest="",
        live_digest="",
        changes=tuple(
            Change(
                address=Address.parse(item["address"]),
                connection="",
                action=item["action"],
                reason="",
                source=_source(item["source"]),
            )
            for item in outcomes
        ),
        selection=_selection(document),
    )
    return made, stand_in


def drift(document: Document) -> Drift:
    """Return what changed outside."""
    return Drift(
        objects=tuple(
            Drifted(
                address=Address.parse(item["address"]),
                status=item["status"],
                fields=_fields(item["fields"]),
                shown_id=item["remote_id"],
                reason=item["reason"],
                total=item["coverage"]["fields"],
                verifiable=item["coverage"]["verifiable"],
            )
            for item in document["objects"]
        )
    )


def _verification(item: Document | None) -> Verification | None:
    if item is None:
        return None
    addresses = [Address.parse(text) for text in item["changes"]]
    return Verification(summary=item["summary"], left=tuple(zip(addresses, item["words"], strict=True)))


def _selection(document: Document) -> Selection:
    chosen = document["selection"]
    return Selection(targets=tuple(chosen["targets"]), excludes=tuple(chosen["excludes"]))


def _change(item: Document) -> Change:
    address = Address.parse(item["address"])
    return Change(
        address=address,
        connection=item["connection"],
        action=item["action"],
        reason=item["reason"],
        shown_id=item["remote_id"],
        lasting=item["live"],
        saved_digest=item["digest"],
        source=_source(item["source"]),
        fields=_fields(item["fields"]),
        risks=tuple(Risk(**{**_known(Risk, risk), "slots": tuple(risk["slots"])}) for risk in item["risks"]),
        calls=tuple(
            Call(
                address=address,
                connection=item["connection"],
                effect="update",
                method=call["method"],
                path=call["path"],
            )
            for call in item["calls"]
        ),
        unverified=tuple(item["unverified"]),
        expired=item["expired"],
        bookings=tuple(SlotBookings(**_known(SlotBookings, touched)) for touched in item["bookings"]),
        price=item["stake"]["price"] if item["stake"] is not None else None,
        name=item["name"],
        moved_from=_former(item),
        forget=item.get("forget", False),
        zone=known_zone(item.get("timezone")),
    )


def _as_written(text: str) -> Address:
    """Read the address that a problem is about: it may be that its name is what is wrong."""
    kind, _, name = text.partition("/")
    return Address(kind, name)


def _former(item: Document) -> Address | None:
    return Address.parse(item["moved_from"]) if "moved_from" in item else None


def _known(model: Any, item: Document) -> dict[str, Any]:
    """Return of a document's object what the model has a field for."""
    return {name: item[name] for name in model.__dataclass_fields__ if name in item}


def _fields(items: Iterable[Document]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(**_known(FieldChange, item)) for item in items)


def _source(item: Document | None) -> SourceRef | None:
    return None if item is None else SourceRef(item["file"], item["line"], item.get("column", 1))


def _problem(item: Document) -> Problem:
    return Problem(
        code=item["code"],
        summary=item["message"],
        severity=item["severity"],
        hint=item["hint"],
        where=_source(item["source"]),
        address=None if item["address"] is None else _as_written(item["address"]),
    )


def _outcome(item: Document) -> Outcome:
    blocker = item["blocked_by"]
    return Outcome(
        **{
            **_known(Outcome, item),
            "shown_id": item["remote_id"],
            "address": Address.parse(item["address"]),
            "blocked_by": None if blocker is None else Address.parse(blocker),
            "allowed": tuple(Allowance(**_known(Allowance, allowed)) for allowed in item["allowed"]),
            "moved_from": _former(item),
        }
    )
