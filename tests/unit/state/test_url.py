"""The URL of a state: its parts, what libpq is given for them, and what people are shown."""

from __future__ import annotations

import pytest

from reconciler.errors import ReconcilerError
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
        ("postgresql:///d?host=a:1", {"dbname": "d", "host": "a", "port": "1"}, "postgresql:///d"),
        ("postgresql://h/d?sslmode=require&x=", {"host": "h", "dbname": "d", "sslmode": "require"}, "postgresql://h/d"),
    ],
)
def test_the_parts_of_a_server(url, given, label):
    found = StateUrl.parse(url)
    assert dict(found.settings()) == given
    assert found.label() == label


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
    ["host=a,b&port=1,2,3", "host=a:1&host=b&port=2", "port=1,2", "host=a,b&port=1", "port=x", "host=::1&host=b"],
)
def test_hosts_and_ports_that_contradict_each_other_are_refused(options):
    with pytest.raises(ReconcilerError, match="cannot be used"):
        StateUrl.parse(f"postgresql:///d?{options}").settings()
