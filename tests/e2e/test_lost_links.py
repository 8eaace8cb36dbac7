"""A network that fails while a call is on its way: what the kernel has not delivered by then is never delivered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lossy_link
import pytest

pytestmark = pytest.mark.skipif(
    not lossy_link.available(), reason="this machine does not allow network namespaces and TUN interfaces"
)
ROUNDS = int(os.environ.get("ROUNDS", "10"))


def link(*arguments):
    command = [*lossy_link.UNSHARE, sys.executable, lossy_link.__file__, *arguments]
    done = subprocess.run(
        command, cwd=Path(lossy_link.__file__).parent, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def never_arrives(*arguments):
    found = link("call", *arguments)
    assert found["lost"] > 0
    assert (found["late"], found["seen"]) == (0, ["PUT"]), found


def test_what_was_not_delivered_when_a_run_ended_never_is():
    never_arrives("--way", "exits")


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--tls"], ["--size", "200000"]], ids=["small", "TLS", "large"])
@pytest.mark.parametrize("way", lossy_link.WAYS)
def test_it_never_is_however_the_client_ends(way, more):
    """A killed client's kernel discards it; a stopped one's gives up at the deadline of the call."""
    never_arrives("--way", way, *more)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", ["exits", "is killed"])
def test_a_create_that_a_failing_link_lost_is_made_once_in_many_rounds(way):
    """Without waiting for the server (settle_after: 0), so that only the discarded bytes keep it from being doubled."""
    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(lambda _: link("runs", "--way", way), range(ROUNDS)))
    assert Counter(item["objects"] for item in found) == {1: ROUNDS}, found
    assert all(item["lost"] and item["codes"][1:] == [0, 0] for item in found), found
