"""One running sandbox per module. Each test gets it empty, with the default options."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reconciler.sandbox import Options, Sandbox

SESSION = "/booking/session"
NOON = "2031-06-01T12:00:00Z"


class Shop:
    """What a careful caller does: asks, and looks into the body."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def rate(self, item_id: int, /, **query: Any) -> dict[str, Any]:
        return self.http.get(f"/item/{item_id}", params=query).json()["item"]["rate"]

    def post(self, path: str = SESSION, **data: Any) -> dict[str, Any]:
        return self.http.post(path, data=data).json()

    def start(self, *slips: str) -> dict[str, Any]:
        return self.session(self.post(**{"slip[]": list(slips)}))

    def alter(self, session_id: str, /, **actions: Any) -> dict[str, Any]:
        """Alter lines; `_1` is line 1, `_1_2` its second add-on."""
        data = {f"alter[{name[1:].replace('_', '.')}]": str(action) for name, action in actions.items()}
        return self.post(session_id=session_id, **data)

    def read(self, session_id: str) -> dict[str, Any]:
        return self.http.get(SESSION, params={"session_id": session_id}).json()

    @staticmethod
    def session(answer: dict[str, Any]) -> dict[str, Any]:
        assert answer["request"]["status"] == "OK", answer["request"]
        return answer["booking"]["session"]


@pytest.fixture(scope="module")
def live() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture
def box(live: Sandbox) -> Sandbox:
    # The time stands still, so that no answer depends on how fast the machine is.
    live.set_options(**dataclasses.asdict(Options(fixed_now=NOON)))
    live.reset()
    return live


@pytest.fixture
def http(box: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{box.url}/api/3.0", auth=("demo-key", "demo-secret"), timeout=60) as client:
        yield client


@pytest.fixture
def shop(http: httpx.Client) -> Shop:
    return Shop(http)


@pytest.fixture
def control(box: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{box.url}/_sandbox", timeout=60) as client:
        yield client
