"""One plan, report and drift that hold every action, state and kind of hostile text."""

from __future__ import annotations

from reconciler.model import canonical
from reconciler.model.change import Call, Change, FieldChange, SlotBookings
from reconciler.model.context import Context, Execution
from reconciler.model.field import Default
from reconciler.model.objects import Address, Desired, Live, Problem, Ref, SourceRef
from reconciler.model.plan import Forecast, Plan, Selection
from reconciler.model.report import Allowance, Drift, Drifted, Outcome, Report
from reconciler.model.risk import Risk
from reconciler.model.sighting import DriftedField, Fight, Ignored, LastApplied

HOSTILE = "\x1b[31mYoga\x07 [bold]x[/bold] \u202egnp.exe <b>&amp; | `@octocat` #12 https://evil.example\nline 2"

CONTEXT = Context(
    commit="0123456789abcdef0123456789abcdef01234567",
    branch="spring-\u202e@octocat",
    clean=False,
    author="Ann <b>Example</b> #12",
    system="GitHub Actions",
    run_url="https://github.example/acme/timetable/actions/runs/99",
    actor="octocat",
    pull_request="12",
)

RUN = Execution(
    id="5f0c9d1e2b3a4c5d6e7f8091a2b3c4d5",
    host="runner-7",
    started_at="2027-02-01T09:00:00Z",
    ended_at="2027-02-01T09:01:10Z",
    seconds=70.25,
)

LONG = "Bring a mat, water and a towel. " * 6


def field(path, before, after, origin="manifest", verifiable=True):
    return FieldChange(path=path, before=before, after=after, origin=origin, verifiable=verifiable)


def slot(day, time="11:00", duration=60, **more):
    return {"date": f"2027-03-{day:02d}", "time": time, "duration": duration, **more}


def slot_field(before, after):
    key = before or after
    return field(f"slots[{key['date']} {key['time']}]", before, after)


def call(address, method, path, body=None, effect="update"):
    return Call(
        address=Address.parse(address),
        connection="sessions",
        effect=effect,
        method=method,
        path=path,
        body=body,
    )


def change(address, action, reason, *, file=None, line=3, connection="sessions", **more):
    return Change(
        address=Address.parse(address),
        connection=connection,
        action=action,
        reason=reason,
        source=SourceRef(file, line) if file else None,
        **more,
    )


def update():
    address = "Session/spring-yoga"
    return change(
        address,
        "update",
        "2 fields and 3 slots differ",
        file="manifests/yoga.yaml",
        shown_id="123",
        fields=(
            field("price", "30.00", "35.00", origin="drift"),
            field("spaces", 12, 15, verifiable=False),
            field("description", LONG + "Doors open at 9.", LONG + "Doors open at 10."),
            field("disabled", True, None),
            slot_field(slot(8), slot(9)),
            slot_field(None, slot(15)),
            slot_field(slot(22, spaces_booked=4, spaces_reserved=1), None),
        ),
        risks=(
            Risk(
                code="booked-slot-lost",
                level="block",
                message="the slot of 2027-03-22 11:00 would be deleted with its bookings",
                slots=("123456",),
                booked=4,
                reserved=1,
            ),
        ),
        calls=(
            call(address, "PUT", "/api/sessions/123.xml", {"price": "35.00"}),
            call(address, "PUT", "/api/slots/123455.xml", {"date": "2027-03-09"}),
        ),
        desired=Desired(
            address=Address.parse(address),
            connection="sessions",
            fields={"price": "35.00"},
            source=SourceRef("manifests/yoga.yaml", 3),
        ),
        live=Live(remote_id="123", fields={"name": "Yoga", "price": "30.00"}),
        name="Yoga",
        title='"Yoga" · Mondays 11:00',
        price="30.00",
        bookings=(
            SlotBookings(slot="123455", when="2027-03-08 11:00", booked=0, reserved=0),
            SlotBookings(slot="123456", when="2027-03-22 11:00", booked=4, reserved=1),
            SlotBookings(slot="123457", when="2027-03-29", booked=2, reserved=None),
            SlotBookings(slot="123458", when="2027-04-05 11:00"),
        ),
    )


def create():
    address = Address.parse("Block/court-1-repairs")
    court = Ref(Address.parse("Resource/court-1"))
    return change(
        "Block/court-1-repairs",
        "create",
        "is declared and does not exist",
        file="manifests/courts.yaml",
        line=20,
        connection="admin",
        title="Court 1, Mon 1 Mar 2027, 09:00–10:30 UTC",
        fields=(
            field("resource_id", None, court),
            field("start", None, "2027-03-01T09:00:00Z"),
            field("end", None, "2027-03-01T10:30:15Z"),
        ),
        calls=(
            Call(
                address=address,
                connection="admin",
                effect="create",
                method="PUT",
                path="/api/v1/admin/37004/resources/{Resource/court-1}/block",
                body={"resource_id": court},
                needs=(court.target,),
            ),
        ),
    )


def replace():
    return change(
        "Session/pilates",
        "replace",
        "the whole set of slots must be replaced",
        file="manifests/pilates.yaml",
        shown_id="140",
        title=f'"{HOSTILE}" · 24 dates from Mon 1 Mar 2027',
        fields=(
            field("group", HOSTILE, "Mind & body"),
            *(slot_field(None, slot(day)) for day in range(1, 25)),
            slot_field(slot(28, "18:00"), None),
            slot_field(slot(29, "18:00"), slot(29, "18:30")),
        ),
        defaults=(Default(path="spaces", value=1), Default(path="start_date", rule="one week after the create")),
        risks=(Risk(code="slots-replaced", level="warn", message=f"slot ids change; {HOSTILE}", slots=("9", "10")),),
        calls=tuple(call("Session/pilates", "PUT", f"/api/sessions/{number}.xml") for number in range(140, 154)),
    )


def others():
    return (
        change(
            "BookingSession/spring-gala",
            "create",
            "is declared and does not exist",
            file="manifests/gala.yaml",
            line=1,
            connection="shop",
            fields=(
                field("on_expiry", None, "report"),
                field("items", None, [{"key": "tent", "item_id": "7", "options": {"12": "in"}}]),
            ),
            calls=(call("BookingSession/spring-gala", "POST", "/api/3.0/booking/session", effect="create"),),
        ),
        change(
            "Resource/court-1",
            "adopt",
            "exists with the same api_ref",
            file="manifests/courts.yaml",
            shown_id="55",
            connection="admin",
            fields=(
                field("address", {"postcode": "N1 1AA"}, {"postcode": "N1 9ZZ", "country": "UK"}),
                field("never_booked", None, True, verifiable=False),
                field("name", "Court 1", "Court\u00a01"),
            ),
        ),
        change(
            "Session/old-spin",
            "delete",
            "is managed and no longer declared",
            shown_id="99",
            fields=(field("name", HOSTILE, None), field("group", "Spin", None), field("email", "", None)),
            bookings=(SlotBookings(slot=None, when=None),),
            calls=(call("Session/old-spin", "DELETE", "/api/sessions/99.xml", effect="delete"),),
        ),
        change("Session/quiet", "noop", "matches", shown_id="7", unverified=("price", "spaces")),
        change("Session/unread", "unknown", f"HTTP 503 from sessions: {HOSTILE}", file="manifests/u.yaml"),
    )


def rich_plan():
    changes = sorted((update(), create(), replace(), *others()), key=lambda item: item.address)
    return Plan(
        project="acme",
        environment="prod",
        tool_version="0.1.0",
        saved_manifest_digest=canonical.digest("manifests"),
        saved_live_digest=canonical.digest("live"),
        changes=tuple(changes),
        problems=(
            Problem(
                code="unused",
                severity="warning",
                summary="label 'seasn' is not used; did you mean 'season'",
                where=SourceRef("manifests/yoga.yaml", 6, 5),
                address=Address.parse("Session/spring-yoga"),
            ),
            Problem(
                code="missing",
                summary=f"`group` names nothing: {HOSTILE}",
                hint="state `group`\nas text",
                where=SourceRef("manifests/a.yaml", 2, 1),
            ),
        ),
        selection=Selection(targets=("Session/*", "*"), excludes=("Resource/x",)),
        managed=60,
        forecast=Forecast(writes=18, reads=4, seconds=22.0, connection="sessions", per_minute=60.0),
        currency="GBP",
        guarded={Address.parse("Session/spring-yoga"): ("guard-booked-slot-lost",)},
        context=CONTEXT,
    )


def quiet_plan(noops=60, **more):
    changes = tuple(
        change(f"Session/s{number:03d}", "noop", "matches", shown_id=str(100 + number)) for number in range(noops)
    )
    return Plan(
        project="acme",
        environment=None,
        tool_version="0.1.0",
        saved_manifest_digest=canonical.digest("manifests"),
        saved_live_digest=canonical.digest("live"),
        changes=changes,
        **more,
    )


def rich_report():
    def outcome(address, action, state, **more):
        return Outcome(address=Address.parse(address), action=action, state=state, **more)

    return Report(
        plan_digest=canonical.digest("plan"),
        interrupted=True,
        context=CONTEXT,
        run=RUN,
        outcomes=(
            outcome("Block/court-1-repairs", "create", "blocked", blocked_by=Address.parse("Resource/court-1")),
            outcome("BookingSession/spring-gala", "create", "unknown", error="the answer was lost", calls=1),
            outcome("Resource/court-1", "adopt", "failed", shown_id="55", error=f"HTTP 422: {HOSTILE}", calls=1),
            outcome("Session/old-spin", "delete", "applied", shown_id="99", calls=1),
            outcome("Session/quiet", "noop", "noop", shown_id="7"),
            outcome(
                "Session/spring-yoga",
                "update",
                "applied",
                shown_id="123",
                calls=2,
                title='"Yoga" · Mondays 11:00',
                fields=update().fields,
                allowed=(
                    Allowance(
                        code="guard-booked-slot-lost",
                        by="--allow-booked Session/*",
                        message=f"the slot of 2027-03-22 11:00 would be deleted; {HOSTILE}",
                    ),
                ),
            ),
            outcome("Session/unread", "unknown", "unknown", error="could not be read"),
        ),
    )


def rich_drift():
    def moved(path, before, after, **more):
        return DriftedField(path=path, before=before, after=after, origin="drift", **more)

    def drifted(address, status, **more):
        return Drifted(address=Address.parse(address), status=status, **more)

    return Drift(
        project="acme",
        environment="prod",
        context=CONTEXT,
        run=RUN,
        objects=(
            drifted("BookingSession/spring-gala", "expired", reason="held until 2027-03-01", shown_id="ab12"),
            drifted("Resource/court-1", "unknown", reason=f"HTTP 500: {HOSTILE}", shown_id="55", total=5),
            drifted("Session/old-spin", "missing", reason="is in no list", shown_id="99"),
            drifted(
                "Session/pop-up",
                "unmanaged",
                reason=f"name {HOSTILE!r}",
                shown_id="12",
                adopt=("reconciler adopt Session/pop-up 12",),
            ),
            drifted("Session/quiet", "in_sync", shown_id="7", total=8, verifiable=7),
            drifted("Session/retired", "ignored", reason="missing", ignored=Ignored(reason="moved to the annexe")),
            drifted(
                "Session/spring-yoga",
                "changed",
                shown_id="123",
                title='"Yoga" · Mondays 11:00',
                total=10,
                verifiable=5,
                since="2027-02-01T08:00:00Z",
                applied=LastApplied(
                    at="2027-01-31T09:00:00Z",
                    run_id="0123456789abcdef",
                    command="apply",
                    context={"holder": HOSTILE, "host": "runner-1"},
                ),
                fields=(
                    moved(
                        "name",
                        "Yoga",
                        HOSTILE,
                        since="2027-02-01T08:00:00Z",
                        fight=Fight(changes=3, since="2027-01-20T08:00:00Z", applied="Yoga", live=HOSTILE),
                    ),
                    moved("price", "10.00", "12.00", declared=True),
                    moved("spaces", 12, 15, ignored=Ignored(reason=HOSTILE, until="2027-12-31")),
                    moved("time", "11:00", "11:30"),
                    moved("slots[2027-03-08 11:00]", slot(8), None),
                ),
            ),
        ),
        notes=(
            Problem(
                code="drift-ignore-expired",
                severity="warning",
                summary="drift.ignore: the entry for Session/* price ended on 2027-01-01 and ignores nothing",
                where=SourceRef("reconciler.yaml", 9, 7),
            ),
        ),
    )
