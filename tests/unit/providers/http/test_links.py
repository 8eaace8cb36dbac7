"""Links that a remote system answers: only those into the very same system are followed."""

import pytest

from reconciler.providers.http.links import local_path

BASE = "https://acme.bookingbug.com/api"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://acme.bookingbug.com/api/sessions/1.xml", "/sessions/1.xml"),
        ("https://acme.bookingbug.com:443/api/sessions/1.xml", "/sessions/1.xml"),
        ("/api/sessions/1.xml", "/sessions/1.xml"),
        ("https://acme.bookingbug.com/api/slots{?page}", "/slots"),
    ],
)
def test_a_link_into_the_same_system_is_a_path_below_its_base(url, path):
    assert local_path(url, BASE) == path


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/api/x",
        "http://acme.bookingbug.com/api/x",
        "https://acme.bookingbug.com:8443/api/x",
        "https://bob:pw@acme.bookingbug.com/api/x",
        "https://acme.bookingbug.com/other/x",
        "https://acme.bookingbug.com/apix/x",
        "//evil.example/api/x",
        "///evil.example/api/x",
        "/api//evil.example/x",
        "/api/../other",
        "/api/%2e%2E/other",
        "/api/a b",
        "/api\\x",
        "/api/\u0430",
        "https://[/api/x",
        "",
    ],
)
def test_every_other_link_is_left_alone(url):
    assert local_path(url, BASE) is None
