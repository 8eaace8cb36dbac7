"""Random edits of booked timetables, at servers of many kinds: no booking is lost or moved unless it was let through.

What the sandbox holds before and after each apply is compared, never what the program says. The edits come from a
seed, so that a failure repeats itself.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from combinations import first_quick

ROUNDS, STEPS = 6, 3
DAYS = [f"2027-03-{day:02d}" for day in range(1, 12)]
TIMES = ["09:00", "10:30", "11:00", "18:00"]
SERVERS = {
    "show_fields": ("documented", "all"),
    "slot_counts": ("yes", "yes", "no"),
    "slot_order": ("date", "id"),
    "regenerate": ("keep", "regenerate"),
    "partial_slot": ("fill", "refuse"),
    "update_answer": ("body", "none"),
    "time_style": ("padded", "unpadded"),
    "empty_style": ("element", "absent"),
    "resource_fields": ("documented", "all"),
    "bookings_list": ("yes", "not_found", "forbidden"),
    "block_owner": ("both", "person"),
    "datetime_style": ("seconds", "millis"),
    "company_zone": ("Europe/London", "Pacific/Auckland"),
}
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=30)


def instant(hours):
    return (NOON + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Town:
    """Sessions, rooms and blocks as declared, with random edits of them."""

    def __init__(self, desk, draw):
        self.desk, self.draw, self.old = desk, draw, {}
        self.sessions = {f"class-{number}": self.session(number) for number in range(draw.randint(1, 3))}
        self.rooms = {f"room-{number}": {"name": f"Room {number}", "count": 2} for number in range(2)}
        self.blocks = {"works": self.block("room-0")}
        self.declare()

    def slots(self):
        keys = self.draw.sample([(day, time) for day in DAYS for time in TIMES], self.draw.randint(1, 4))
        return [{"date": day, "time": time, "duration": self.draw.choice([45, 60, 90])} for day, time in keys]

    def session(self, number):
        spec = {"name": f"Class {number}", "group": "Body", "spaces": self.draw.choice([5, 12, None])}
        if self.draw.random() < 0.7:
            return {**spec, "type": "course", "repeat": "custom", "price": 35, "slots": self.slots()}
        days = {"start_date": "2027-03-01", "end_date": "2027-03-10", "time": "11:00", "duration": 60}
        return {**spec, **days, "type": "recurring_event", "repeat": self.draw.choice(["weekly", "daily"])}

    def block(self, room):
        start = self.draw.choice([0, 3, 6])
        return {"resource": room, "start": instant(start), "end": instant(start + self.draw.choice([1, 4]))}

    def declare(self):
        for file in (self.desk.folder / "manifests").iterdir():
            file.unlink()
        self.desk.declare("Resource", "always", {"name": "Always there"})
        for name, spec in self.sessions.items():
            moved = {"moved_from": self.old[name]} if name in self.old else {}
            self.desk.declare("Session", name, spec, **moved)
        for kind, members in (("Resource", self.rooms), ("Block", self.blocks)):
            for name, spec in members.items():
                self.desk.declare(kind, name, spec)

    def edit(self):
        for name in list(self.sessions):
            self.edit_session(name)
        for name, spec in list(self.rooms.items()):
            what = self.draw.choice(["keep", "keep", "disable", "never", "none of it", "delete"])
            spec.update({"disable": {"disabled": True}, "never": {"never_booked": True}}.get(what, {}))
            if what == "none of it":
                spec["count"] = 0
            if what == "delete" and not any(block["resource"] == name for block in self.blocks.values()):
                del self.rooms[name]
        for name in list(self.blocks):
            if self.rooms and self.draw.random() < 0.6:
                self.blocks[name] = self.block(self.draw.choice(sorted(self.rooms)))
        self.declare()

    def edit_session(self, name):
        spec, draw = self.sessions[name], self.draw
        what = draw.choice(["delete", "rename", "spaces", "slot", "slots", "type", "title", "days", "repeat", "leave"])
        if what == "delete":
            del self.sessions[name]
        elif what == "rename":
            self.old[f"{name}x"] = name
            self.sessions[f"{name}x"] = self.sessions.pop(name)
        elif what == "spaces":
            spec["spaces"] = draw.choice([1, 3, 6, 14, 30])
        elif what == "title":
            spec["name"] += "!"
        elif what == "type":
            spec["type"] = draw.choice(["event", "course", "recurring_event"])
        else:
            self.edit_times(spec, what)

    def edit_times(self, spec, what):
        draw = self.draw
        if what == "slot" and "slots" in spec:
            taken = {(slot["date"], slot["time"]) for slot in spec["slots"]}
            moving, key = draw.choice(spec["slots"]), (draw.choice(DAYS), draw.choice(TIMES))
            if key not in taken:
                moving["date"], moving["time"] = key
        elif what == "slots" and "slots" in spec:
            spec["slots"] = self.slots()
        elif what == "days" and "slots" not in spec:
            spec.update(start_date=draw.choice(DAYS[:5]), end_date=draw.choice(["2027-03-08", "2027-03-12"]))
        elif what == "repeat":
            spec.pop("slots", None)
            days = {"start_date": "2027-03-01", "end_date": "2027-03-20", "time": draw.choice(TIMES)}
            spec.update(days, repeat=draw.choice(["weekly", "daily", "fortnightly"]))
        elif what == "leave":
            for field in ("slots", "repeat", "start_date", "end_date", "time"):
                spec.pop(field, None)


def people_come(desk, draw):
    """Book slots and rooms, and change things outside."""
    for session in desk.box.sessions():
        for slot in session["slots"]:
            if draw.random() < 0.3:
                desk.box.book(slot["id"], places=draw.randint(0, 4), reserved=draw.randint(0, 2))
        if session["spaces"] and draw.random() < 0.2:
            desk.box.edit_session(session["id"], spaces=session["spaces"] + 10)
    for room in desk.box.resources():
        if draw.random() < 0.4 and not room["deleted"]:
            start = draw.choice([0, 2, 5, 9])
            desk.box.add_booking(room["id"], instant(start), instant(start + 1))


def world(desk):
    """What is booked: slots by id with their session's spaces, and rooms by id with their bookings and blocks."""
    places = {slot["id"]: (slot, session["spaces"]) for session in desk.box.sessions() for slot in session["slots"]}
    rooms = {room["id"]: room for room in desk.box.resources()}
    blocks = {slot["id"]: slot for slot in desk.box.slots() if slot["status"] == 3}
    return places, rooms, blocks


def harm(before, after, bookings):
    """Name every booking that is lost, moved, left without a place, or without its room."""
    (places, rooms, blocks), (places_now, rooms_now, blocks_now) = before, after
    for key, (slot, spaces) in places.items():
        taken = slot["spaces_booked"] + slot["spaces_reserved"]
        now, spaces_now = places_now.get(key, (None, None))
        if taken and now is None:
            yield f"slot {key} is lost"
        elif taken and (now["date"], now["time"]) != (slot["date"], slot["time"]):
            yield f"slot {key} moved"
        elif taken and spaces_now != spaces and spaces_now is not None and spaces_now < min(taken, spaces or taken):
            yield f"slot {key} has {taken} taken of {spaces_now}"
    for booking in bookings:
        was, room = rooms[booking["resource_id"]], rooms_now.get(booking["resource_id"], {"deleted": True})
        if usable(was) and not usable(room):
            yield f"room {booking['resource_id']} is taken from a booking"
        for key, block in blocks_now.items():
            if over(block, booking) and not (key in blocks and over(blocks[key], booking)):
                yield f"block {key} lies over a booking"


def usable(room):
    return not (room["deleted"] or room["disabled"] or room["never_booked"] or room["count"] == 0)


def over(block, booking):
    same = block["resource_id"] == booking["resource_id"]
    return same and block["start"] < booking["end"] and block["end"] > booking["start"]


@pytest.mark.parametrize("seed", first_quick(range(4)))
def test_no_booking_is_lost_or_moved_unless_it_was_allowed(desk, seed):
    draw, ended = random.Random(seed), Counter()
    for number in range(ROUNDS):
        desk.box.reset()
        (desk.folder / ".reconciler" / "state.db").unlink(missing_ok=True)
        desk.box.set_options(**{name: draw.choice(values) for name, values in SERVERS.items()})
        town = Town(desk, draw)
        desk.run("apply", "--yes", code=0)
        for step in range(STEPS):
            people_come(desk, draw)
            town.edit()
            before, bookings = world(desk), desk.box.bookings()
            desk.box.clear_log()
            done = desk.run("apply", "--yes")
            found = list(harm(before, world(desk), bookings))
            assert found == [], (seed, number, step, done.out, done.err)
            ended[done.code] += 1
            assert done.code in {0, 4}, (seed, number, step, done.out, done.err)
            if done.code == 4:
                assert desk.calls() == []
                desk.run("apply", "--yes", "--allow-booked", "*", "--max-deletes", "99", code=0)
            desk.settled()
    assert ended[0], ended
    assert ended[4], ended
