"""The demo's steps: a leisure centre's timetable from the first plan to a booking that blocks an apply."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.cli.demo.stage import Edit, Stage
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox import Sandbox

_READS = frozenset({"GET", "HEAD"})
_TIMETABLE = "manifests/timetable"


PULL_REQUEST = (
    Edit(
        file=f"{_TIMETABLE}/cardio.yaml",
        at="metadata: {name: spin-evening",
        before="  price: 6.50\n",
        after="  price: 6.95\n",
    ),
    Edit(
        file=f"{_TIMETABLE}/wellbeing.yaml",
        at="metadata: {name: pilates-tuesday",
        before="  name: Pilates\n",
        after="  name: Tuesday pilates\n",
    ),
    Edit(
        file=f"{_TIMETABLE}/courses.yaml",
        at="metadata: {name: learn-to-swim-stage-1",
        before="    - {date: 2027-05-05, time: 16:00}\n",
        after="    - {date: 2027-05-06, time: 16:30}\n",
    ),
    Edit(
        file=f"{_TIMETABLE}/courses.yaml",
        at="metadata: {name: couch-to-5k",
        before="  # not in the half-term weekend\n",
        after="  # not in the half-term weekend\n    - {date: 2027-06-12, time: 9:00}\n",
    ),
    Edit(
        file="manifests/closures/maintenance.yaml",
        before="""apiVersion: reconciler/v1
kind: Block
metadata: {name: studio-2-mirrors, labels: {reason: maintenance}}
spec:
  resource: studio-2
  start: 2027-06-24T13:00
  end: 2027-06-24T17:00
  timezone: Europe/London
---
""",
        after="",
    ),
    Edit(
        file=f"{_TIMETABLE}/kettlebells.yaml",
        after="""apiVersion: reconciler/v1
kind: Session
metadata: {name: kettlebells, labels: {season: summer, theme: cardio}}
spec:
  name: Kettlebells
  type: recurring_event
  group: Fitness
  start_date: 2027-05-06
  end_date: 2027-06-17
  time: 18:00
  duration: 45
  repeat: weekly
  spaces: 12
  price: "{{ values.prices.class }}"
""",
    ),
)

BOOKED_MOVE = (
    Edit(
        file=f"{_TIMETABLE}/courses.yaml",
        at="metadata: {name: learn-to-swim-stage-2",
        before="    - {date: 2027-05-12, time: 16:35}\n",
        after="    - {date: 2027-05-13, time: 16:35}\n",
    ),
)
REVERTED = tuple(
    Edit(file=edit.file, at=edit.at, before=edit.after, after=edit.before) for edit in reversed(BOOKED_MOVE)
)


OUTING = (
    Edit(
        file="manifests/kayak-trip.yaml",
        after="""\
apiVersion: reconciler/v1
kind: BookingSession
metadata: {name: kayak-trip}
spec:
  on_expiry: recreate
  items:
    - key: kayaks
      item_id: 18
      start_date: 2027-06-05
      end_date: 2027-06-05
      params: {adults: 6, children: 2}
""",
    ),
)


def play(stage: Stage, *, kept: bool) -> None:
    """Run every step; ReconcilerError where one does not end as expected."""
    stage.say(
        "A leisure centre keeps its timetable in Git: rooms, classes, courses and closures, in YAML.",
        f"The booking system of this demo is a sandbox in this process, at {stage.sandbox.url}.",
        "It returns every field of a session, including the price, so that drift of a price is visible.",
    )
    _first_timetable(stage)
    _pull_request(stage)
    _manual_changes(stage)
    _bookings_first(stage)
    _outing(stage)
    _requests(stage, kept=kept)


def _first_timetable(stage: Stage) -> None:
    stage.step("Check the manifests", "Offline: no network, no credentials.")
    stage.run("validate")
    stage.step("Plan", "The system is empty, so everything is new. Nothing is written yet.")
    stage.run("plan", first=7, last=17)
    _check(_writes(stage.sandbox) == 0, "a plan sent a writing call")
    stage.step("Apply", "`apply` shows the plan again and asks; `--yes` answers for you.")
    stage.run("apply", "--yes", first=0, last=7)
    stage.step(
        "Plan again",
        "The live timetable matches the manifests, so there is nothing to do. Fields that the API never returns",
        "are compared with what was last applied, and the plan says so.",
    )
    stage.run("plan", "--detailed-exitcode")


def _pull_request(stage: Stage) -> None:
    stage.step(
        "A pull request changes the timetable",
        "A new price, a new name, one swimming lesson on another day, a fifth run, one closure fewer,",
        "and a new class:",
    )
    stage.edit(PULL_REQUEST)
    stage.run("plan", "--out", "pr.plan", "--detailed-exitcode", expect=2)
    stage.step("It is merged: apply exactly that plan")
    stage.run("apply", "pr.plan", "--yes", first=0, last=7)


def _manual_changes(stage: Stage) -> None:
    sandbox = stage.sandbox
    stage.step(
        "Someone changes the live timetable by hand",
        "At the front desk: aqua fit gets another price, a lesson starts later, a closure is deleted.",
    )
    sandbox.edit_session(_session_id(sandbox, "Aqua fit"), price="9.00")
    sandbox.edit_slot(_slot_id(sandbox, "Learn to swim: stage 2", "2027-04-28"), time="17:00")
    sandbox.delete("slot", _block(sandbox, "Learner Pool"))
    stage.run("drift", expect=2)
    stage.step("Repair it", "The manifests declare the timetable, so the next apply repairs it.")
    stage.run("apply", "--yes")
    stage.run("drift")


def _bookings_first(stage: Stage) -> None:
    sandbox = stage.sandbox
    stage.step(
        "Customers book, and a change would move their lesson",
        "Four children are booked for 12 May. The manifest wants to move that lesson by a day:",
    )
    lesson = _slot(sandbox, "Learn to swim: stage 2", "2027-05-12")
    sandbox.book(_slot_id(sandbox, "Learn to swim: stage 2", "2027-05-12"), places=4)
    stage.edit(BOOKED_MOVE)
    before = _writes(sandbox)
    stage.run("apply", "--yes", expect=4)
    _check(_writes(sandbox) == before, "a refused apply sent a writing call")
    after = _slot(sandbox, "Learn to swim: stage 2", "2027-05-12")
    _check(after == {**lesson, "spaces_booked": 4}, "a refused apply changed a booked slot")
    stage.say("", "Writing calls that the sandbox received: 0. The edit is reverted:")
    stage.edit(REVERTED)
    stage.run("plan", "--detailed-exitcode")


def _outing(stage: Stage) -> None:
    stage.step(
        "Places are held with a partner",
        "Eight kayaks for a club trip. A hold expires automatically; the manifest says what happens then:",
    )
    stage.edit(OUTING)
    stage.run("apply", "--yes")
    _check(len(stage.sandbox.holds()) == 1, "the places are not held")
    stage.sandbox.expire_sessions()
    stage.say("", "Hours later:")
    stage.run("drift", expect=2)
    stage.run("apply", "--yes", first=7, last=3)


def _requests(stage: Stage, *, kept: bool) -> None:
    methods = Counter(entry.method for entry in stage.sandbox.log())
    stage.step("All requests to the sandbox")
    for method in sorted(methods):
        stage.say(f"  {method:<7}{methods[method]:>4}")
    stage.say("")
    if kept:
        stage.say(
            "The sandbox of this demo has stopped. The project folder is kept.",
            "Its README.md says how to continue: `reconciler sandbox` in another terminal.",
        )
    else:
        stage.say("The sandbox of this demo has stopped. Its temporary folder is removed.")


def _check(fine: bool, failure: str) -> None:
    if not fine:
        raise ReconcilerError(f"the demo failed: {failure}", hint="this is a defect; please report it")


def _writes(sandbox: Sandbox) -> int:
    return sum(entry.method not in _READS for entry in sandbox.log())


def _session_id(sandbox: Sandbox, name: str) -> int:
    return next(int(session["id"]) for session in sandbox.sessions() if session["name"] == name)


def _slot(sandbox: Sandbox, session: str, date: str) -> Mapping[str, object]:
    slots = next(item["slots"] for item in sandbox.sessions() if item["name"] == session)
    found: Mapping[str, object] = next(slot for slot in slots if slot["date"] == date)
    return found


def _slot_id(sandbox: Sandbox, session: str, date: str) -> int:
    return int(str(_slot(sandbox, session, date)["id"]))


def _block(sandbox: Sandbox, resource: str) -> int:
    rooms = {room["id"] for room in sandbox.resources() if room["name"] == resource}
    found: int = next(slot["id"] for slot in sandbox.slots() if slot["resource_id"] in rooms)
    return found
