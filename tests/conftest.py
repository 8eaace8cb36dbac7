"""What all tests share: databases of their own, how often a property is tried, and a summary of what was not run."""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, make_url

SERVER = "RECONCILER_TEST_POSTGRES"
LEFT_OUT = pytest.StashKey[int]()

for name, examples in {"quick": 25, "full": 100}.items():
    calm = [HealthCheck.too_slow]
    settings.register_profile(name, deadline=None, max_examples=examples, suppress_health_check=calm, print_blob=True)
settings.load_profile("quick")

pytest.register_assert_rewrite("guarded", "holding", "chaos_kills", "chaos_machine", "chaos_town")


def pytest_deselected(items):
    """Count what `-m` and `-k` leave out; called once for each of them."""
    stash = items[0].config.stash
    stash[LEFT_OUT] = stash.get(LEFT_OUT, 0) + len(items)


def pytest_sessionfinish(session):
    """Let a worker report what it left out: each worker collects all tests, so that all report the same number."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left out", 0)


def pytest_terminal_summary(terminalreporter, config):
    """Say in one line for each reason what was not run."""
    skipped = terminalreporter.stats.get("skipped", ())
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} skipped: {reason}")
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{left_out} left out; `make test-all` runs every test")


@pytest.fixture
def no_backoff(monkeypatch):
    """Try a failed request again at once, where the pause is not the point."""
    monkeypatch.setattr("reconciler.providers.http.client.LONGEST_BACKOFF", 0.0)


SURELY_OVER = 1.0
"""Seconds after which the sandbox of a test has surely ended a call, unless the test holds it."""


@pytest.fixture
def short_waits(monkeypatch):
    """Do not wait as long for a lost call as for a server that may be anywhere; a command in its own process does."""
    patched = SimpleNamespace(
        sleep=lambda seconds: time.sleep(min(seconds, SURELY_OVER)), monotonic=time.monotonic, time=time.time
    )
    monkeypatch.setattr("reconciler.engine.intents.time", patched)


@pytest.fixture(scope="session")
def _statements():
    """Return a way to open SQLite files that share one dialect and the statements compiled for it."""
    compiled, dialects = {}, []

    def opened(url, **options):
        engine = create_engine(url, **options)
        if engine.dialect.name == "sqlite":
            dialects.append(engine.dialect)
            engine.dialect = dialects[0]
            engine.update_execution_options(compiled_cache=compiled)
        return engine

    return opened


@pytest.fixture
def compiled_once(monkeypatch, _statements):
    """Compile each SQL statement once for all tests in a process: else it is a sixth of what a command computes."""
    monkeypatch.setattr("reconciler.state.database.create_engine", _statements)


@pytest.fixture
def postgres():
    """Return a URL whose tables nobody else sees; they are dropped at the end."""
    given = os.environ.get(SERVER)
    if not given:
        pytest.skip(f"{SERVER} is not set; CONTRIBUTING says how to start a PostgreSQL server for the tests")
    url, name = make_url(given).set(drivername="postgresql+psycopg"), f"test_{uuid.uuid4().hex}"
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        own = url.set(drivername="postgresql").update_query_dict({"options": f"-csearch_path={name}"})
        yield own.render_as_string(hide_password=False)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
    finally:
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request, tmp_path):
    """Return the URL of a state that does not exist yet, on each database in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/state.db"
    return request.getfixturevalue("postgres")
