"""One running sandbox for all tests. Each test gets it empty, with the default options."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from reconciler.sandbox import Options, Sandbox

COMPANY = "/api/v1/admin/37004"


@pytest.fixture(scope="session")
def live() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture
def box(live: Sandbox) -> Sandbox:
    live.set_options(**dataclasses.asdict(Options()))
    live.reset()
    return live


@pytest.fixture
def anyone(box: Sandbox) -> Iterator[httpx.Client]:
    """A client without credentials."""
    with httpx.Client(base_url=box.url, timeout=60) as client:
        yield client


@pytest.fixture
def xml(box: Sandbox) -> Iterator[httpx.Client]:
    """A client of the sessions API, paths as /sessions.xml."""
    credentials = ("demo", "demo-password")
    headers = {"Content-Type": "text/xml"}
    with httpx.Client(base_url=box.url + "/api", auth=credentials, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def admin(box: Sandbox) -> Iterator[httpx.Client]:
    """A client of the admin API, paths as /resources."""
    headers = {"App-Id": "demo-app", "App-Key": "demo-key", "Auth-Token": "demo-token"}
    with httpx.Client(base_url=box.url + COMPANY, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def sample() -> Callable[[str], str]:
    """Read a sample of the source documents."""
    return lambda name: (Path(__file__).parent / "samples" / name).read_text(encoding="utf-8")
