"""Through which connection an object is reached, by the systems and not by the names of connections."""

import pytest
from engine_fakes import KINDS, PROJECT_FILE, session

from reconciler.engine.homes import Homes
from reconciler.model.objects import Address, Record
from reconciler.settings import Connection

A, B = "http://gw/branch-a", "http://gw/branch-b"


def connection(name, base_url, user=None, provider="bookingbug-sessions"):
    made = Connection(name=name, provider=provider, base_url=base_url, where=PROJECT_FILE)
    return made if user is None else made.with_user((user,))


def home(recorded, target, *connections, declared=None, kind="Session"):
    address = Address(kind, "yoga")
    record = Record(address=address, connection=recorded, target=target, remote_id="1", fields={})
    desired = {address: session("yoga", connection=declared)} if declared is not None else {}
    named = {item.name: item for item in connections}
    return Homes(kinds=KINDS, connections=named, desired=desired).of(record)


@pytest.mark.parametrize(
    ("recorded", "target", "connections", "declared", "expected"),
    [
        ("a", A, [connection("a", A)], "a", "a"),
        ("old", A, [connection("a", A)], "a", "a"),
        ("old", A, [connection("a", A)], None, "a"),
        ("old", A, [connection("a", A), connection("b", B)], None, "a"),
        ("old", A, [connection("b", B)], "b", "old"),
        ("a", A, [connection("a", A), connection("also", A + "/")], "also", "also"),
        ("a", A, [connection("a", A), connection("also", A)], None, "a"),
        ("a", A, [connection("a", B), connection("was", A)], "a", "a"),
        ("a", A, [connection("a", B), connection("was", A)], None, "a"),
        ("a", A, [connection("a", B), connection("was", A)], "was", "was"),
        ("old", A, [connection("a", A, provider="bookingbug-admin")], None, "old"),
    ],
)
def test_the_connection_that_leads_to_the_system(recorded, target, connections, declared, expected):
    assert home(recorded, target, *connections, declared=declared) == expected


def test_accounts_of_one_system_are_told_apart():
    mine, theirs = connection("mine", A, "desk"), connection("theirs", A, "office")
    assert home("old", mine.target, mine, theirs) == "mine"
    assert home("old", theirs.target, mine, theirs) == "theirs"
    assert home("old", mine.target, theirs, declared="theirs") == "old"


def test_a_target_of_an_older_state_moves_only_where_it_can_mean_one_system():
    assert home("old", "gw", connection("a", A), declared="a") == "a"
    assert home("old", "gw", connection("a", A), connection("b", B), declared="a") == "old"
    assert home("a", "gw", connection("a", A), connection("b", B), declared="b") == "a"


def test_a_kind_that_is_not_installed_stays_where_it_is():
    assert home("old", A, connection("a", A), kind="Voucher") == "old"
