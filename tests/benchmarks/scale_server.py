"""Answer for a town of any size from arithmetic: python scale_server.py SIZE

It has no storage but what was written, keeps connections open, and prints its URL. `/_bench/requests` returns how many
requests were answered since the last look, by method and kind of path. After `/_bench/empty` nothing is live, until
`/_bench/full`.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from functools import cache
from urllib.parse import parse_qs

from scale_town import BLOCK, COMPANY, RESOURCE, SESSION, Town, block_json, resource_json, session, session_xml
from serving import serve

_ELEMENT = re.compile(r"<(\w+)>([^<]*)</\1>")
_SESSION = re.compile(r"/api/sessions/(\d+)\.xml")
_ADMIN = f"/api/v1/admin/{COMPANY}/"
_XML, _JSON = b"application/xml; charset=utf-8", b"application/json"
_REASONS = {200: b"OK", 201: b"Created", 404: b"Not Found"}


class Systems:
    """What is live."""

    def __init__(self, size: int) -> None:
        self.town = self._full = Town(size)
        self.base = ""
        self.asked: Counter[str] = Counter()
        self.changes: dict[int, dict[str, str]] = {}
        """What was written, by the number of a session."""
        self.created = 0
        """Sessions that were created after the town."""

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        """Answer one call, with the whole HTTP message."""
        path, _, query = target.partition("?")
        if path.startswith("/_bench/"):
            return self._bench(path.removeprefix("/_bench/"))
        self.asked[f"{method} {re.sub('[0-9]+', 'N', path)}"] += 1
        if path == "/api/sessions.xml":
            return self._create(body) if method == "POST" else _message(200, _listing(self.town.sessions), _XML)
        if (found := _SESSION.fullmatch(path)) is not None:
            number = int(found[1]) - SESSION
            if method == "PUT":
                stated = dict(_ELEMENT.findall(body.decode()))
                self.changes[number] = self.changes.get(number, {}) | stated
            if not 0 <= number < self.town.sessions + self.created:
                return _message(404)
            return _message(200, session_xml(number, self.changes.get(number, {})), _XML)
        if path.startswith(_ADMIN):
            return self._admin(path.removeprefix(_ADMIN), parse_qs(query))
        return _message(404)

    def _bench(self, wanted: str) -> bytes:
        if wanted == "requests":
            found, self.asked = dict(self.asked), Counter()
            return _message(200, json.dumps(found), _JSON)
        self.town = Town(0) if wanted == "empty" else self._full
        return _message(200)

    def _create(self, body: bytes) -> bytes:
        number = self.town.sessions + self.created
        self.created += 1
        self.changes[number] = dict(_ELEMENT.findall(body.decode()))
        return _message(201, session_xml(number, self.changes[number]), _XML)

    def _admin(self, path: str, query: dict[str, list[str]]) -> bytes:
        name, _, number = path.partition("/")
        count = {"resources": self.town.resources, "slots": self.town.blocks, "bookings": 0}[name]
        if number:
            return _message(200, self._row(name, int(number) - {"resources": RESOURCE, "slots": BLOCK}[name]), _JSON)
        page, size = (int(query.get(key, ["1"])[0]) for key in ("page", "per_page"))
        rows = [self._row(name, item) for item in range((page - 1) * size, min(page * size, count))]
        text = f'{{"total_entries": {count}, "_embedded": {{"{name}": [{", ".join(rows)}]}}, "_links": {{}}}}'
        return _message(200, text, _JSON)

    def _row(self, name: str, number: int) -> str:
        return resource_json(number, self.base) if name == "resources" else block_json(number, self.base, self.town)


@cache
def _listing(count: int) -> str:
    rows = (
        f'<session id="{SESSION + number}"><name>{row["name"]}</name><group>{row["group"]}</group></session>'
        for number in range(count)
        for row in (session(number),)
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<sessions>{"".join(rows)}</sessions>'


def _message(status: int, text: str = "", kind: bytes = _XML) -> bytes:
    body = text.encode()
    head = b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n"
    return head % (status, _REASONS[status], kind, len(body)) + body


def main(size: int) -> None:
    """Serve a town."""
    systems = Systems(size)
    asyncio.run(serve(systems.answer, ready=lambda url: setattr(systems, "base", url)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
