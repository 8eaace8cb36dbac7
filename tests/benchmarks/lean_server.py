"""A server of sessions that costs little CPU, in a process of its own: python lean_server.py

It answers as the sandbox does with `show_fields: all` (test_lean_server.py compares them), keeps connections open,
waits `latency` before each answer, and logs the calls. Control calls are not logged:

    POST /_bench/fill/N       hold N sessions, those of `projects.fields`
    POST /_bench/latency/MS   wait so long before each answer
    GET  /_bench/log          the calls since the last look, as JSON: [["GET", "/api/sessions.xml"], ...]
"""

from __future__ import annotations

import asyncio
import json
import re
from xml.sax.saxutils import escape, unescape

from projects import fields
from serving import serve

FIRST_ID, FIRST_SLOT = 123, 123456
SHOWN = (
    *("name", "group", "time", "start_date", "end_date", "type", "duration", "description", "spaces", "price"),
    *("max_num_bookings", "repeat", "disabled", "min_cancel", "max_advance", "ask_address", "ticket_type"),
)
DEFAULTS = dict.fromkeys(SHOWN, "") | {
    "type": "0",
    "duration": "120",
    "spaces": "1",
    "max_num_bookings": "1",
    "repeat": "0",
    "disabled": "false",
    "min_cancel": "5",
    "ask_address": "false",
    "ticket_type": "0",
}
PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n'
XML = b"content-type: application/xml; charset=utf-8\r\n"
REASONS = {200: b"OK", 201: b"Created", 404: b"Not Found"}
ELEMENT = re.compile(r"<(\w+)>([^<]*)</\1>")
ONE = re.compile(r"/api/sessions/(\d+)\.xml")


class Company:
    """The sessions, and what was asked."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, str]] = {}
        self.next_id = FIRST_ID
        self.latency = 0.0
        self.log: list[tuple[str, str]] = []

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        """Answer one call with status and body."""
        if path.startswith("/_bench/"):
            return self._control(path.removeprefix("/_bench/"))
        path = path.partition("?")[0]
        self.log.append((method, path))
        if path == "/api/sessions.xml":
            return (201, self._create(body)) if method == "POST" else (200, self._list())
        found = ONE.fullmatch(path)
        number = int(found[1]) if found is not None else 0
        if number not in self.rows:
            return 404, ""
        if method == "DELETE":
            del self.rows[number]
            return 200, ""
        if method == "PUT":
            self.rows[number] |= _stated(body)
        return 200, _session(number, self.rows[number])

    def _control(self, path: str) -> tuple[int, str]:
        verb, _, value = path.partition("/")
        if verb == "log":
            seen, self.log = self.log, []
            return 200, json.dumps(seen)
        if verb == "latency":
            self.latency = float(value) / 1000
        if verb == "fill":
            self.fill(int(value))
        return 200, ""

    def fill(self, size: int) -> None:
        """Hold the sessions of `projects.fields`, and no others."""
        self.rows = {FIRST_ID + number: {**DEFAULTS, **fields(number)} for number in range(size)}
        self.next_id = FIRST_ID + size
        self.log = []

    def _create(self, body: bytes) -> str:
        number, self.next_id = self.next_id, self.next_id + 1
        stated = _stated(body)
        self.rows[number] = {**DEFAULTS, "end_date": stated.get("start_date", ""), **stated}
        return _session(number, self.rows[number])

    def _list(self) -> str:
        rows = "".join(
            f'<session id="{number}"><name>{escape(row["name"])}</name><group>{escape(row["group"])}</group></session>'
            for number, row in self.rows.items()
        )
        return f"{PROLOG}<sessions>{rows}</sessions>" if rows else f"{PROLOG}<sessions />"


def _stated(body: bytes) -> dict[str, str]:
    stated = {name: unescape(text) for name, text in ELEMENT.findall(body.decode())}
    if "price" in stated:
        stated["price"] = str(float(stated["price"]))
    return stated


def _session(number: int, row: dict[str, str]) -> str:
    shown = "".join(f"<{name}>{escape(row[name])}</{name}>" if row[name] else f"<{name} />" for name in SHOWN)
    slot = (
        f'<slot id="{FIRST_SLOT + number - FIRST_ID}"><date>{row["start_date"]}</date><time>{row["time"]}</time>'
        f"<duration>{row['duration']}</duration><spaces_booked>0</spaces_booked><spaces_reserved>0</spaces_reserved></slot>"
    )
    return f'{PROLOG}<session id="{number}">{shown}<slots>{slot}</slots></session>'


def _message(status: int, text: str) -> bytes:
    body = text.encode()
    return b"HTTP/1.1 %d %b\r\n%bcontent-length: %d\r\n\r\n%b" % (
        status,
        REASONS[status],
        XML if body else b"",
        len(body),
        body,
    )


def main() -> None:
    """Serve a company without sessions."""
    company = Company()

    def answer(method: str, path: str, body: bytes) -> bytes:
        return _message(*company.answer(method, path, body))

    def latency(path: str) -> float:
        return 0.0 if path.startswith("/_bench/") else company.latency

    asyncio.run(serve(answer, latency))


if __name__ == "__main__":
    main()
