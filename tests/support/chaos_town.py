"""A town under chaos: what is declared, what is live, what is somebody else's, and how they differ.

Every declared object carries a token (`s03`, a day of its own) that stays the same through every edit, so that
the server's truth can be told apart object by object without asking the program under test.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from desk import CREDENTIALS, Desk, Done

from reconciler.engine import intents
from reconciler.sandbox import Options, Sandbox

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: town}}
spec:
  manifests: [manifests]
  policy: {{max_deletes: 1000, max_change_percent: 100}}
  connections:
    sessions:
      provider: bookingbug-sessions
      base_url: {url}
      timeout: {timeout}
      settle_after: {settle_after}
      auth: {{username: {{env: BB_USERNAME}}, password: {{env: BB_PASSWORD}}}}
    admin:
      provider: bookingbug-admin
      base_url: {url}
      timeout: {timeout}
      settle_after: {settle_after}
      company_id: 37004
      auth: {{app_id: {{env: BB_APP_ID}}, app_key: {{env: BB_APP_KEY}}, auth_token: {{env: BB_TOKEN}}}}
    shop:
      provider: checkfront
      base_url: {url}
      timeout: {timeout}
      settle_after: {settle_after}
      auth: {{key: {{env: CF_KEY}}, secret: {{env: CF_SECRET}}}}
"""
ENV = {**CREDENTIALS, "CF_KEY": Options().checkfront_key, "CF_SECRET": Options().checkfront_secret}

_COMMAND = [sys.executable, "-P", "-m", "reconciler"]
_TO_JSON = ("--wait", "--allow-empty", "--format", "json")
APPLY = [*_COMMAND, "apply", "--yes", *_TO_JSON]
SAVED = "saved.plan"
PLAN = [*_COMMAND, "plan", "--wait", "--out", SAVED]
APPLY_SAVED = [*_COMMAND, "apply", SAVED, "--yes", *_TO_JSON]
LONGEST = 1.5
"""Seconds that a hurried run waits for open calls at most: more than reads are behind anywhere here."""
_HURRIED = f"""\
import time
from types import SimpleNamespace
from reconciler.__main__ import main
from reconciler.engine import intents
wait = lambda seconds: time.sleep(min(seconds, {LONGEST}))
intents.time = SimpleNamespace(sleep=wait, monotonic=time.monotonic, time=time.time)
main()
"""
KINDS = ("Session", "Resource", "Block", "BookingSession")
BLOCKED = 3
_CAFES = ("Caf\u00e9", "Cafe\u0301")
_ENDS = ("", "", "\n", "\nBring a towel.\n", " at the Cafe\u0301")
"""Texts that servers store in more than one way."""


_TARGET = re.compile(r"/(api/sessions|resources?|admin/\d+/slots)/(\d+)")
_TABLES = {"api/sessions": "session", "resource": "resource", "resources": "resource"}

Key = tuple[str, str]
"""Kind and name of a declared object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What is wrong with the live system: all four are empty where it is as declared."""

    duplicates: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.duplicates or self.losses or self.orphans or self.wrong)


@dataclass
class Town:
    """A project folder, a sandbox, and what ought to be there. `doubted` are bookings whose creation was lost."""

    folder: Path
    box: Sandbox
    rng: random.Random
    timeout: float = 60.0
    settle_after: float = 0
    hurried: bool = False
    """Whether runs wait only as long as reads are behind: the test knows that the server has ended every call."""
    state: str | None = None
    """URL of the state; None for the default."""
    tides: int = 0
    """How many resources and blocks of somebody else's are the first in lists: those that a shift of pages moves."""

    declared: dict[Key, dict[str, Any]] = field(default_factory=dict)
    metadata: dict[Key, dict[str, Any]] = field(default_factory=dict)
    foreign: dict[str, Any] = field(default_factory=dict)
    names_of: dict[Key, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.desk = Desk(self.folder, self.box)
        self.desk.env = {**os.environ, **ENV, "NO_COLOR": "1"}
        self.take_time(self.timeout)
        for number in range(self.tides):
            tide = self.box.add_resource({"name": f"Foreign tide {number}"})
            self.box.add_block(tide, f"2027-05-01T0{number}:00:00Z", f"2027-05-01T0{number}:30:00Z")
        self.court = court = self.box.add_resource({"name": "Foreign court"})
        self.box.add_session(
            {"name": "Foreign class", "group": "Theirs", "start_date": "2027-03-01", "time": "10:00", "price": "1.00"}
        )
        self.box.add_block(court, "2026-01-01T08:00:00Z", "2026-01-01T09:00:00Z")
        self.foreign = self._truth()

    def take_time(self, timeout: float) -> None:
        """Have every call take so many seconds at most."""
        text = PROJECT.format(url=self.box.url, timeout=timeout, settle_after=self.settle_after)
        self.desk.project(text if self.state is None else text.replace("spec:\n", f"spec:\n  state: {self.state}\n", 1))

    # -- what is declared

    def fill(self, sessions: int, resources: int, blocks: int, bookings: int) -> None:
        """Declare this many of each kind; blocks refer to resources."""
        for kind, count in zip(KINDS, (sessions, resources, blocks, bookings), strict=True):
            for number in range(count):
                self.declare((kind, f"{kind[0].lower() if kind != 'BookingSession' else 'h'}{number:02}"))

    def declare(self, key: Key) -> None:
        """Declare an object anew, or with other values than before."""
        spec = {"Session": self._session, "Resource": self._resource, "Block": self._block}.get(key[0], self._booking)(
            key[1]
        )
        self.declared[key] = spec
        self.write(key)

    def write(self, key: Key) -> None:
        """Write an object's manifest under the name that it has at present."""
        spec = self.declared[key]
        if "resource" in spec:
            spec = {**spec, "resource": self.named(("Resource", spec["resource"]))}
        self.desk.declare(key[0], self.named(key), spec, **self.metadata.get(key, {}))

    def named(self, key: Key) -> str:
        """Return the name that an object's manifest has at present: its token, until it is renamed."""
        return self.names_of.get(key, key[1])

    def rename(self, key: Key) -> str:
        """Give a manifest another name, and what refers to it too; return its address before."""
        before = f"{key[0]}/{self.named(key)}"
        self.desk.forget(key[0], self.named(key))
        self.names_of[key] = f"{key[1]}-{self.rng.randint(1, 999)}"
        for other, spec in self.declared.items():
            if other == key or (key[0] == "Resource" and spec.get("resource") == key[1]):
                self.write(other)
        return before

    def drop(self, key: Key) -> None:
        """Take a manifest away."""
        del self.declared[key]
        self.metadata.pop(key, None)
        self.desk.forget(key[0], self.named(key))

    def edit_all(self) -> None:
        """Give every object other values; the resource of a block stays."""
        for key in sorted(self.declared):
            self.declare(key)

    def names(self, kind: str) -> list[str]:
        """Return the names declared of a kind."""
        return sorted(name for where, name in self.declared if where == kind)

    def _session(self, name: str) -> dict[str, Any]:
        draw = self.rng
        spec: dict[str, Any] = {
            "name": f"{draw.choice(['Yoga', 'Swim', *_CAFES])} {name}",
            "group": draw.choice(["Body & Mind", "Pool", *_CAFES]),
            "price": draw.choice([5, 7.5, "12.25"]),
            "spaces": draw.randint(1, 30),
            "description": f"Class {draw.randint(1, 999)}{draw.choice(_ENDS)}",
        }
        before = self.declared.get(("Session", name))
        if int(name[1:]) % 5 < 2:
            days = sorted(draw.sample(range(1, 28), draw.randint(1, 4)))
            hour = draw.randint(8, 18)
            slots = [{"date": f"2027-03-{day:02}", "time": f"{hour:02}:30", "duration": 60} for day in days]
            return {**spec, "type": "course", "repeat": "custom", "slots": slots}
        start = before["start_date"] if before else f"2027-04-{draw.randint(1, 28):02}"
        return {**spec, "type": "event", "start_date": start, "time": f"{draw.randint(8, 18):02}:00", "duration": 90}

    def _resource(self, name: str) -> dict[str, Any]:
        draw = self.rng
        spec: dict[str, Any] = {
            "name": f"{draw.choice(['Court', 'Room'])} {name}",
            "description": f"Place {draw.randint(1, 999)}{draw.choice(_ENDS)}",
            "email": f"{name}.{draw.randint(1, 99)}@{draw.choice(['example', 'Example'])}.com",
            "price": draw.randint(1, 50),
            "count": draw.randint(1, 5),
        }
        return {**spec, "address": {"address1": f"{draw.randint(1, 99)} Road"}} if draw.random() < 0.3 else spec

    def _block(self, name: str) -> dict[str, Any]:
        before = self.declared.get(("Block", name))
        hour, day = self.rng.randint(6, 18), 1 + int(name[1:])
        return {
            "resource": before["resource"] if before else self.rng.choice(self.names("Resource")),
            "start": f"2027-05-{day:02}T{hour:02}:00Z",
            "end": f"2027-05-{day:02}T{hour + self.rng.randint(1, 4):02}:00Z",
        }

    def _booking(self, name: str) -> dict[str, Any]:
        day = f"2031-07-{1 + int(name[1:]):02}"
        items: list[dict[str, Any]] = [
            {"key": "bikes", "item_id": 21, "start_date": day, "end_date": day, "quantity": self.rng.randint(1, 3)}
        ]
        if self.rng.random() < 0.5:
            params = {"adults": self.rng.randint(1, 3), "children": self.rng.randint(0, 1)}
            items.append({"key": "kayaks", "item_id": 18, "start_date": day, "end_date": day, "params": params})
        return {"items": items, "on_expiry": "recreate"}

    # -- runs

    def run(self, command: list[str], *more: str) -> Done:
        """Run one of the commands above in this process."""
        with self._waits():
            return self.desk.run(*command[len(_COMMAND) :], *more)

    def _waits(self) -> AbstractContextManager[object]:
        if not self.hurried:
            return nullcontext()
        clock = {"sleep": lambda seconds: time.sleep(min(seconds, LONGEST)), "monotonic": time.monotonic}
        return patch.object(intents, "time", SimpleNamespace(**clock, time=time.time))

    def apply(self, *more: str, saved: bool = False) -> Done:
        """Apply what is declared, at once or by way of a saved plan where one can be saved."""
        return self.run(APPLY_SAVED if saved and self.save_plan() else APPLY, *more)

    def save_plan(self) -> bool:
        """Make a plan and save it; one that leaves something unknown is not saved."""
        (self.folder / SAVED).unlink(missing_ok=True)
        self.run(PLAN)
        return self.has_plan

    @property
    def has_plan(self) -> bool:
        """Whether there is a saved plan."""
        return (self.folder / SAVED).exists()

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start one of the commands above as a process that can be killed."""
        if self.hurried:
            command = [sys.executable, "-P", "-c", _HURRIED, *command[len(_COMMAND) :]]
        return subprocess.Popen(
            command, cwd=self.folder, env=self.desk.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    # -- what is live

    def _truth(self) -> dict[str, Any]:
        return {
            "session": {item["id"]: item for item in self.box.sessions()},
            "resource": {item["id"]: item for item in self.box.resources() if not item["deleted"]},
            "slot": {item["id"]: item for item in self.box.slots() if item["status"] == BLOCKED},
            "hold": {item["id"]: item for item in self.box.holds() if not item["expired"]},
        }

    def note_foreign(self) -> None:
        """Take the newest session, resource and block for somebody else's: they were just added outside."""
        for table, rows in self._truth().items():
            newest = max(rows, default=None) if table != "hold" else None
            if newest is not None and self._is_foreign(table, rows[newest]):
                self.foreign[table][newest] = rows[newest]

    def _is_foreign(self, table: str, item: dict[str, Any]) -> bool:
        return (
            item["resource_id"] in self.foreign["resource"] if table == "slot" else item["name"].startswith("Foreign")
        )

    def untouched(self) -> bool:
        """Say whether everything of somebody else's is exactly as it was."""
        truth = self._truth()
        return all(truth[table].get(row) == seen for table, rows in self.foreign.items() for row, seen in rows.items())

    def follow_tides(self) -> None:
        """Know again what somebody else deleted and made again: the same, under another id."""
        truth = self._truth()
        for table in ("resource", "slot"):
            for row, seen in list(self.foreign[table].items()):
                same = [new for new, item in truth[table].items() if item | {"id": row} == seen and new > row]
                if row not in truth[table] and same:
                    self.foreign[table][same[0]] = truth[table][same[0]]
                    del self.foreign[table][row]

    def attempts(self) -> list[str]:
        """Return the calls that would have changed or deleted something of somebody else's, answered or not."""
        return [
            f"{entry.method} {entry.path}"
            for entry in self.box.log()
            if entry.method in {"PUT", "DELETE"}
            and (target := _TARGET.search(entry.path))
            and int(target[2]) in self.foreign[_TABLES.get(target[1], "slot")]
        ]

    def found(self) -> Iterator[tuple[Key, dict[str, Any]]]:
        """Give every live object that is not foreign, as (kind, token) and what its manifest would say of it."""
        truth = self._truth()
        ours = {
            table: {row: item for row, item in rows.items() if row not in self.foreign[table]}
            for table, rows in truth.items()
        }
        for item in ours["session"].values():
            yield ("Session", item["name"].split()[-1]), _plain_session(item)
        for item in ours["resource"].values():
            yield ("Resource", item["name"].split()[-1]), _plain_resource(item)
        everything = {item["id"]: item for item in self.box.resources()}
        for item in ours["slot"].values():
            resource = everything.get(item["resource_id"])
            if resource is None or resource["deleted"]:
                continue  # nobody can book what is gone, so nothing on it counts
            spec = {
                "id": item["id"],
                "resource": resource["name"].split()[-1],
                "start": _minute(item["start"]),
                "end": _minute(item["end"]),
            }
            yield ("Block", f"b{int(item['start'][8:10]) - 1:02}"), spec
        for item in ours["hold"].values():
            if item["lines"]:
                day = item["lines"][0]["start_date"]
                yield ("BookingSession", f"h{int(day[8:10]) - 1:02}"), {"id": item["id"], "items": _plain_lines(item)}

    def live(self, key: Key) -> list[Any]:
        """Return the ids of the live objects that carry an object's token."""
        return [seen["id"] for token, seen in self.found() if token == key]

    def differences(self) -> Differences:
        """Compare the server's truth with the manifests, object by object."""
        live = list(self.found())
        counts = Counter(key for key, _ in live)
        return Differences(
            duplicates=tuple(f"{key} {count} times" for key, count in sorted(counts.items()) if count > 1),
            losses=tuple(str(key) for key in sorted(self.declared) if not counts[key]),
            orphans=tuple(str(key) for key in sorted(counts) if key not in self.declared),
            wrong=tuple(
                f"{key}: {name} is {seen.get(name)!r}, declared {value!r}"
                for key, seen in live
                for name, value in _plain(key[0], self.declared.get(key, {})).items()
                if _meaning(name, seen.get(name)) != _meaning(name, value)
            ),
        )

    def unreported(self) -> list[str]:
        """Return the objects that are live more than once and that no plan says so of; bookings cannot be listed."""
        counts = Counter(key for key, _ in self.found() if key[0] != "BookingSession")
        doubled = {f"{key[0]}/{self.named(key)}" for key, count in counts.items() if count > 1}
        said = self.desk.run("plan", "--format", "json") if doubled else None
        return sorted(doubled - (asked_about(said.json) if said is not None and said.out else set()))

    def forget_doubted(self, names: list[str]) -> int:
        """Do what the plan tells a person to do about bookings in doubt, once what was made has expired.

        Returns how many such bookings the server did make.
        """
        made = 0
        for called in names:
            name = called.partition("-")[0]
            for hold in self.box.holds():
                if hold["lines"] and hold["lines"][0]["start_date"] == f"2031-07-{1 + int(name[1:]):02}":
                    made += 1
                    self.box.end_session(hold["id"])
            self.desk.run("state", "rm", f"BookingSession/{called}", code=0)
        return made


def asked_about(plan: dict[str, Any]) -> set[str]:
    """Return the objects of which a plan says that something may exist twice, or asks which one is meant."""
    open_ones = {item["address"] for item in plan["changes"] if item["action"] in {"unknown", "adopt"}}
    return open_ones | {item["address"] for item in plan["problems"] if item["code"] == "possible-duplicate"}


def _meaning(name: str, value: Any) -> Any:
    """Return a text in one of the spellings that servers store for it."""
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").rstrip("\n")
    return text.lower() if name == "email" else text


def _plain(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Return a declared spec in the words of the truth."""
    plain = {name: value for name, value in spec.items() if name not in {"type", "repeat"}}
    if "price" in plain:
        plain["price"] = Decimal(str(plain["price"]))
    if kind == "Block":
        return {**plain, "start": _minute(spec["start"]), "end": _minute(spec["end"])} if spec else {}
    if kind == "BookingSession" and spec:
        del plain["on_expiry"]
        plain["items"] = sorted(
            (item["item_id"], item["start_date"], sorted((item.get("params") or {"qty": item["quantity"]}).items()))
            for item in spec["items"]
        )
    return plain


def _plain_session(item: dict[str, Any]) -> dict[str, Any]:
    slots = [{name: slot[name] for name in ("date", "time", "duration")} for slot in item["slots"]]
    slots.sort(key=lambda slot: (slot["date"], slot["time"]))
    return {
        **item,
        "price": Decimal(str(item["price"])),
        "slots": slots,
        "slot_ids": [slot["id"] for slot in item["slots"]],
    }


def _plain_resource(item: dict[str, Any]) -> dict[str, Any]:
    address = {"address1": item["address"]["address1"]} if item.get("address") else None
    price = None if item["price"] is None else Decimal(str(item["price"]))
    return {**item, "price": price, "address": address}


def _plain_lines(hold: dict[str, Any]) -> list[Any]:
    return sorted((line["item_id"], line["start_date"], sorted(line["params"].items())) for line in hold["lines"])


def _minute(text: str) -> str:
    return text[:16]
