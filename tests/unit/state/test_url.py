"""The URL of a state: its parts, what libpq is given for them, and what people are shown."""

from __future__ import annotations

import pytest

from reconciler.errors import ReconcilerError
from reconciler.state.server import Access
from reconciler.state.url import StateUrl


@pytest.mark.parametrize(
    ("url", "given", "label"),
    [
        ("postgresql://", {}, "postgresql://"),
        ("postgresql+psycopg://ann@h/d", {"user": "ann", "host": "h", "dbname": "d"}, "postgresql://ann@h/d"),
        (
            "postgresql://a%40b:p%2F%3A@h:5433/my%20db",
            {"user": "a@b", "password": "p/:", "host": "h", "port": 5433, "dbname": "my db"},
            "postgresql://a%40b:***@h:5433/my db",
        ),
        ("postgresql://[::1]:5/d", {"host": "::1", "port": 5, "dbname": "d"}, "postgresql://[::1]:5/d"),
        ("postgresql:///d?host=/run/pg", {"dbname": "d", "host": "/run/pg"}, "postgresql:///d"),
        ("postgresql:///d?host=a,b&port=1,2", {"dbname": "d", "host": "a,b", "port": "1,2"}, "postgresql:///d"),
        ("postgresql:///d?host=a,b&port=,2", {"dbname": "d", "host": "a,b", "port": ",2"}, "postgresql:///d"),
        ("postgresql:///d?host=a:1&host=b", {"dbname": "d", "host": "a,b", "port": "1,"}, "postgresql:///d"),
        ("postgresql:///d?host=/a:1&host=/b_c", {"dbname": "d", "host": "/a,/b_c", "port": "1,"}, "postgresql:///d"),
        ("postgresql://h:9/d?host=a,b", {"dbname": "d", "host": "a,b", "port": ","}, "postgresql://h:9/d"),
        ("postgresql://h:9/d?host=a&host=b", {"dbname": "d", "host": "a,b", "port": ","}, "postgresql://h:9/d"),
        ("postgresql://h:9/d?host=a", {"dbname": "d", "host": "a", "port": 9}, "postgresql://h:9/d"),
        ("postgresql://h/d?host=:5", {"dbname": "d", "host": "", "port": "5"}, "postgresql://h/d"),
        ("postgresql://h/a@b:c", {"dbname": "a@b:c", "host": "h"}, "postgresql://h/a%40b%3Ac"),
        ("postgresql:///d?host=a:1", {"dbname": "d", "host": "a", "port": "1"}, "postgresql:///d"),
        ("postgresql://h/d?sslmode=require&x=", {"host": "h", "dbname": "d", "sslmode": "require"}, "postgresql://h/d"),
    ],
)
def test_the_parts_of_a_server(url, given, label):
    found = StateUrl.parse(url)
    assert dict(found.settings()) == given
    assert found.label() == label


def test_no_representation_shows_the_password():
    url = StateUrl.parse("postgresql://ann:horse%20battery@localhost/d?application_name=a")
    for shown in (repr(url), str(url), f"{[url]}", repr(Access.of(url, {})), str(Access.of(url, {}))):
        assert "horse" not in shown
    assert repr(url) == "StateUrl('postgresql://ann:***@localhost/d')"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite://", None),
        ("sqlite:///state.db", "state.db"),
        ("sqlite:////srv/my%20state.db", "/srv/my state.db"),
        ("sqlite:///a:b@c/d.db", "a:b@c/d.db"),
    ],
)
def test_the_path_of_a_file(url, path):
    assert StateUrl.parse(url).database == path


@pytest.mark.parametrize(
    "url", ["", "h/d", "mysql://h/d", "postgres://h/d", "sqlite:x", "postgresql://u:secret@h:x1/d"]
)
def test_what_is_no_url_is_refused_and_not_repeated(url):
    with pytest.raises(ReconcilerError, match="is not the URL of a database") as caught:
        StateUrl.parse(url)
    assert "secret" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "options",
    [
        *("host=a@b", "host=a%23b", "host=/a,b/c", "host=a+b", "host=a,%5Bb%5D", "hostaddr=1.2.3.4/a"),
        *("host=a,b&port=1,2,3", "host=a:1&host=b&port=2", "port=1,2", "host=a,b&port=1", "port=x", "host=::1&host=b"),
    ],
)
def test_hosts_and_ports_that_contradict_each_other_or_are_none_are_refused(options):
    with pytest.raises(ReconcilerError, match="cannot be used"):
        StateUrl.parse(f"postgresql:///d?{options}").settings()


def test_what_follows_an_at_sign_that_was_not_escaped_in_a_password_is_no_host():
    with pytest.raises(ReconcilerError, match="a host is not a name") as caught:
        StateUrl.parse("postgresql://u:sec@ret@h/d").settings()
    assert "ret" not in f"{caught.value} {caught.value.hint}"
