"""What was seen to change outside is kept for each object, never disturbs a run, and goes where its object goes."""

from __future__ import annotations

from contextlib import closing

import pytest

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Record
from reconciler.model.sighting import Sighting
from reconciler.state.holder import myself
from reconciler.state.lease import hold
from reconciler.state.store import Store

YOGA, ZUMBA = Address("Session", "yoga"), Address("Session", "zumba")
SAVED = Record(address=YOGA, connection="sessions", target="uk.bookingbug.com", remote_id="12", fields={"name": "Yoga"})
SEEN = Sighting(since="2027-01-01T00:00:00Z", applied="10.00", live="12.00", run_id="r1")
FOUND = {YOGA: {"price": (SEEN,)}}


@pytest.fixture
def store(state_url, tmp_path):
    with closing(Store(state_url, project="acme", folder=tmp_path / "backups")) as opened:
        opened.save(SAVED)
        yield opened


def note(store, found):
    return store.outside.update_sightings(lambda _: found)


def test_sightings_come_back_and_an_object_without_any_is_removed(store):
    assert note(store, FOUND)
    assert store.outside.sightings() == FOUND
    assert note(store, {})
    assert store.outside.sightings() == FOUND
    assert note(store, {YOGA: {}})
    assert store.outside.sightings() == {}


def test_a_change_is_made_from_what_is_recorded_at_that_moment(store):
    note(store, FOUND)
    given = []
    store.outside.update_sightings(lambda known: given.append(known) or known)
    assert given
    assert all(known == FOUND for known in given)  # Git runs it again on the rows of the remote


def test_first_sights_of_unmanaged_objects_come_back(store):
    found = {("uk.bookingbug.com", "Session"): {"13": "2027-01-01T00:00:00Z"}}
    assert store.outside.update_first_seen(lambda _: found)
    assert store.outside.first_seen() == found
    store.outside.update_first_seen(lambda _: {("uk.bookingbug.com", "Session"): {}})
    assert store.outside.first_seen() == {}


def test_nothing_is_noted_while_another_run_holds_the_lock(store, state_url):
    with closing(Store(state_url, project="acme")) as other, hold(other, "r2"):
        assert note(store, FOUND) is False
        assert note(other, FOUND) is True
    assert note(store, {YOGA: {}}) is True


def test_a_lock_that_expired_hinders_nobody(store, state_url):
    store.claim(myself("r1"))
    store._database.write(lambda tx: tx.run("UPDATE reconciler_leases SET expires = 0"))
    with closing(Store(state_url, project="acme")) as other:
        assert note(other, FOUND) is True


def test_a_state_that_does_not_exist_is_not_made(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/none.db", project="acme")) as store:
        assert note(store, FOUND) is False
    assert list(tmp_path.iterdir()) == []


def test_another_environment_has_its_own(store, state_url):
    note(store, FOUND)
    with closing(Store(state_url, project="acme", environment="prod")) as prod:
        assert prod.outside.sightings() == {}


def test_they_go_with_their_object(store):
    note(store, FOUND)
    store.rename(YOGA, ZUMBA)
    assert store.outside.sightings() == {ZUMBA: FOUND[YOGA]}
    store.remove(ZUMBA)
    assert store.outside.sightings() == {}


def test_a_backup_brings_them_back_and_later_ones_stay(store):
    note(store, FOUND)
    kept = store.backup("rm")
    store.remove(YOGA)
    store.restore(kept)
    assert store.outside.sightings() == FOUND
    later = {YOGA: {"price": (SEEN, SEEN)}}
    note(store, later)
    store.restore(kept)
    assert store.outside.sightings() == later


def test_a_run_is_recorded_with_who_started_it_and_on_each_object_it_wrote(store):
    with hold(store, "r2"):
        store.begin_run("r2", "apply", context={"run_url": "https://ci.example/7"})
        store.save(SAVED)
    run = store.past_runs()["r2"]
    assert run.context == {"holder": myself("r2").holder, "host": myself("r2").host, "run_url": "https://ci.example/7"}
    assert store.records()[YOGA].written_by == "r2"


@pytest.mark.parametrize(
    "words",
    [
        'UPDATE reconciler_drift SET sightings = \'{"price": [{"since": "yesterday"}]}\'',
        "UPDATE reconciler_drift SET sightings = '{\"price\": 3}'",
        "UPDATE reconciler_drift SET sightings = '[]'",
    ],
)
def test_damaged_sightings_are_named(store, words):
    note(store, FOUND)
    store._database.write(lambda tx: tx.run(words))
    with pytest.raises(ReconcilerError, match="Session/yoga has invalid sightings"):
        store.outside.sightings()
