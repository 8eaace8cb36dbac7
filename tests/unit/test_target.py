"""What an id belongs to: one spelling for one system, and two for two."""

import pytest

from reconciler.target import Target, Targets, account_of, forms, same_system, same_target, system_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://uk.bookingbug.com", "https://UK.BookingBug.com/"),
        ("https://uk.bookingbug.com", "HTTPS://uk.bookingbug.com:443"),
        ("https://uk.bookingbug.com", "https://uk.bookingbug.com./"),
        ("https://uk.bookingbug.com", "https://uk.bookingbug.com:"),
        ("http://127.0.0.1", "http://127.0.0.1:80/"),
        ("http://gw/branch-a", "http://gw:80/branch-a/"),
        ("http://gw/branch-a", "http://gw/x/../branch-a/."),
        ("http://gw/branch%2da", "http://gw/branch-a"),
        ("http://gw/%7Ea", "http://gw/~a"),
        ("http://gw/a%2fb", "http://gw/a%2Fb"),
        ("http://gw/caf\u00e9", "http://gw/caf%c3%a9"),
        ("https://m\u00fcnchen.example", "https://xn--mnchen-3ya.example"),
        ("https://M\u00dcNCHEN.example", "https://XN--MNCHEN-3YA.example/"),
        ("https://uk.bookingbug.com", "https://uk.bookingbug\uff0ecom\uff0e"),
        ("http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080/"),
        ("https://[2001:DB8::1]", "https://[2001:db8:0::1]:443"),
    ],
)
def test_another_spelling_of_one_system_is_the_same(one, other):
    assert system_of(one) == system_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://gw/branch-a", "http://gw/branch-b"),
        ("http://gw/branch-a", "http://gw"),
        ("http://gw/Branch", "http://gw/branch"),
        ("http://gw/a%2Fb", "http://gw/a/b"),
        ("http://gw:8001", "http://gw:8002"),
        ("https://gw", "http://gw"),
        ("https://gw:80", "http://gw:80"),
        ("https://a.example", "https://b.example"),
        ("http://[::1]:1", "http://[::1]:2"),
    ],
)
def test_another_scheme_host_port_or_path_is_another_system(one, other):
    assert system_of(one) != system_of(other)


def test_the_account_that_a_user_name_chooses_shows_no_user_name():
    system = system_of("https://uk.bookingbug.com")
    shown = account_of(system, ("front-desk",))
    assert "front-desk" not in shown
    assert shown == account_of(system_of("https://UK.bookingbug.com/"), ("front-desk",))
    assert (
        len({shown, account_of(system, ("front-desk2",)), account_of("https://us.bookingbug.com", ("front-desk",))})
        == 3
    )
    assert account_of(system, ("a", "b")) != account_of(system, ("ab",))


USER_A, USER_B = (f"https://uk.bookingbug.com {account_of('https://uk.bookingbug.com', (name,))}" for name in "ab")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (USER_A, USER_A, True),
        (USER_A, USER_B, False),
        (USER_A, "https://uk.bookingbug.com", True),
        (USER_A, "https://us.bookingbug.com", False),
        ("https://a.example company 1", "https://a.example company 2", False),
    ],
)
def test_an_account_is_compared_as_far_as_it_is_known(one, other, same):
    assert same_target(one, other) is same_target(other, one) is same


@pytest.mark.parametrize(
    ("old", "now", "same"),
    [
        ("uk.bookingbug.com", USER_A, True),
        ("uk.bookingbug.com", "http://uk.bookingbug.com:8080/x", True),
        ("uk.bookingbug.com", "https://us.bookingbug.com", False),
        ("acme.example company 1", "https://acme.example company 1", True),
        ("acme.example company 1", "https://acme.example company 2", False),
        ("m\u00fcnchen.example", "https://xn--mnchen-3ya.example", True),
        ("::1", "http://[::1]:8080", True),
    ],
)
def test_a_target_of_an_older_state_is_the_same_where_its_connection_would_have_written_it(old, now, same):
    assert same_target(old, now) is same
    assert (old in forms(now)) is same or "m\u00fcnchen" in old


def test_systems_are_compared_before_credentials_are_known():
    assert same_system(USER_A, USER_B)
    assert not same_system(USER_A, "https://evil.example")


def test_a_target_is_text_and_back():
    assert Target.parse(USER_A) == Target("https://uk.bookingbug.com", USER_A.partition(" ")[2])
    assert str(Target.parse(USER_A)) == USER_A
    assert str(Target("https://uk.bookingbug.com")) == "https://uk.bookingbug.com"


SOME_TARGETS = [
    f"{system} {account}".rstrip()
    for system in ("https://a.example.com", "https://a.example.com/b", "http://a.example.com", "a.example.com", "c.org")
    for account in ("", "user 1", "company 2", "company 2 user 1")
]


@pytest.mark.parametrize("target", [*SOME_TARGETS, "other.org"])
def test_the_same_targets_are_looked_up_as_each_pair_is_compared(target):
    named = {f"n{number}": each for number, each in enumerate(SOME_TARGETS)}
    assert set(Targets(named).same(target)) == {name for name, each in named.items() if same_target(each, target)}
