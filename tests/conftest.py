"""What all tests share: databases of their own, how often a property is tried, and a summary of what was not run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from reconciler import redaction

SERVER = "RECONCILER_TEST_POSTGRES"
LEFT_OUT = pytest.StashKey[int]()

for name in (
    "CI",
    *(name for name in os.environ if name.startswith("RECONCILER_") and not name.startswith("RECONCILER_TEST_")),
):
    os.environ.pop(name, None)  # what a pipeline allows bounds a run, and here each test says its own

CACHE = tempfile.TemporaryDirectory(prefix="reconciler-cache-")
os.environ["RECONCILER_CACHE"] = CACHE.name  # the tests never use that of the user who runs them

os.environ["RECONCILER_TODAY"] = "2000-01-01"  # a test says itself which days are past

MEMORY = Path("/dev/shm")
ROOM = 2**30
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    # The state is flushed to disk with every record: on a file system in memory, that takes no time.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

for name, examples in {"quick": 25, "full": 100, "explore": 1000}.items():
    settings.register_profile(
        name,
        deadline=None,
        max_examples=examples,
        derandomize=name != "explore",  # a change passes or fails by what it changes; new inputs are looked for apart
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
    )
settings.load_profile("quick")

pytest.register_assert_rewrite("guarded", "holding", "chaos_kills", "chaos_machine", "chaos_town")


SAMPLE = 4
"""Cases of one test with a server that `make test` runs, spread over all of them; `make test-all` runs the others."""

SERVED = {"e2e", "contract", "chaos"}
"""Folders in which a test talks to a server."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark as slow what a long table adds to a sample of its cases: each talks to a server."""
    tables = defaultdict(list)
    for item in items:
        served = not SERVED.isdisjoint(item.path.parts)
        if served and hasattr(item, "callspec") and item.get_closest_marker("slow") is None:
            tables[item.path, item.originalname].append(item)
    for cases in tables.values():
        step = -(-len(cases) // SAMPLE)
        for number, item in enumerate(cases):
            if number % step:
                item.add_marker("slow")


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
def tmp_path(tmp_path):
    """Give each test the folder above its own one, too: a project file there would be found by other tests."""
    own = tmp_path / "own"
    own.mkdir()
    return own


@pytest.fixture(autouse=True)
def _own_secrets():
    """Forget what a test had masked: another one may use it as a plain value."""
    yield
    with redaction.run():
        pass


@pytest.fixture
def no_backoff(monkeypatch):
    """Try a failed request again at once, where the pause is not the point."""
    monkeypatch.setattr("reconciler.providers.http.client.LONGEST_BACKOFF", 0.0)


@pytest.fixture
def short_waits():
    """Do not wait as long for a lost call as for a server that may be anywhere; a command in its own process does."""
    from reconciler.testing import short_waits  # noqa: PLC0415 - it loads the sandbox

    with short_waits():
        yield


@pytest.fixture
def postgres():
    """Return a URL whose tables nobody else sees; they are dropped at the end."""
    given = os.environ.get(SERVER)
    if not given:
        pytest.skip(f"{SERVER} is not set; CONTRIBUTING says how to start a PostgreSQL server for the tests")
    import psycopg  # noqa: PLC0415 - only where a server is given

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(given, autocommit=True) as server:
        server.execute(f"CREATE SCHEMA {name}")
        try:
            yield f"{given}{'&' if '?' in given else '?'}options=-csearch_path%3D{name}"
        finally:
            server.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def git_remote(tmp_path_factory, monkeypatch):
    """Return a state on a branch of an empty bare repository, which this process reads as often as a database."""
    folder = tmp_path_factory.mktemp("remote") / "state.git"
    subprocess.run(["git", "init", "--quiet", "--bare", folder], check=True, timeout=30)
    monkeypatch.setattr("reconciler.state.git.database.AGE", 0.0)
    monkeypatch.setattr("reconciler.state.git.database.PACE", 1.0)
    return f"git+file://{folder}#reconciler-state"


def url_of(request, tmp_path):
    """Return the URL of a state that does not exist yet, in the place that a fixture's parameter names."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/state.db"
    return request.getfixturevalue({"postgresql": "postgres", "git": "git_remote"}[request.param])


@pytest.fixture(params=["sqlite", "postgresql", "git"])
def state_url(request, tmp_path):
    """Return the URL of a state that does not exist yet, in each place in turn."""
    return url_of(request, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """Return the URL of a state that does not exist yet, on each database in turn."""
    return url_of(request, tmp_path)
