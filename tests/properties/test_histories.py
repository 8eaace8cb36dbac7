"""One history, applied directly or from saved plans, comes to one end, and nothing of anybody else's is deleted."""

from contextlib import suppress
from dataclasses import dataclass, field

from engine_fakes import (
    KILLED_AFTER,
    KILLED_BEFORE,
    LOST_AFTER,
    LOST_BEFORE,
    REFUSED,
    Killed,
    Office,
    Remote,
    block,
    resource,
    session,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from values import replace

import reconciler
from examples import share_of
from reconciler.documents import codec
from reconciler.documents.load import load_plan
from reconciler.errors import ReconcilerError, StalePlan
from reconciler.model.objects import Address

ENDURED, KILLS = [REFUSED, LOST_BEFORE, LOST_AFTER], [KILLED_BEFORE, KILLED_AFTER]
NAMES = ["yoga", "yoga-new", "zumba", "zumba-new", "course", "court", "closed"]
COURSE = [{"date": "2027-03-01", "time": "09:00"}, {"date": "2027-03-02", "time": "09:00"}]


class Watched(Remote):
    """Systems that know whose each object is: `ours` once a create was answered, or an adoption was shown."""

    def __init__(self, **options):
        super().__init__(**options)
        self.ours, self.deleted, self.killed, self.fates = set(), [], False, {}

    def send(self, call):
        """Send a call; a kill ends everything, so that no other thread sends or records anything after it."""
        self.alive()
        self.faults = [self.fates.pop(call.address.name, None)]  # by object: the order is not that of every plan
        try:
            return self._send(call)
        except Killed:
            self.killed = True
            raise

    def alive(self):
        if self.killed:
            raise Killed

    def _send(self, call):
        before = {kind: set(items) for kind, items in self.objects.items()}
        receipt = super().send(call)
        if call.effect == "create":
            self.ours |= {(kind, key) for kind, items in self.objects.items() for key in items.keys() - before[kind]}
        return receipt

    def _delete(self, kind, remote_id):
        self.deleted.append((kind, shown(self, self.objects[kind].get(remote_id))))
        assert (kind, remote_id) in self.ours, f"{kind} {remote_id} was neither created nor adopted"
        return super()._delete(kind, remote_id)


@dataclass(frozen=True)
class Step:
    """What is declared from now on, what a person does outside, and the faults of the apply that follows, by object."""

    declared: tuple
    faults: dict
    outside: str | None = None
    destroying: bool = False


@st.composite
def declarations(draw):
    """Sessions, a court and its block: declared or not, moved, protected, forgotten, with more or fewer fields."""
    found = []
    for name in ("yoga", "zumba"):
        how = draw(st.sampled_from([None, "plain", "plain", "more", "protect", "moved", "forget"]))
        if how is not None:
            more = {"price": draw(st.sampled_from(["10", "12.50"]))} if how == "more" else {}
            item = session(name, protect=how == "protect", **more)
            if how == "moved":
                old, new = Address("Session", name), Address("Session", f"{name}-new")
                item = replace(item, address=new, moved_from=(old,))
            found.append(replace(item, forget=how == "forget"))
    if draw(st.booleans()):
        found.append(session("course", type="course", repeat="custom", slots=COURSE[: draw(st.integers(1, 2))]))
    if draw(st.booleans()):
        more = {"email": "a@example.com"} if draw(st.booleans()) else {}
        found.append(resource("court", **more))
        if draw(st.booleans()):
            found.append(block("closed", "court"))
    return tuple(found)


def histories(faults, **size):
    """Steps whose calls meet some of these faults."""
    step = st.builds(
        Step,
        declared=declarations(),
        faults=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(faults), max_size=3),
        outside=st.sampled_from([None, None, None, "look-alike", "change", "delete", "adopt"]),
        destroying=st.sampled_from([False] * 7 + [True]),
    )
    return st.lists(step, **size)


OPTIONS = st.fixed_dictionaries(
    {"answers_ids": st.booleans(), "hidden": st.sets(st.sampled_from(["price", "spaces", "type", "email"]))}
)


@dataclass
class Story:
    """One project that lives through a history."""

    options: dict
    office: Office = field(init=False)

    def __post_init__(self):
        remote = Watched(**self.options)
        self.office = Office(remote)
        store = self.office.store
        write = store._write

        def guarded(*arguments, **more):
            remote.alive()
            return write(*arguments, **more)

        store._write = guarded

    def step(self, step, *, saved):
        """Do what a person does outside, then apply, directly or from a saved plan."""
        self.outside(step)
        self.office.remote.fates, self.office.remote.killed = dict(step.faults), False
        with suppress(Killed, ReconcilerError):
            planned = self.look(step)
            if saved and not step.destroying:  # no file destroys
                planned = reconciler.plan_again(self.office, planned.declared, reread(planned.plan))
            self.carry_out(planned)
        self.office.remote.fates, self.office.remote.killed = {}, False

    def look(self, step):
        return self.office.look(*step.declared, destroying=step.destroying)

    def carry_out(self, planned):
        """Apply a plan; what its adoptions name counts as seen by a person."""
        shown = {(item.address.kind, item.remote_id) for item in planned.plan.changes if item.action == "adopt"}
        self.office.remote.ours |= shown
        return self.office.carry_out(planned, workers=1)

    def outside(self, step):
        """Make a look-alike of what is or was declared, change or delete something, or adopt what is live."""
        remote = self.office.remote
        sessions = remote.objects["Session"]
        if step.outside == "look-alike":
            remote.put("Session", dict(session("yoga").fields))
        elif step.outside == "change" and sessions:
            sessions[min(sessions)]["group"] = "Elsewhere"
        elif step.outside == "delete" and sessions:
            del sessions[min(sessions)]
        elif step.outside == "adopt":
            desired = {item.address: item for item in step.declared}
            declared = reconciler.Declared(desired=desired, problems=(), files=1, documents=1)
            with suppress(ReconcilerError):
                record = reconciler.adopt(self.office, declared, Address("Session", "yoga"))
                remote.ours.add(("Session", record.remote_id))

    def end(self):
        """Return all that is live, remembered and deleted, without times, and objects in place of ids."""
        store, remote = self.office.store, self.office.remote
        live = sorted(
            ((kind, shown(remote, item)) for kind, them in remote.objects.items() for item in them.values()), key=repr
        )
        records = {
            address: (
                shown(remote, remote.objects[address.kind].get(item.remote_id)),
                shown(remote, item.fields),
                item.protect,
                item.depends_on,
            )
            for address, item in store.records().items()
        }
        intents = sorted(
            (str(item.address), item.effect, repr(shown(remote, item.fields))) for item in store.open_intents()
        )
        return live, records, intents, store.forgotten(), sorted(remote.deleted, key=repr)


def shown(remote, fields):
    """Return fields with a resource in place of its id, and slots without theirs."""
    if fields is None:
        return None
    found = {**fields}
    if "resource_id" in found:
        found["resource_id"] = remote.objects["Resource"].get(found["resource_id"], {}).get("name")
    if "slots" in found:
        found["slots"] = [{key: value for key, value in slot.items() if key != "id"} for slot in found["slots"]]
    return found


def reread(plan):
    """Return a plan as it comes back from its file."""
    return load_plan(codec.dumps(codec.plan_document(plan)))


@given(histories(ENDURED, min_size=1, max_size=4), st.data(), OPTIONS)
@settings(max_examples=share_of(60))
def test_saved_plans_and_direct_applies_come_to_one_end(history, data, options):
    direct, saved, mixed = Story(options), Story(options), Story(options)
    for step in history:
        direct.step(step, saved=False)
        saved.step(step, saved=True)
        mixed.step(step, saved=data.draw(st.booleans()))
        assert direct.end() == saved.end() == mixed.end()


@given(histories(ENDURED + KILLS, min_size=2, max_size=5), OPTIONS)
@settings(max_examples=share_of(40))
def test_a_saved_plan_that_is_stale_writes_nothing_to_the_record_either(history, options):
    story = Story(options)
    old = None
    for step in history:
        if old is not None:
            before, sent = story.end(), len(story.office.remote.sent)
            with suppress(ReconcilerError):
                fresh = story.look(step)
                try:
                    again = reconciler.plan_again(story.office, fresh.declared, old)
                except StalePlan:
                    assert (story.end(), len(story.office.remote.sent)) == (before, sent)
                else:
                    written = [item for item in again.plan.changes if item.writes]
                    assert {item.address for item in written} <= {item.address for item in fresh.plan.effective}
        story.step(step, saved=False)
        with suppress(ReconcilerError):
            old = reread(story.look(step).plan)


@given(histories(ENDURED + KILLS, min_size=1, max_size=5), OPTIONS, st.booleans())
@settings(max_examples=share_of(50))
def test_after_an_apply_that_ended_well_nothing_is_left_to_record(history, options, saved):
    story = Story(options)
    for step in history:
        story.step(step, saved=saved)
    last = replace(history[-1], faults={}, outside=None)
    with suppress(ReconcilerError):
        if story.carry_out(story.look(last)).clean:
            assert story.look(last).plan.effective == ()
