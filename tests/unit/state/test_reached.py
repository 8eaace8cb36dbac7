"""Which servers a state leads to: what the driver is given, whatever the URL looks like."""

import pytest

from reconciler.errors import ReconcilerError
from reconciler.state.reached import reached


@pytest.mark.parametrize(
    ("url", "origins"),
    [
        ("sqlite:////srv/state.db", ()),
        ("git+file:///srv/state.git#b", ()),
        ("git+https://HOST.example./x.git#@evil.example", None),
        ("git+https://HOST.example./x.git", ("https://host.example",)),
        ("git+git@github.com:acme/x.git", ("ssh://github.com:22",)),
        ("postgresql://u@DB.example./d", ("postgresql://db.example:5432",)),
        ("postgresql://good.example#@evil.example/d", ("postgresql://evil.example:5432",)),
        ("postgresql://good.example?@evil.example/d", ("postgresql://evil.example:5432",)),
        ("postgresql://u@a/d?host=b:1&host=c", ("postgresql://b:1", "postgresql://c:5432")),
        ("postgresql://u@a,b:99/d", ("postgresql://a:99", "postgresql://b:99")),
        ("postgresql://u@a/d?hostaddr=1.2.3.4&port=9", ("postgresql://a:9", "postgresql://1.2.3.4:9")),
        ("postgresql://u@[::1]/d", ("postgresql://[::1]:5432",)),
        ("postgresql:///d?host=/run/postgresql", ()),
        ("postgresql://u@a/d?service=evil", ("postgresql://a:5432", "service evil")),
        ("postgresql://u@a/host=evil", ("postgresql://a:5432", "host=evil")),
    ],
)
def test_every_server_is_named(monkeypatch, url, origins):
    monkeypatch.delenv("PGHOST", raising=False)
    if origins is None:
        with pytest.raises(ReconcilerError, match="names a branch"):
            reached(url)
    else:
        assert reached(url).origins == origins


def test_without_a_host_it_is_that_of_the_environment(monkeypatch):
    monkeypatch.setenv("PGHOST", "db.example,/run/postgresql")
    assert reached("postgresql:///d?port=7").origins == ("postgresql://db.example:7",)


def test_files_that_the_url_names_are_named():
    assert reached("postgresql://u@a/d?passfile=/x/pass&sslrootcert=/x/ca").files == ("/x/pass", "/x/ca")


def test_a_url_that_the_driver_refuses_is_an_error():
    with pytest.raises(ReconcilerError, match="state"):
        reached("postgresql://u@a/d?host=b:1,c&host=d")
