"""A town of any size from arithmetic: what its manifests declare, and what its systems answer.

Of `size` objects, three of five are sessions, one of five is a resource and one of five a block of a resource.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

SESSION, RESOURCE, BLOCK = 1_000_000, 2_000_000, 3_000_000
"""The ids of the first session, resource and block."""

COMPANY = 37004
CREDENTIALS = {
    "BB_USERNAME": "demo",
    "BB_PASSWORD": "demo-password",
    "BB_APP_ID": "a",
    "BB_APP_KEY": "b",
    "BB_TOKEN": "c",
}
_DIFFERING = ("name", "group", "time", "start_date", "end_date", "description")
"""The values in which sessions differ."""

_START = datetime(2027, 3, 1, tzinfo=UTC)
_PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: town}}
spec:
  manifests: [manifests]
  policy: {{max_deletes: 1000000, max_change_percent: 100}}
  values: [values.yaml]
  environments: {{prod: {{values: [values.yaml]}}}}
  connections:
    sessions:
      provider: bookingbug-sessions
      base_url: {url}
      settle_after: 0
      auth: {{username: {{env: BB_USERNAME}}, password: {{env: BB_PASSWORD}}}}
    admin:
      provider: bookingbug-admin
      base_url: {url}
      company_id: 37004
      settle_after: 0
      max_list_mb: 64
      auth: {{app_id: {{env: BB_APP_ID}}, app_key: {{env: BB_APP_KEY}}, auth_token: {{env: BB_TOKEN}}}}
"""
_VALUES = "".join(f"group_{number}: Group {number}\n" for number in range(7))


@dataclass(frozen=True, slots=True)
class Town:
    """How many objects of each kind there are."""

    size: int

    @property
    def sessions(self) -> int:
        return self.size * 3 // 5

    @property
    def resources(self) -> int:
        return self.size // 5

    @property
    def blocks(self) -> int:
        return self.size - self.sessions - self.resources


def session(number: int) -> dict[str, str]:
    """Return the values of a session, as its manifest and the API write them."""
    day = (_START + timedelta(days=number % 300)).date().isoformat()
    return {
        "name": f"Class {number:06}",
        "group": f"Group {number % 7}",
        "time": f"{8 + number % 12:02}:30",
        "start_date": day,
        "end_date": day,
        "type": "0",
        "duration": "60",
        "description": f"A calm hour for beginners, number {number}. Mats are provided.",
        "spaces": "12",
        "price": "7.5",
        "max_num_bookings": "2",
        "repeat": "0",
        "disabled": "false",
        "min_cancel": "1",
        "max_advance": "",
        "ask_address": "false",
        "ticket_type": "0",
    }


def block_times(number: int, town: Town) -> tuple[datetime, datetime]:
    """Return when a block begins and ends; one resource in ten has blocks, many each."""
    start = _START + timedelta(hours=2 * (number % 4000))
    return start, start + timedelta(hours=1)


def owner(number: int, town: Town) -> int:
    """Return the number of the resource that a block belongs to."""
    return number // 4000 * 10 % max(town.resources, 1) if town.blocks > 4000 else number % 3


def _session_manifest(number: int, spaces: str) -> str:
    values = session(number)
    return (
        f"apiVersion: reconciler/v1\nkind: Session\nmetadata:\n  name: class-{number:06}\n"
        f"  labels: {{season: spring}}\nspec:\n  name: {values['name']}\n  type: event\n"
        f'  group: "{{{{ values.group_{number % 7} }}}}"\n  start_date: {values["start_date"]}\n'
        f"  end_date: {values['end_date']}\n  time: {values['time']}\n  duration: 60\n"
        f"  description: {values['description']}\n  spaces: {spaces}\n  price: 7.5\n  max_num_bookings: 2\n"
        "  min_cancel: 1\n  ask_address: false\n"
    )


def _resource_manifest(number: int) -> str:
    return (
        f"apiVersion: reconciler/v1\nkind: Resource\nmetadata: {{name: room-{number:06}, labels: {{floor: ground}}}}\n"
        f"spec:\n  name: Room {number:06}\n  description: Step-free, number {number}.\n  api_ref: room-{number}\n"
        "  count: 1\n"
    )


def _block_manifest(number: int, town: Town) -> str:
    start, end = block_times(number, town)
    return (
        f"apiVersion: reconciler/v1\nkind: Block\nmetadata: {{name: closed-{number:06}}}\nspec:\n"
        f"  resource: room-{owner(number, town):06}\n"
        f"  start: {start:%Y-%m-%dT%H:%MZ}\n  end: {end:%Y-%m-%dT%H:%MZ}\n"
    )


def manifests(town: Town, changed: int = 0):
    """Yield the path and text of every manifest; the first `changed` sessions have more spaces than live."""
    for number in range(town.sessions):
        spaces = "14" if number < changed else "12"
        yield f"sessions/{number // 1000:03}/class-{number:06}.yaml", _session_manifest(number, spaces)
    for number in range(town.resources):
        yield f"rooms/{number // 1000:03}/room-{number:06}.yaml", _resource_manifest(number)
    for number in range(town.blocks):
        yield f"blocks/{number // 1000:03}/closed-{number:06}.yaml", _block_manifest(number, town)


def recorded(town: Town):
    """Yield kind, name, remote id, fields and references of every object, as the state records them."""
    for number in range(town.sessions):
        fields = {name: text for name, text in session(number).items() if name in _DIFFERING}
        yield "Session", f"class-{number:06}", SESSION + number, fields, []
    for number in range(town.resources):
        fields = {
            "name": f"Room {number:06}",
            "description": f"Step-free, number {number}.",
            "api_ref": f"room-{number}",
        }
        yield "Resource", f"room-{number:06}", RESOURCE + number, fields, []
    for number in range(town.blocks):
        start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in block_times(number, town))
        room = owner(number, town)
        fields = {"start": start, "end": end, "resource_id": str(RESOURCE + room)}
        yield "Block", f"closed-{number:06}", BLOCK + number, fields, [f"Resource/room-{room:06}"]


def write(folder: Path, url: str, town: Town, *, changed: int = 0, form: str = "files") -> Path:
    """Write the project: a file for each object in deep folders, all `flat` in one, or as one file (`giant`)."""
    root = folder / "manifests"
    root.mkdir(parents=True, exist_ok=True)
    (folder / "reconciler.yaml").write_text(_PROJECT.format(url=url), encoding="utf-8")
    (folder / "values.yaml").write_text(_VALUES, encoding="utf-8")
    if form == "giant":
        (root / "all.yaml").write_text("---\n".join(text for _, text in manifests(town, changed)), encoding="utf-8")
        return folder
    made: set[Path] = set()
    for path, text in manifests(town, changed):
        file = root / (path if form == "files" else path.rpartition("/")[2])
        if file.parent not in made:
            file.parent.mkdir(parents=True, exist_ok=True)
            made.add(file.parent)
        file.write_text(text, encoding="utf-8")
    return folder


def session_xml(number: int, changes: dict[str, str]) -> str:
    """Return a session as the API shows it."""
    row = session(number) | changes
    shown = "".join(f"<{name}>{text}</{name}>" if text else f"<{name} />" for name, text in row.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<session id="{SESSION + number}">{shown}<slots>'
        f'<slot id="{SESSION * 9 + number}"><date>{row["start_date"]}</date><time>{row["time"]}</time>'
        f"<duration>{row['duration']}</duration><spaces_booked>0</spaces_booked>"
        "<spaces_reserved>0</spaces_reserved></slot></slots></session>"
    )


def resource_json(number: int, base: str) -> str:
    """Return a resource as the admin API lists it."""
    remote = RESOURCE + number
    own = f"{base}/api/v1/admin/{COMPANY}"
    return json.dumps(
        {
            "id": remote,
            "name": f"Room {number:06}",
            "description": f"Step-free, number {number}.",
            "type": "resource",
            "deleted": False,
            "disabled": False,
            "company_id": COMPANY,
            "email": None,
            "order": remote,
            "address_id": None,
            "_links": {
                "self": {"href": f"{own}/resources/{remote}"},
                "items": {"href": f"{own}/items?resource_id={remote}"},
                "edit": {"href": f"{own}/resources/{remote}/edit"},
                "block": {"href": f"{own}/resources/{remote}/block"},
                "schedule": {"href": f"{own}/schedules/{remote}{{?start_date,end_date}}", "templated": True},
            },
            "price": None,
            "never_booked": False,
            "count": 1,
            "max_book": None,
            "api_ref": f"room-{number}",
            "reference": f"room-{number}",
        }
    )


def block_json(number: int, base: str, town: Town) -> str:
    """Return a block as the admin API lists it."""
    start, end = block_times(number, town)
    remote, room = BLOCK + number, RESOURCE + owner(number, town)
    own = f"{base}/api/v1/admin/{COMPANY}"
    return json.dumps(
        {
            "id": remote,
            "datetime": f"{start:%Y-%m-%dT%H:%M:%S+00:00}",
            "end_datetime": f"{end:%Y-%m-%dT%H:%M:%S+00:00}",
            "full_describe": "Blocked",
            "status": 3,
            "spaces_booked": 0,
            "num_spaces": 1,
            "person_id": room,
            "resource_id": room,
            "duration": 60,
            "duration_span": 3600,
            "company_id": COMPANY,
            "_links": {
                "self": {"href": f"{own}/slots/{remote}"},
                "resource": {"href": f"{own}/resources/{room}"},
                "bookings": {"href": f"{own}/bookings?slot_id={remote}"},
            },
        }
    )
