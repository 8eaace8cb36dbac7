"""How an emulated API is written: plain functions from a call to a reply, free of ASGI.

An API is a list of routes plus its way to say "no such path". `app` mounts them all on one port.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

NO_CONTENT = 204

if TYPE_CHECKING:
    from reconciler.sandbox.company import Company
    from reconciler.sandbox.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as a handler sees it; header names are lower case, `base_url` has no final slash.

    `query` keeps the last of several values of one name, `query_string` has it all.
    """

    company: Company
    method: str
    path: str
    base_url: str
    params: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    query_string: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def options(self) -> Options:
        """The switches in force now."""
        return self.company.options

    @property
    def media_type(self) -> str:
        """The type of the body without its parameters, lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: status, body and the headers besides Content-Length."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """A request that is turned down; what it wrote so far is rolled back."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One emulated API. `unknown(call, status)` answers a path (404) or method (405) it does not have."""

    prefix: str
    routes: tuple[tuple[str, str, Handler], ...]
    unknown: Callable[[Call, int], Reply]


def json_reply(status: int, value: object, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer a JSON value; 204 has no body by definition."""
    if status == NO_CONTENT:
        return Reply(status=status)
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(status=status, body=body, headers={"Content-Type": "application/json", **(headers or {})})
