"""Projects whose changes a guard refuses, and how a refused and an allowed run are told apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from desk import PROJECT

SOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=40)


def hours(start, end):
    """ISO instants, hours after SOON."""
    return tuple((SOON + timedelta(hours=at)).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (start, end))


def project(desk, *lines):
    desk.project(PROJECT.format(url=desk.box.url) + "".join(f"  {line}\n" for line in lines))


def room(desk, name="room", **spec):
    desk.declare("Resource", name, {"name": f"The {name}", **spec})


def refused(desk, code, *arguments, command="apply"):
    """Assert that a run is refused with nothing sent, in words and as a report; return the words and the report."""
    desk.box.clear_log()
    words = desk.run(command, "--yes", *arguments, code=4).err
    done = desk.run(command, "--yes", "--format", "json", *arguments, code=4)
    assert desk.calls() == []
    report = done.json
    assert {item["state"] for item in report["outcomes"]} <= {"blocked", "noop"}
    plan = desk.run("plan", "--format", "json", code=0).json if command == "apply" else None
    if plan is not None:
        marked = [item for item in plan["changes"] if code in item["guarded"]]
        problems = [item for item in plan["problems"] if item["code"] == code]
        assert marked
        assert problems
        assert all(item["message"].startswith("apply would refuse: ") for item in problems)
    assert desk.calls() == []
    return words, {item["address"]: item for item in report["outcomes"]}


def passes(desk, *arguments, command="apply"):
    """Carry it out; return what let each object through, as (code, by)."""
    done = desk.run(command, "--yes", "--format", "json", *arguments, code=0)
    assert desk.calls() != []
    return {
        item["address"]: [(allowed["code"], allowed["by"]) for allowed in item["allowed"]]
        for item in done.json["outcomes"]
    }


def course(desk, **spec):
    """A course of three slots, the second of which has 7 places booked and 2 reserved."""
    desk.session(spaces=12, **spec)
    room(desk, "other")
    desk.run("apply", "--yes", code=0)
    slots = desk.box.sessions()[0]["slots"]
    desk.box.book(slots[1]["id"], places=7, reserved=2)


def deleted(desk):
    desk.forget("Session", "yoga")


def fewer(desk):
    desk.session(spaces=12, slots=[("2027-03-01", "11:00", 60), ("2027-03-08", "11:00", 60)])


def moved(desk):
    desk.session(
        spaces=12, slots=[("2027-03-01", "11:00", 60), ("2027-03-09", "11:00", 60), ("2027-03-15", "9:30", 90)]
    )


def longer(desk):
    desk.session(
        spaces=12, slots=[("2027-03-01", "11:00", 60), ("2027-03-08", "11:00", 75), ("2027-03-15", "9:30", 90)]
    )


def smaller(desk):
    desk.session(spaces=8)


def second_project(desk):
    """The same folder and state as another project."""
    text = PROJECT.format(url=desk.box.url).replace("name: acme", "name: shop")
    (desk.folder / "shop.yaml").write_text(text, encoding="utf-8")
    return "--project", "shop.yaml"
