"""Moving a state between a file, a database server and a branch in Git: all of it, and only into an empty place."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from desk import PROJECT

from reconciler.model.objects import Address, Intent
from reconciler.sandbox import Fault
from reconciler.state.holder import myself
from reconciler.state.store import Store


def use(desk, url):
    desk.project(PROJECT.format(url=desk.box.url).replace("spec:\n", f"spec:\n  state: {url}\n"))


@pytest.fixture
def places(request, tmp_path):
    """Return the URL of each place; that of a server needs one."""

    def url(place):
        if place == "sqlite":
            return f"sqlite:///{tmp_path}/states/moved.db"
        return request.getfixturevalue({"git": "git_remote", "postgresql": "postgres"}[place])

    return url


PAIRS = [("sqlite", "git"), ("git", "sqlite"), ("sqlite", "postgresql"), ("git", "postgresql"), ("postgresql", "git")]


@pytest.mark.parametrize(
    ("source", "target"), [PAIRS[0], *(pytest.param(*pair, marks=pytest.mark.slow) for pair in PAIRS[1:])]
)
def test_everything_moves_and_the_next_plan_from_there_is_empty(desk, places, source, target):
    old, new = places(source), places(target)
    use(desk, old)
    desk.session(price=35)
    desk.declare("Resource", "court", {"name": "Court"})
    desk.run("apply", "--yes", code=0)
    desk.declare("Resource", "pool", {"name": "Pool"})
    desk.box.fault(Fault(kind="drop_after", match_method="POST", times=None))
    desk.run("apply", "--yes", code=3)
    desk.box.clear_faults()
    listed = desk.run("state", "list", "--format", "json", code=0).json
    dry = desk.run("state", "migrate", "--to", new, "--dry-run", code=0)
    assert "Would copy 2 objects, 1 call with an unknown result" in dry.err
    assert desk.run("state", "migrate", "--to", new, code=0).err.startswith("Copied 2 objects, 1 call")
    with closing(Store(old, project="acme")) as before, closing(Store(new, project="acme")) as after:
        assert before.contents() == after.contents()
        assert set(after.contents()) >= {
            "reconciler_objects",
            "reconciler_intents",
            "reconciler_runs",
            "reconciler_hosts",
        }
        assert after.holder() is before.holder() is None
    use(desk, new)
    assert desk.run("state", "list", "--format", "json", code=0).json == listed
    desk.run("apply", "--yes", "--wait", code=0)
    assert [item["name"] for item in desk.box.resources()] == ["Court", "Pool"]
    desk.settled()


def test_the_message_says_what_to_write_where_and_that_the_old_state_stays(desk, git_remote):
    desk.session()
    desk.run("apply", "--yes", code=0)
    said = desk.run("state", "migrate", "--to", git_remote, code=0).err
    assert re.search(
        r"The state .*state\.db is unchanged\. To use the new one, write at spec in reconciler\.yaml:", said
    )
    assert f"\n  state: {git_remote}\n" in said
    assert "two states would both manage the objects" in said
    desk.settled()


def test_only_this_project_and_environment_moves_and_only_into_an_empty_place(desk, git_remote):
    desk.session()
    desk.run("apply", "--yes", code=0)
    with closing(Store(git_remote, project="other")) as store:
        store.begin_run("r1", "apply")
    desk.run("state", "migrate", "--to", git_remote, code=0)
    again = desk.run("state", "migrate", "--to", git_remote, code=1)
    assert f"the state {git_remote} already has " in again.err
    assert "records of project acme" in again.err
    with closing(Store(git_remote, project="other")) as store:
        assert store.run_count() == 1
        assert store.records() == {}


@pytest.mark.parametrize("held", ["the present state", "the new state"])
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_run_that_writes_is_not_disturbed(desk, git_remote, held, more):
    desk.session()
    desk.run("apply", "--yes", code=0)
    url = git_remote if held == "the new state" else f"sqlite:///{desk.folder}/.reconciler/state.db"
    with closing(Store(url, project="acme")) as store:
        store.claim(myself("r1"))
        refused = desk.run(
            "state", "migrate", "--to", git_remote, *more, code=0 if more and held == "the new state" else 1
        )
        if refused.code:
            assert "r1" in refused.err
            assert "holds the state lock" in refused.err
        store.release("r1")
    with closing(Store(git_remote, project="acme")) as store:
        assert store.contents() == {}


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("mysql://host/db", 64, "the new state is not the URL of an SQLite or PostgreSQL database, or of a Git remote"),
        ("git+https://user:hunter2@host/x", 64, "the new state contains a credential"),
        ("sqlite:///.reconciler/state.db", 64, "is the present state of this project"),
        ("git+file:///nosuchfolder/x.git", 1, "does not appear to be a git repository"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused(desk, url, code, words):
    desk.session()
    refused = desk.run("state", "migrate", "--to", url, code=code)
    assert words in refused.err
    assert "hunter2" not in refused.err


def test_a_host_that_the_pipeline_does_not_allow_is_refused(desk):
    desk.session()
    refused = desk.run(
        "state", "migrate", "--to", "git+https://evil.example/x.git", code=1, RECONCILER_HOSTS="127.0.0.1"
    )
    assert "RECONCILER_HOSTS does not allow the host evil.example" in refused.err


def test_the_order_of_intents_stays(tmp_path, git_remote):
    sent = {"connection": "c", "target": "t", "effect": "create", "started_at": "2027-01-01T00:00:00Z", "fields": {}}
    url = f"sqlite:///{tmp_path}/state.db"
    with closing(Store(url, project="acme")) as old, closing(Store(git_remote, project="acme")) as new:
        for name in ("b", "a", "c"):
            old.begin(Intent(run_id="r", address=Address("Session", name), **sent))
        new.receive(old.contents())
        new.receive(old.contents())
        assert [item.address.name for item in new.open_intents()] == ["b", "a", "c"]
