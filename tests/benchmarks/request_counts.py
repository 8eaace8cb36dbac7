"""How many requests each command sends for all kinds, beside the least that it could: python request_counts.py [--json]

The sandbox and the commands run in this process. `NEEDED` states the least, by what an API lets a client ask at once.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reconciler.sandbox import Options, Sandbox
from reconciler.testing.bench import run_in

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: counts}}
spec:
  manifests: [manifests]
  policy: {{max_deletes: 1000, max_change_percent: 100}}
  connections:
    sessions:
      provider: bookingbug-sessions
      base_url: {url}
      auth: {{username: {{env: BB_USERNAME}}, password: {{env: BB_PASSWORD}}}}
      settle_after: 0
    admin:
      provider: bookingbug-admin
      base_url: {url}
      company_id: 37004
      auth: {{app_id: {{env: BB_APP_ID}}, app_key: {{env: BB_APP_KEY}}, auth_token: {{env: BB_TOKEN}}}}
      settle_after: 0
    shop:
      provider: checkfront
      base_url: {url}
      auth: {{key: {{env: CF_KEY}}, secret: {{env: CF_SECRET}}}}
      settle_after: 0
"""
ENV = {
    "BB_USERNAME": Options().username,
    "BB_PASSWORD": Options().password,
    "BB_APP_ID": Options().app_id,
    "BB_APP_KEY": Options().app_key,
    "BB_TOKEN": Options().auth_token,
    "CF_KEY": Options().checkfront_key,
    "CF_SECRET": Options().checkfront_secret,
    "NO_COLOR": "1",
    "NO_PROXY": "127.0.0.1",
}
NUMBER = re.compile(r"\b[0-9a-v]{26}\b|\d+")
KINDS = ("Session", "Resource", "Block", "BookingSession")
SIZE, WAVE = 8, 8
"""The number of objects of a kind, and how many of them are created at a time by default."""

ALL = ("--yes", "--allow-booked", "*", "--allow-empty")


def specs(size: int, edit: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield kind, name and fields of `size` objects of each kind; every other resource has an address."""
    for number in range(size):
        session = {"name": f"Class {number}", "type": "event", "group": "Gym", "time": "18:30", "spaces": 5 + edit}
        yield "Session", f"s{number}", {**session, "start_date": f"2027-04-{1 + number % 28:02}"}
        address = {"address": {"address1": f"{number + 1 + edit} Lane"}} if number % 2 else {}
        yield "Resource", f"r{number}", {"name": f"Room {number}", "description": f"Floor {edit}", **address}
        block = {"resource": f"r{number}", "start": "2027-05-01T09:00", "end": f"2027-05-01T{10 + edit}:00"}
        yield "Block", f"b{number}", {**block, "timezone": "Europe/London"}
        day = f"2031-07-{1 + number:02}"
        line = {"key": "bikes", "item_id": 21, "start_date": day, "end_date": day, "quantity": 1 + edit}
        yield "BookingSession", f"h{number}", {"items": [line]}


def declare(folder: Path, url: str, size: int, kind: str, edit: int = 0) -> None:
    """Write a project with the objects of a kind; blocks with their resources."""
    (folder / "manifests").mkdir(exist_ok=True)
    (folder / "reconciler.yaml").write_text(PROJECT.format(url=url), encoding="utf-8")
    for each, name, spec in specs(size, edit):
        if each == kind or (kind == "Block" and each == "Resource"):
            document = {"apiVersion": "reconciler/v1", "kind": each, "metadata": {"name": name}, "spec": spec}
            (folder / "manifests" / f"{each}-{name}.json").write_text(json.dumps(document), encoding="utf-8")


def counted(size: int, kind: str, **options: Any) -> dict[str, Counter[str]]:
    """Run every command with one kind, and return its requests by method and path."""
    found: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as home, Sandbox(Options(**options)) as box:
        folder = Path(home)
        env = {**os.environ, **ENV, "HOME": home, "RECONCILER_TRUST_HOSTS": box.url.removeprefix("http://")}

        def run(name: str, *arguments: str) -> None:
            box.clear_log()
            done = run_in(folder, env, *arguments)
            assert done.code in {0, 2}, done
            found[name] = Counter(f"{item.method} {NUMBER.sub('N', item.path)}" for item in box.log())

        declare(folder, box.url, size, kind)
        run("plan, all new", "plan")
        run("apply, create", "apply", *ALL)
        run("plan, no-op", "plan")
        run("drift", "drift")
        run("export", "export", "--kind", kind, "--out", "out", "--from", "2027-05-01", "--until", "2027-05-02")
        declare(folder, box.url, size, kind, edit=1)
        run("plan, all changed", "plan")
        run("apply, update", "apply", *ALL)
        if kind != "BookingSession":  # these are not found by what they are
            (folder / ".reconciler" / "state.db").unlink()
            run("plan before adopt", "plan")
            run("adopt", "adopt", "--all")
        run("destroy", "destroy", *ALL)
    return found


def needed(size: int, kind: str) -> dict[str, int]:
    """Return the least that each command can send.

    Sessions: one list, and one show each, since the list has name and group only. Resources: a page of the list has
    all, and each address is a read of its own. Blocks: a page of the window, and what their resources need; where a
    change may meet bookings, a query. Booking sessions: one read each, and one rated item for a new line. A
    writing call is read back once.
    """
    written = 2 * size
    if kind == "BookingSession":
        return named(0, size + written, size, size, size + written, 2 * size)
    if kind == "Session":
        plan = 1 + size
        return named(1, 1 + written, plan, plan, plan + written, plan + written, adopt=plan)
    addresses = size // 2
    plan, write = 1 + addresses, written + addresses
    if kind == "Resource":
        return named(1, 1 + write, plan, plan, plan + write, plan + size + written, adopt=plan)
    plan += 1
    changed = plan + size
    return named(
        *(2, 2 + write + written, plan, changed, changed + write + written, changed + 2 * written),
        adopt=plan,
        before=changed,
    )


def named(new: int, create: int, plan: int, changed: int, update: int, destroy: int, **more: int) -> dict[str, int]:
    """Return the numbers by command."""
    adopt = {"plan before adopt": more.get("before", more["adopt"]), "adopt": more["adopt"]} if more else {}
    return {
        "plan, all new": new,
        "apply, create": create,
        "plan, no-op": plan,
        "drift": plan,
        "export": plan,
        "plan, all changed": changed,
        "apply, update": update,
        **adopt,
        "destroy": destroy,
    }


def table(size: int) -> Iterator[tuple[str, int, int, Counter[str]]]:
    """Yield each command with what it sent, the least, and the requests."""
    for kind in KINDS:
        least = needed(size, kind)
        for command, calls in counted(size, kind).items():
            yield f"{kind}: {command}", sum(calls.values()), least[command], calls
    # The answer to a create has no id: one list, for each wave of creates, finds the new sessions.
    calls = counted(size, "Session", create_answer="none")["apply, create"]
    least = needed(size, "Session")["apply, create"] + -(-size // WAVE)
    yield "Session: apply, create, answers without an id", sum(calls.values()), least, calls


if __name__ == "__main__":
    found = list(table(SIZE))
    if "--json" in sys.argv:
        print(json.dumps([each[:3] for each in found]))  # noqa: T201
    else:
        for command, sent, least, calls in found:
            print(f"{command:<48}{sent:>5}{least:>5}{'' if sent == least else ' !':<3}{dict(calls)}")  # noqa: T201
