"""What the benchmarks declare: a project of n sessions, each in a file of its own with 20 lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: bench}}
spec:
  manifests: [manifests]
  policy: {{max_deletes: 1000000, max_change_percent: 100}}
  connections:
    sessions:
      provider: bookingbug-sessions
      base_url: {url}
      settle_after: 0
      max_concurrency: {connections}
      auth: {{username: {{env: BB_USERNAME}}, password: {{env: BB_PASSWORD}}}}
"""
CREDENTIALS = {"BB_USERNAME": "demo", "BB_PASSWORD": "demo-password"}
MANIFEST = """\
apiVersion: reconciler/v1
kind: Session
metadata:
  name: class-{number:06}
  labels: {{season: spring}}
spec:
  name: {name}
  type: event
  group: {group}
  start_date: {start_date}
  end_date: {end_date}
  time: {time}
  duration: {duration}
  description: {description}
  spaces: {spaces}
  price: {price}
  max_num_bookings: {max_num_bookings}
  disabled: {disabled}
  min_cancel: {min_cancel}
  ask_address: {ask_address}
"""


def fields(number: int, price: str = "7.5") -> dict[str, str]:
    """Return the values of session `number`, as its manifest and the API write them."""
    day = (date(2027, 3, 1) + timedelta(days=number % 300)).isoformat()
    return {
        "name": f"Class {number:06}",
        "group": f"Group {number % 7}",
        "time": f"{8 + number % 12:02}:30",
        "start_date": day,
        "end_date": day,
        "duration": "60",
        "description": f"A calm hour for beginners, number {number}. Mats are provided.",
        "spaces": "12",
        "price": price,
        "max_num_bookings": "2",
        "disabled": "false",
        "min_cancel": "1",
        "ask_address": "false",
    }


def address(number: int) -> str:
    """Return the address of session `number`."""
    return f"Session/class-{number:06}"


def write_project_file(folder: Path, url: str, connections: int = 8) -> None:
    """Write a project file, or write it again with another number of connections."""
    (folder / "reconciler.yaml").write_text(PROJECT.format(url=url, connections=connections), encoding="utf-8")


def write_project(folder: Path, url: str, size: int, price: str = "7.5", connections: int = 8) -> Path:
    """Write a project of `size` sessions, or write its manifests again with another price."""
    manifests = folder / "manifests"
    manifests.mkdir(parents=True, exist_ok=True)
    write_project_file(folder, url, connections)
    for number in range(size):
        text = MANIFEST.format(number=number, **fields(number, price))
        (manifests / f"class-{number:06}.yaml").write_text(text, encoding="utf-8")
    return folder


FORMATS = ("text", "json", "markdown", "html")
_ALL = ("--allow-booked", "*")
_SAVED = "saved.plan"


def life(folder: Path, url: str, size: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the name and the arguments of every command, in the life of a project whose sessions are live at first.

    The caller runs each before it asks for the next.
    """
    yield "validate", ("validate",)
    yield "plan before adopt", ("plan",)
    yield "adopt --all", ("adopt", "--all")
    for form in FORMATS:
        yield f"plan, no-op, {form}", ("plan", "--format", form)
    for form in FORMATS:
        yield f"drift, {form}", ("drift", "--format", form)
    yield "export", ("export", "--out", "exported", "--force")
    write_project(folder, url, size, price="8.5")
    yield "plan, all changed", ("plan", *_ALL)
    yield "apply, update", ("apply", "--yes", *_ALL)
    yield "destroy", ("destroy", "--yes", *_ALL)
    for form in FORMATS:
        yield f"plan, all new, {form}", ("plan", "--format", form, *(("--out", _SAVED) if form == "text" else ()))
    for form in FORMATS:
        yield f"show, {form}", ("show", _SAVED, "--format", form)
    yield "apply, create", ("apply", "--yes", _SAVED)
