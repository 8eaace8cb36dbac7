from __future__ import annotations

from dataclasses import asdict

import pytest
from desk import Desk
from holding import CREDENTIALS, PROJECT, Holding

from reconciler.sandbox import Options, Sandbox


@pytest.fixture(autouse=True)
def _brisk(no_backoff, short_waits):
    """No test here waits between attempts, or compiles a statement again; a command in its own process does."""


@pytest.fixture(scope="module")
def module_box():
    with Sandbox() as box:
        yield box


@pytest.fixture
def box(module_box):
    """One sandbox a module, as new for each test."""
    module_box.set_options(**asdict(Options()))
    module_box.clear_faults()
    module_box.reset()
    module_box.clear_log()
    return module_box


@pytest.fixture
def desk(tmp_path, box):
    return Desk(tmp_path, box)


@pytest.fixture
def holding(tmp_path, box, monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return Holding(tmp_path, box)


@pytest.fixture
def shop(tmp_path, box):
    desk = Desk(tmp_path, box)
    desk.env |= CREDENTIALS
    desk.project(PROJECT.format(url=box.url))
    return desk
