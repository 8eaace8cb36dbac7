"""A state machine that edits, meddles, breaks and reruns, and then wants everything as declared.

Most runs are in this process, for speed; some are real processes that are killed. What the machine draws
depends on its seed alone, so that the same seed makes the same edits.
"""

from __future__ import annotations

import contextlib
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from chaos_town import APPLY, APPLY_SAVED, KINDS, PLAN, Key, Town
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from reconciler.engine import intents, readback
from reconciler.providers.http import HttpClient
from reconciler.sandbox import Fault, Options, Sandbox

SWITCHES = {
    name: values
    for name, values in Options.choices().items()
    if name not in {"several_companies", "require_app_key", "login_status", "expired_status", "booked_delete"}
}
"""What servers differ in, but for who is let in, and for refusals to delete that no rerun can overcome."""

SIZE = (4, 3, 4, 1)
TIMEOUT, CALM = 0.6, 10.0
MARGIN = 1.2
SETTLE_AFTER = 1.2
"""With the timeout and the margin, longer than reads are behind here."""
RUNS, TIDES = 2, 2
_WITH = ("Resource", "Block")
WORKERS_SEEN = 30.0

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status_before", "status": 429, "retry_after": 0},
    {"kind": "status_before", "status": 429},
    {"kind": "status_before", "status": 500},
    {"kind": "status_before", "status": 503, "retry_after": 0},
    {"kind": "status_after", "status": 502},
    {"kind": "status_after", "status": 500},
    {"kind": "page_before"},
    *({"kind": "refusal_before"},) * 4,
    *({"kind": "drop_before"}, {"kind": "drop_after"}) * 3,
    {"kind": "latency", "seconds": TIMEOUT * 1.3},
    {"kind": "garbage"},
    {"kind": "garbage", "binary": True},
    {"kind": "truncate"},
    {"kind": "wrong_type"},
    {"kind": "slow_body", "seconds": 0.1},
)
"""The misfortunes; "before" and "after" are before and after the server has carried the call out."""

SPELLINGS = ("strip", "trim", "crlf", "lf", "nfc", "nfd", "lower")
"""How servers spell texts that they store; all of it means the same."""

EDITS = ("new",) * 4 + ("change",) * 4 + ("drop",) * 4 + ("protect", "rename")

METHODS = {"new": "POST", "change": "PUT", "drop": "DELETE"}
"""What an edit has the next apply send. Misfortune that aims elsewhere hits nothing, and proves nothing."""

READS = (
    r"/api/sessions(\.xml)?$",
    r"/api/sessions/\d+",
    r"/resources?$",
    r"/resources?/\d+",
    r"/slots",
    r"/booking/session",
)
READ_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status_before", "status": 500},
    {"kind": "drop_before"},
    {"kind": "refusal_before"},
    {"kind": "garbage"},
    {"kind": "truncate"},
    {"kind": "wrong_type"},
)
"""What a failed read looks like: it must never be taken for an empty list, or for an object that is gone."""


class Figures:
    """What all machines of this process came to; `limit` ends a run's examples early."""

    def __init__(self) -> None:
        self.examples = self.runs = self.calls = 0
        self.kills: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.steps: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.weather: Counter[str] = Counter()

    def __str__(self) -> str:
        def listed(counts: Counter[str]) -> str:
            return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"

        return "\n".join(
            [
                f"examples {self.examples}, runs {self.runs}, calls {self.calls}",
                f"kills -9: {listed(self.kills)} ({self.kills.total()} in all)",
                f"examples in which reads were behind, or texts spelled: {listed(self.weather)}",
                f"steps: {listed(self.steps)}",
                f"faults that hit: {listed(self.faults)} ({self.faults.total()} in all)",
                f"questions that the plan left to a person: {listed(self.asked)}",
            ]
        )


FIGURES = Figures()


class Chaos(RuleBasedStateMachine):
    """One town's life: rules are what happens to it, `teardown` is the calm after the storm."""

    box: Sandbox
    kills_allowed = 0

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        """Start with an empty server of some kind, and a town with a few of everything."""
        self.draw = random.Random(seed)
        self.box.set_options(**{name: getattr(Options(), name) for name in Options.choices()})
        self.box.set_options(
            **{name: self.draw.choice(SWITCHES[name]) for name in self.draw.sample(sorted(SWITCHES), 10)}
        )
        if self.box.options.altered_slip == "kept":
            self.box.set_options(line_fields="all")  # else no answer shows that a quantity was changed outside
        self.box.reset()
        self.box.clear_faults()
        self.box.clear_log()
        self.folder = tempfile.TemporaryDirectory()
        self.weather = self._weather()
        self.box.set_options(**self.weather)
        self.tides = self._tides()
        self.town = Town(
            folder=Path(self.folder.name),
            box=self.box,
            rng=self.draw,
            timeout=TIMEOUT,
            settle_after=SETTLE_AFTER,
            tides=self.tides["slots"],
        )
        self.town.fill(*SIZE)
        self.fresh = Counter(dict(zip(KINDS, SIZE, strict=True)))
        self.booked: dict[int, int] = {}
        self.kept: dict[Key, None] = {}
        self.guarded: dict[Key, list[Any]] = {}
        self.kills = 0
        self.coming = ["POST"]
        self.allowed: list[str] = []
        self.saved = self.draw.choice([0, 0.5, 1])
        FIGURES.examples += 1

    def _weather(self) -> dict[str, Any]:
        """Draw how far reads are behind writes, and how the server spells what it stores."""
        lag = self.draw.choice([{}, {}, {"lag_reads": self.draw.randint(1, 4)}, {"lag_seconds": 1}])
        apis = self.draw.sample(["sessions", "admin", "checkfront"], self.draw.randint(1, 3))
        spells = self.draw.sample(SPELLINGS, self.draw.choice([0, 0, 1, 2]))
        FIGURES.weather.update([*lag, *(f"spells {name}" for name in spells)])
        return {"lag_reads": 0, "lag_seconds": 0, **lag, "lagging": ",".join(apis), "spells": ",".join(spells)}

    @property
    def _is_behind(self) -> bool:
        return bool(self.weather["lag_reads"] or self.weather["lag_seconds"])

    def _tides(self) -> Counter[str]:
        """In every second example lists have several pages, which shift while they are read: return how often."""
        if self.draw.random() < 0.5:
            self.box.set_options(page_size=0)
            return Counter()
        # What moves is the first of a list. That must be somebody else's.
        self.box.set_options(page_size=self.draw.randint(2, 4), list_order="id")
        return Counter(resources=TIDES, slots=TIDES)

    # -- what happens

    @rule()
    def day(self) -> None:
        """Live through a day: edits, meddling, misfortune, each in its measure, and an apply."""
        if self.draw.random() < 0.5:  # what is refused stops a whole apply, and that storm would be over
            self._release()
        for _ in range(self.draw.randint(1, 5)):
            self._edit()
        for _ in range(self.draw.choice([0, 0, 1, 2])):
            self._meddle()
        if self.draw.random() < 0.5:
            self.box.clear_faults()
        for _ in range(self.draw.choice([0, 2, 3, 4, 5])):
            self._misfortune()
        self.apply()

    @rule()
    def another_day(self) -> None:
        """Days are what there is most of."""
        self.day()

    @rule()
    def one_more_day(self) -> None:
        """Days are what there is most of."""
        self.day()

    @rule()
    def apply(self) -> None:
        """Run an apply; under faults it may end any way but in a crash."""
        FIGURES.steps["apply"] += 1
        self._apply()
        self._nothing_lost()

    @rule()
    def sleep_on_it(self) -> None:
        """Save a plan, let things happen, and carry it out: it fits or it is stale, and it runs once."""
        FIGURES.steps["saved plan"] += 1
        self._edit()
        if not self.town.save_plan():
            return
        for _ in range(self.draw.choice([0, 0, 1])):
            self._edit()
        for _ in range(self.draw.choice([0, 0, 1])):
            self._meddle()
        self._carry_out()

    def _carry_out(self) -> None:
        """Apply the saved plan: whatever has happened since, it is carried out once, or refused."""
        FIGURES.runs += 1
        done = self.town.run(APPLY_SAVED)
        FIGURES.steps[f"saved plan ended {done.code}"] += 1
        self._nothing_lost()
        if done.code in {0, 3} and any(item["state"] in {"applied", "unknown"} for item in done.json["outcomes"]):
            before = self._writes()  # where all calls failed, nothing was carried out and it can be tried again
            again = self.town.run(APPLY_SAVED)
            assert again.code != 3, again
            sent = [f"{entry.method} {entry.path}" for entry in self.box.log() if entry.method != "GET"][before:]
            assert not sent, f"a saved plan was carried out twice: {sent} after {done} and {again}"

    @rule()
    def look(self) -> None:
        """Plan and drift: neither writes."""
        FIGURES.steps["look"] += 1
        before = len(self.box.log())
        self.town.desk.run("plan", "--format", "json")
        self.town.desk.run("drift", "--format", "json")
        assert {entry.method for entry in self.box.log()[before:]} <= {"GET"}

    @rule()
    def kill(self) -> None:
        """Edit, break, and kill a real process somewhere in its run; without a kill to spare, a plain day.

        What is killed is an apply, that of a saved plan, one between a plan and its apply, or the plan itself.
        """
        if self.kills >= self.kills_allowed:
            self.day()
            return
        self.kills += 1
        self._edit()
        self._misfortune()
        victim = self.draw.choice(["apply", "apply of a saved plan", "apply after a saved plan", "plan"])
        if "saved plan" in victim and not self.town.save_plan():
            return
        if victim == "plan":
            self._kill(PLAN, victim, self._calls)
        else:
            self._kill(APPLY_SAVED if victim == "apply of a saved plan" else APPLY, victim, self._writes)
        self._nothing_lost()
        if victim != "apply" and self.town.has_plan:
            self._carry_out()

    def _kill(self, command: list[str], victim: str, count: Callable[[], int]) -> None:
        """Kill a command once the server has seen a few more calls of it."""
        wanted, before = self.draw.randint(1, 6), count()
        process = self.town.start(command)
        deadline = time.monotonic() + WORKERS_SEEN
        while process.poll() is None and time.monotonic() < deadline and count() - before < wanted:
            time.sleep(0.002)
        FIGURES.kills[victim] += process.poll() is None
        process.kill()
        process.wait(timeout=WORKERS_SEEN)

    def _edit(self) -> None:
        """Edit a manifest: a new object, other values, protection, or one object less."""
        key = self._some()
        choice = self.draw.choice(EDITS)
        FIGURES.steps[f"edit {choice}"] += 1
        self.coming += [METHODS[choice]] if choice in METHODS else []
        if choice == "new" or key is None:
            self._add()
        elif choice == "change":
            self.town.declare(key)
        elif choice == "protect" and key[0] != "BookingSession":
            self.town.metadata[key] = {"protect": True}
            self.kept[key] = None  # once it is applied, it protects itself from then on
            self.town.declare(key)
        elif choice == "rename":
            before = self.town.rename(key)
            # It refuses what is not managed yet; then the old name is an object less, the new one an object more.
            self.town.desk.run("state", "mv", before, f"{key[0]}/{self.town.named(key)}")
        elif not self._needed(key):
            self.town.drop(key)

    def _meddle(self) -> None:
        """Change, delete, add or book something outside."""
        what = self.draw.choice(["change", "change", "delete", "add", "book", "expire"])
        FIGURES.steps[f"outside {what}"] += 1
        {
            "change": self._change_outside,
            "delete": self._delete_outside,
            "add": self._add_outside,
            "book": self._book,
            "expire": self.box.expire_sessions,
        }[what]()

    def _misfortune(self) -> None:
        """Arm a fault for calls to come: one that passes, or a read that fails for longer than it is tried."""
        FIGURES.steps["fault armed"] += 1
        tide = self.draw.choice(["resources", "slots"])
        if self.tides[tide] and self.draw.random() < 0.5:
            self.tides[tide] -= 1
            after = self.draw.randint(1, 3)
            self.box.fault(Fault(kind="shift_before", match_method="GET", match_path=f"/{tide}$", after=after))
            return
        when: dict[str, Any] = {
            "match_method": self.draw.choice([None, *self.coming]),
            "after": self.draw.choice([0, 0, 0, 1, 3]),
        }
        if self.draw.random() < 0.3:
            when = {"match_method": "GET", "match_path": self.draw.choice(READS), "after": self.draw.randint(0, 1)}
            self.box.fault(Fault(**self.draw.choice(READ_FAULTS), **when, times=self.draw.choice([4, 12, 40])))
            return
        self.box.fault(Fault(**self.draw.choice(FAULTS), **when, times=self.draw.choice([1, 2, 4])))

    # -- the calm after the storm

    def teardown(self) -> None:
        """End the faults: at most two runs, and what the plan asks a person, make live what is declared."""
        if not hasattr(self, "town"):
            return
        try:
            self.box.clear_faults()
            self.box.set_options(lag_reads=0, lag_seconds=0)
            self.town.take_time(CALM)
            self._nothing_lost()
            self._release()
            self._settle()
            found = self.town.differences()
            assert not found, found
            assert self.town.untouched(), "a foreign object is not as it was"
            records = self.town.desk.run("state", "list", "--format", "json", code=0).json["objects"]
            assert len(records) == len(self.town.declared) == len(list(self.town.found()))
        finally:
            FIGURES.faults.update(kind for entry in self.box.log() if entry.fault for kind in entry.fault.split("+"))
            FIGURES.calls += len(self.box.log())
            self.folder.cleanup()

    def _settle(self) -> None:
        for _ in range(3):  # a person may be asked about one thing after another
            for _ in range(RUNS):
                done = self._apply()
                if done.code == 0:
                    break
            plan = self.town.desk.run("plan", "--wait", "--format", "json", "--detailed-exitcode")
            if plan.code == 0:
                assert done.code == 0, done
                return
            assert plan.out, plan
            if not self._answer(plan.json["changes"]) and not self._allow(done):
                break
        left = [
            f"{change['action']} {change['address']}: {change['reason']}"
            for change in plan.json["changes"]
            if change["action"] != "noop"
        ]
        raise AssertionError(f"not settled: exit {done.code}, {left}, {done.err[-800:]}")

    def _answer(self, changes: list[dict[str, Any]]) -> bool:
        """Do what the plan asks a person to do; return whether it asked anything."""
        asked = False
        for change in changes:
            kind, _, name = change["address"].partition("/")
            if change["action"] != "unknown":
                continue
            if "cannot list" in change["reason"]:
                FIGURES.asked["a booking session in doubt"] += 1
                self.town.forget_doubted([name])
            elif "could be its result" in change["reason"]:
                newer = "newer objects" in change["reason"]
                words = "a creation in doubt while others made something" if newer else "a creation found by its values"
                FIGURES.asked[words] += 1
                self._adopt_or_forget((kind, name.partition("-")[0]), change["address"])
            elif "no read shows its effect yet" in change["reason"]:
                FIGURES.asked["a creation that was deleted outside before it was seen"] += 1
                gone = change["remote_id"]
                assert gone not in {str(seen["id"]) for _, seen in self.town.found()}, change
                self.town.desk.run("state", "rm", change["address"], code=0)
            else:
                continue
            asked = True
        return asked

    def _allow(self, done: Any) -> bool:
        """Let through what is refused because the server tells no bookings: here it is known that none are left."""
        asked = set(re.findall(r"--allow-booked (\S+)", done.err)) - set(self.allowed)
        FIGURES.asked["bookings that the server does not tell"] += len(asked)
        self.allowed += sorted(asked)
        return bool(asked)

    def _adopt_or_forget(self, key: Key, address: str) -> None:
        live = self.town.live(key)
        assert len(live) <= 1, (key, live)
        if not live or address != f"{key[0]}/{self.town.named(key)}":
            self.town.desk.run("state", "rm", address, code=0)
            return
        declared = key in self.town.declared
        if not declared:
            self.town.declare(key)
        self.town.desk.run("adopt", address, str(live[0]), code=0)
        if not declared:
            self.town.drop(key)

    def _release(self) -> None:
        """Cancel what is booked, and take protection off: first in the manifests, which then may go."""
        for slot, places in self.booked.items():
            self.box.book(slot, -places)
        self.booked.clear()
        self.guarded.clear()
        for key in list(self.town.metadata):
            self.town.metadata[key] = {}
            self.town.declare(key)
        for key in self.kept:
            if key not in self.town.declared:
                self.town.declare(key)

    # -- helpers

    def _apply(self) -> Any:
        FIGURES.runs += 1
        allowed = [word for name in self.allowed for word in ("--allow-booked", name)]
        saved = self.draw.random() < self.saved
        FIGURES.steps["apply of a saved plan"] += saved
        done = self.town.apply(*allowed, saved=saved)
        self.coming = ["POST"]
        if done.code == 0:
            protected = [key for key, stated in self.town.metadata.items() if stated.get("protect")]
            self.guarded |= {key: self.town.live(key) for key in protected}
        self.allowed = [] if done.code in {0, 64} else self.allowed  # one that is done with is not of the plan any more
        return done

    def _calls(self) -> int:
        return len(self.box.log())

    def _writes(self) -> int:
        return sum(1 for entry in self.box.log() if entry.method != "GET")

    def _some(self) -> Key | None:
        keys = sorted(self.town.declared)
        return self.draw.choice(keys) if keys else None

    def _needed(self, key: Key) -> bool:
        return any(spec.get("resource") == key[1] for spec in self.town.declared.values()) and key[0] == "Resource"

    def _add(self) -> None:
        kind = self.draw.choice(KINDS)
        if kind == "Block" and not self.town.names("Resource"):
            kind = "Resource"
        if self.fresh[kind] < 28:
            letter = "h" if kind == "BookingSession" else kind[0].lower()
            self.town.declare((kind, f"{letter}{self.fresh[kind]:02}"))
            self.fresh[kind] += 1

    def _ours(self, kind: str) -> list[tuple[Key, dict[str, Any]]]:
        return sorted((key, seen) for key, seen in self.town.found() if key[0] == kind)

    def _change_outside(self) -> None:
        kind = self.draw.choice(["Session", "Resource", "BookingSession"])
        ours = self._ours(kind)
        if not ours:
            return
        key, seen = self.draw.choice(ours)
        if kind == "Session":
            hidden = self.box.options.show_fields != "all"  # what is not answered cannot be seen to change
            change = self.draw.choice(
                [
                    {"group": "Elsewhere"},
                    {"name": f"Renamed {key[1]}"},
                    {"group": "There"} if hidden else {"price": "99"},
                ]
            )
            self.box.edit_session(seen["id"], **change)
        elif kind == "Resource":
            change = self.draw.choice([{"description": "Elsewhere"}, {"name": f"Renamed {key[1]}"}])
            self.box.edit_resource(seen["id"], **change)
        else:
            hold = next(item for item in self.box.holds() if item["id"] == seen["id"])
            line = next((item for item in hold["lines"] if item["item_id"] == 21), None)
            if line is not None:
                self.box.edit_line(hold["id"], line["line_id"], params={"qty": self.draw.randint(1, 3)})

    def _delete_outside(self) -> None:
        kind = self.draw.choice(KINDS)
        ours = self._ours(kind)
        if not ours:
            return
        key, seen = self.draw.choice(ours)
        # Blocks go with their resource.
        self.guarded = {one: ids for one, ids in self.guarded.items() if one != key and (kind, one[0]) != _WITH}
        if kind == "BookingSession":
            self.box.expire_session(seen["id"])
            return
        for slot in seen.get("slot_ids", ()):
            self.booked.pop(slot, None)
        self.box.delete({"Session": "session", "Resource": "resource", "Block": "slot"}[kind], seen["id"])

    def _add_outside(self) -> None:
        number = len(self.box.log())
        kind = self.draw.choice(["session", "resource", "block"])
        if kind == "session":
            self.box.add_session({"name": f"Foreign {number}", "group": "Theirs", "start_date": "2027-03-02"})
        elif kind == "resource":
            self.box.add_resource({"name": f"Foreign {number}"})
        else:
            self.box.add_block(self.town.court, f"2026-01-02T{self.draw.randint(8, 20):02}:00Z", "2026-01-02T22:00Z")
        self.town.note_foreign()

    def _book(self) -> None:
        slots = [slot["id"] for session in self._truths() for slot in session["slots"]]
        if slots and not self._is_behind:  # nobody can spare a booking that no answer shows
            slot, places = self.draw.choice(slots), self.draw.randint(1, 3)
            self.box.book(slot, places)
            self.booked[slot] = self.booked.get(slot, 0) + places

    def _truths(self) -> list[dict[str, Any]]:
        return [item for item in self.box.sessions() if item["id"] not in self.town.foreign["session"]]

    def _nothing_lost(self) -> None:
        """Assert what holds at any moment, storm or not."""
        self.town.follow_tides()
        assert self.town.untouched(), "a foreign object is not as it was"
        assert not self.town.attempts(), f"a foreign object was written to: {self.town.attempts()}"
        gone = {key: ids for key, ids in self.guarded.items() if not set(ids) <= set(self.town.live(key))}
        assert not gone, f"protected, and not there any more: {gone}"
        live = {slot["id"]: slot["spaces_booked"] for session in self._truths() for slot in session["slots"]}
        lost = {slot: places for slot, places in self.booked.items() if live.get(slot, 0) < places}
        assert not lost, f"bookings lost on slots {lost}"
        doubled = [item for item in self.town.differences().duplicates if "BookingSession" not in item]
        assert not doubled, f"doubled: {doubled}"


@contextlib.contextmanager
def hurried() -> Iterator[None]:
    """Shorten what runs in this process would only wait for."""
    quick = {**(HttpClient.__init__.__kwdefaults__ or {}), "backoff": 0.01}
    with (
        mock.patch.object(intents, "PENDING_MARGIN", MARGIN),
        mock.patch.object(intents, "PROMPT", 0.1),
        mock.patch.object(readback, "LOOKS", (0.05, 0.1, 0.2, 0.4)),
        mock.patch.object(HttpClient.__init__, "__kwdefaults__", quick),
    ):
        yield


def storm(seed: int, *, examples: int, steps: int, kills: int = 0) -> None:
    """Run a seeded number of examples; the first failure is raised with the steps that led to it."""
    with hurried(), Sandbox() as box:
        machine = seeded(seed)(type("Chaos", (Chaos,), {"box": box, "kills_allowed": kills}))
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
                report_multiple_bugs=False,
            ),
        )
