"""The building blocks of an emulated API: plain functions from a call to a reply, independent of ASGI.

An API is a list of routes plus an answer to unknown paths. `app` mounts all APIs on one port.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import Struct

NO_CONTENT = 204

if TYPE_CHECKING:
    from reconciler.sandbox.company import Company
    from reconciler.sandbox.options import Options


class Call(Struct, frozen=True, kw_only=True):
    """One request, as a handler receives it."""

    company: Company
    method: str
    path: str
    base_url: str
    """Without a final slash."""

    params: Mapping[str, Any] = {}
    """The values in the path."""

    query: Mapping[str, str] = {}
    """The query, with the last value of each name."""

    query_string: str = ""
    """The whole query."""

    headers: Mapping[str, str] = {}
    """The headers, with names in lower case."""

    body: bytes = b""

    @property
    def options(self) -> Options:
        """The current options; for a call under the company's other id, with that id."""
        options = self.company.options
        if options.company_alias and str(self.params.get("company")) == str(options.company_alias):
            return replace(options, company_id=options.company_alias)
        return options

    @property
    def media_type(self) -> str:
        """The media type of the body, in lower case and without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Reply(Struct, frozen=True, kw_only=True):
    """An answer. The server adds Content-Length to the headers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Refusal(Exception):
    """A refused request. Its writes are rolled back."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


Handler = Callable[[Call], Reply]


class Api(Struct, frozen=True, kw_only=True):
    """One emulated API."""

    name: str
    """What `lagging` calls it."""

    prefix: str
    """The start of all its paths."""

    routes: tuple[tuple[str, str, Handler], ...]
    """Method, path and handler of each route."""

    unknown: Callable[[Call, int], Reply]
    """Answers an unknown path (status 404) or method (405)."""


def json_reply(status: int, value: object, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer a JSON value. A 204 has no body."""
    if status == NO_CONTENT:
        return Reply(status=status)
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status=status, body=body, headers={"Content-Type": "application/json", **(headers or {})})
