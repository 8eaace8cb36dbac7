"""Which hosts are reached without the proxy of the environment."""

from __future__ import annotations

import pytest

from reconciler.errors import ReconcilerError
from reconciler.providers.http.proxies import excluded, proxy_of

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("*", "uk.bookingbug.com"),
        ("10.0.0.0/8", "10.200.3.4"),
        ("192.168.1.0/24,172.16.0.0/12", "172.31.255.1"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3/32", "10.1.2.3"),
        ("10.1.2.3/8", "10.200.0.1"),
        ("10.0.0.0/8:8443", "10.0.0.1"),
        ("10.0.0.1:8443", "10.0.0.1"),
        ("fd00::/8", "fd12:3456::1"),
        ("[fd00::]/8", "fd12:3456::1"),
        ("2001:db8::1", "2001:db8:0::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:8443", "2001:db8::1"),
        ("10.0.0.0/8", "::ffff:10.0.0.1"),
        ("bookingbug.com", "bookingbug.com"),
        ("bookingbug.com", "uk.bookingbug.com"),
        (".bookingbug.com", "uk.bookingbug.com"),
        (".bookingbug.com", "bookingbug.com"),
        ("*.bookingbug.com", "uk.bookingbug.com"),
        ("BookingBug.COM", "UK.bookingbug.com."),
        ("bookingbug.com.", "uk.bookingbug.com"),
        ("bookingbug.com:8443", "uk.bookingbug.com"),
        ("a.example b.example\tuk.bookingbug.com", "uk.bookingbug.com"),
        (" a.example , uk.bookingbug.com ,", "uk.bookingbug.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "www.bücher.example"),
    ],
)
def test_what_is_named_needs_no_proxy(no_proxy, host):
    assert excluded(host, 8443, no_proxy)


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("", "uk.bookingbug.com"),
        (" , ,", "uk.bookingbug.com"),
        ("10.0.0.0/8", "11.0.0.1"),
        ("10.0.0.0/8", "uk.bookingbug.com"),
        ("10.0.0.0/8:443", "10.0.0.1"),
        ("0.0.0.0/0", "2001:db8::1"),
        ("fd00::/8", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::2"),
        ("bookingbug.com", "notbookingbug.com"),
        ("bookingbug.com", "bookingbug.com.example"),
        ("uk.bookingbug.com", "bookingbug.com"),
        ("bookingbug.com:443", "uk.bookingbug.com"),
        ("10.0.0.0/99", "10.0.0.1"),
        ("1", "10.0.0.1"),
        ("book*", "bookingbug.com"),
    ],
)
def test_what_is_not_named_uses_the_proxy(no_proxy, host):
    assert not excluded(host, 8443, no_proxy)


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("url", ["https://10.7.7.7/gateway", "http://10.7.7.7:8080", "https://10.7.7.7:444"])
def test_a_network_of_the_environment_is_excluded(monkeypatch, name, url):
    for proxy in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(proxy, "http://proxy.example:3128")
    assert proxy_of(url) is not None
    monkeypatch.setenv(name, "localhost,10.0.0.0/8")
    assert proxy_of(url) is None


def test_the_default_port_of_a_scheme_counts(monkeypatch):
    monkeypatch.setenv("all_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "a.example:443,b.example:80")
    assert proxy_of("https://a.example") is None
    assert proxy_of("http://a.example") is not None
    assert proxy_of("http://b.example") is None


@pytest.mark.parametrize("value", ["socks5://proxy.example:1080", "http://", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_an_error_without_its_value(monkeypatch, value):
    monkeypatch.setenv("https_proxy", value)
    with pytest.raises(ReconcilerError, match="environment variable https_proxy cannot be used") as caught:
        proxy_of("https://uk.bookingbug.com")
    assert value not in str(caught.value)


def test_proxies_of_the_environment_are_used(monkeypatch):
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    monkeypatch.setenv("no_proxy", "direct.example, port.example:8443")
    assert proxy_of("https://uk.bookingbug.com").url == "http://proxy.example:3128"
    assert proxy_of("https://direct.example") is None
    assert proxy_of("https://direct.example:8443") is None
    assert proxy_of("https://port.example:8443") is None
    assert proxy_of("https://port.example") is not None
    assert proxy_of("https://localhost:1") is None
