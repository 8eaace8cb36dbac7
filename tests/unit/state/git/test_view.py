"""The rows of a branch in memory: what becomes of them after a signal."""

from __future__ import annotations

from contextlib import closing

import pytest

from reconciler.state.git.files import path_of
from reconciler.state.git.view import Changes, View
from reconciler.state.schema import hosts
from reconciler.state.transaction import Job


def host(name):
    return {"project": "acme", "environment": "", "origin": name, "run_id": "r1", "since": "2027-01-01T00:00:00Z"}


def files_of(*names):
    return {path_of("hosts", host(name)): host(name) for name in names}


def test_a_signal_while_the_view_follows_the_branch_leaves_it_as_it_was(monkeypatch):
    with closing(View()) as view:
        view.replace(Changes(files=files_of("a", "b"), leases={}))
        put = view._put

        def interrupted(path, row):
            put(path, row)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(view, "_put", interrupted)
            with pytest.raises(KeyboardInterrupt):
                view.replace(Changes(files={next(iter(files_of("a"))): None, **files_of("c")}, leases={}))
        assert {row["origin"] for row in view.read(lambda at: list(at.select(hosts, {})))} == {"a", "b"}
        job = Job(work=lambda at: (at.delete(hosts, {"origin": "a"}), at.insert(hosts, host("d"))))
        found = view.tried([job], first=lambda *_: None)
        assert found.files == {next(iter(files_of("a"))): None, **files_of("d")}
