"""A tour operator's desk in this process: manifests, a sandbox, and the pipeline between them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

import reconciler
from reconciler import Planned
from reconciler.model.change import Change
from reconciler.model.objects import Address
from reconciler.model.report import Drift, Report
from reconciler.sandbox import Options, Sandbox

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: tours}}
spec:
  manifests: [manifests]
  connections:
    shop:
      provider: checkfront
      base_url: {url}
      auth: {{key: {{env: CF_KEY}}, secret: {{env: CF_SECRET}}}}
      settle_after: 0
"""
CREDENTIALS = {"CF_KEY": Options().checkfront_key, "CF_SECRET": Options().checkfront_secret}

ROOM = {"key": "room", "item_id": 17, "start_date": "2031-07-07", "end_date": "2031-07-09", "params": {"guests": 2}}
KAYAKS = {
    "key": "kayaks",
    "item_id": 18,
    "start_date": "2031-07-08",
    "end_date": "2031-07-08",
    "params": {"adults": 4, "children": 1},
}
BIKES = {"key": "bikes", "item_id": 21, "start_date": "2031-07-08", "end_date": "2031-07-09", "quantity": 3}
FAMILY = {
    "key": "family",
    "item_id": 30,
    "start_date": "2031-07-07",
    "end_date": "2031-07-10",
    "params": {"families": 2},
    "options": {"31": "in", "32": "out"},
}
SAIL = {
    "key": "sail",
    "item_id": 50,
    "start_date": "2031-07-08",
    "end_date": "2031-07-08",
    "start_time": "17:00",
    "params": {"guests": 2},
    "discount_code": "SUMMER10",
}
ALL = [ROOM, KAYAKS, BIKES, FAMILY, SAIL]


def _order(line: dict[str, Any]) -> str:
    return json.dumps(line, sort_keys=True)


class Holding:
    """What a user does, without the cost of a process for each step."""

    def __init__(self, folder: Path, box: Sandbox) -> None:
        self.folder = folder
        self.box = box
        (folder / "manifests").mkdir(parents=True, exist_ok=True)
        (folder / "reconciler.yaml").write_text(PROJECT.format(url=box.url), encoding="utf-8")

    def hold(self, items: list[dict[str, Any]] | None, name: str = "group", **spec: Any) -> None:
        """Declare a held booking; None removes its manifest."""
        file = self.folder / "manifests" / f"{name}.json"
        if items is None:
            file.unlink()
            return
        document = {
            "apiVersion": "reconciler/v1",
            "kind": "BookingSession",
            "metadata": {"name": name},
            "spec": {"items": items, **spec},
        }
        file.write_text(json.dumps(document), encoding="utf-8")

    def _run(self, job: Any) -> Any:
        project = reconciler.open_project(self.folder)
        with reconciler.ProjectSession(project) as session:
            return job(session, reconciler.declare(project))

    def plan(self) -> Planned:
        return self._run(reconciler.plan)

    def change(self) -> Change:
        """Return the one change of a plan."""
        (change,) = self.plan().plan.changes
        return change

    def apply(self) -> Report:
        return self._run(lambda session, declared: reconciler.apply(session, reconciler.plan(session, declared)))

    def drift(self) -> Drift:
        return self._run(lambda session, _: reconciler.drift(session))

    def records(self) -> Any:
        return self._run(lambda session, _: session.store.records())

    def applied(self) -> Report:
        """Apply, and assert rule 1 of the contract: the next plan is empty, and reads only."""
        report = self.apply()
        assert report.clean, report.outcomes
        self.settled()
        return report

    def settled(self) -> None:
        self.box.clear_log()
        planned = self.plan()
        assert not planned.plan.effective, [
            (change.action, change.reason, change.fields) for change in planned.plan.changes
        ]
        assert planned.plan.summary["unknown"] == 0, [change.reason for change in planned.plan.changes]
        assert {entry.method for entry in self.box.log()} <= {"GET"}
        assert not any("slip" in entry.query or "alter" in entry.query for entry in self.box.log())

    def held_elsewhere(self, items: list[dict[str, Any]]) -> str:
        """Hold items as another client would: rate each, send its slip, choose its add-ons; return the id."""
        auth, session = tuple(CREDENTIALS.values()), f"{self.box.url}/api/3.0/booking/session"
        slips = []
        for item in items:
            counts = {**item.get("params", {}), **({"qty": item["quantity"]} if "quantity" in item else {})}
            query = {
                name: item[name] for name in ("start_date", "end_date", "start_time", "discount_code") if name in item
            }
            query |= {f"param[{name}]": number for name, number in counts.items()}
            rated = httpx.get(f"{self.box.url}/api/3.0/item/{item['item_id']}", params=query, auth=auth).json()
            slips.append(rated["item"]["rate"]["slip"])
        made = httpx.post(session, data={"slip[]": slips}, auth=auth).json()["booking"]["session"]
        opted = {"in": "optin", "out": "optout"}
        alter = {
            f"alter[{number}.{position}]": opted[choice]
            for number, item in enumerate(items, start=1)
            for position, (_, choice) in enumerate(sorted(item.get("options", {}).items()), start=1)
        }
        httpx.post(session, data={"session_id": made["id"], **alter}, auth=auth)
        return str(made["id"])

    def export(self, session_id: str) -> list[str]:
        """Export a session to the folder of manifests; return what a person is warned of."""
        request = reconciler.ExportRequest(window=("2031-01-01T00:00:00Z", "2032-01-01T00:00:00Z"), ids=(session_id,))
        made = self._run(lambda session, declared: reconciler.export(session, declared, request))
        (manifest,) = made.manifests
        (self.folder / "manifests" / "exported.yaml").write_text(manifest.text, encoding="utf-8")
        return [problem.summary for problem in made.problems]

    def adopt(self, address: str, session_id: str) -> None:
        """Start managing a session."""
        self._run(lambda session, declared: reconciler.adopt(session, declared, Address.parse(address), session_id))

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of the only session that was not ended, without positions and slips."""
        (hold,) = self.box.holds()
        kept = ("item_id", "start_date", "end_date", "start_time", "params", "discount_code", "options")
        return sorted(({name: line[name] for name in kept} for line in hold["lines"]), key=_order)

    @property
    def session_id(self) -> str:
        (hold,) = self.box.holds()
        return str(hold["id"])

    def writes(self) -> list[str]:
        """Return the writing calls since the last look."""
        found = [f"{entry.path} {entry.request_body}" for entry in self.box.log() if entry.method == "POST"]
        self.box.clear_log()
        return found


def expected(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines that items should come to, in the sandbox's own words."""
    add_ons = {30: {"31": "out", "32": "in"}}
    lines = []
    for item in items:
        params = {"qty": item["quantity"]} if item["item_id"] == 21 else {**item.get("params", {})}
        lines.append(
            {
                "item_id": item["item_id"],
                "start_date": item["start_date"],
                "end_date": item["end_date"],
                "start_time": item.get("start_time", ""),
                "params": params,
                "discount_code": item.get("discount_code", ""),
                "options": {**add_ons.get(item["item_id"], {}), **item.get("options", {})},
            }
        )
    return sorted(lines, key=_order)
