"""TLS over real sockets on loopback: who is believed, what is refused, and which places may be spoken to in clear."""

import datetime as dt
import ssl
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme
from provider_script import connection

from reconciler import redaction
from reconciler.errors import OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.manifests.endpoints import base_url_fault
from reconciler.providers.http import HttpClient, transport

CA = trustme.CA()
LONG_AGO = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append(self.headers.get("Authorization"))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a handshake that the client refuses


@contextmanager
def serving(certificate, *, most=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if most is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            context.minimum_version = ssl.TLSVersion.TLSv1
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            context.maximum_version = most
    certificate.configure_cert(context)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.seen = []
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}", server.seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def ca_file(tmp_path):
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(path)
    return str(path)


def a_client(url, **settings):
    return closing(HttpClient(connection(base_url=url, timeout=10, **settings), writes=True, secrets={}, backoff=0))


def refused(url, words, **settings):
    with a_client(url, **settings) as http, pytest.raises(RemoteError, match=words) as caught:
        http.write("PUT", "/a", headers={"Authorization": "Basic c2VjcmV0"})
    # Nothing was sent, so that it certainly was not carried out.
    assert not isinstance(caught.value, OutcomeUnknown)


def test_an_authority_of_the_projects_own_is_believed(ca_file):
    with serving(CA.issue_cert("127.0.0.1")) as (url, seen), a_client(url, ca_file=ca_file) as http:
        assert http.get("/a").body == b"ok"
        assert len(seen) == 1


def test_an_unknown_authority_is_not(ca_file):
    with serving(CA.issue_cert("127.0.0.1")) as (url, seen):
        refused(url, "TLS: certificate not accepted: unable to get local issuer certificate")
    with serving(trustme.CA().issue_cert("127.0.0.1")) as (url, more):
        refused(url, "TLS: certificate not accepted", ca_file=ca_file)
    assert seen == more == []


def test_another_hosts_certificate_is_not(ca_file):
    with serving(CA.issue_cert("uk.bookingbug.com")) as (url, seen):
        refused(url, "TLS: certificate not accepted: IP address mismatch", ca_file=ca_file)
        refused(url.replace("127.0.0.1", "localhost"), "certificate not accepted: Hostname mismatch", ca_file=ca_file)
    assert seen == []


def test_an_expired_certificate_is_not(ca_file):
    old = CA.issue_cert("127.0.0.1", not_before=LONG_AGO, not_after=LONG_AGO + dt.timedelta(days=1))
    with serving(old) as (url, seen):
        refused(url, "TLS: certificate not accepted: certificate has expired", ca_file=ca_file)
    assert seen == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(ca_file, version):
    with serving(CA.issue_cert("127.0.0.1"), most=version) as (url, seen):
        refused(url, "TLS: ", ca_file=ca_file)
    assert seen == []


def test_the_environments_authorities_are_believed(ca_file, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    with serving(CA.issue_cert("127.0.0.1")) as (url, _), a_client(url) as http:
        assert http.get("/a").body == b"ok"
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(
        ReconcilerError, match=r"reconciler.yaml:7:1: the certificates of SSL_CERT_FILE .*: No such file"
    ):
        a_client("https://127.0.0.1:1").__enter__()


def test_no_setting_weakens_what_is_verified(ca_file):
    for settings in ({}, {"ca_file": ca_file}):
        context = transport._tls(connection(**settings))
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname


@pytest.mark.parametrize(
    "proxy",
    [
        "socks5://me:hunter2@127.0.0.1:1",
        "ftp://me:hunter2@127.0.0.1",
        "http://me:hunter2@:1",
        "http://me:hunter2@host:port",
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(monkeypatch, proxy):
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(ReconcilerError, match="environment variable https_proxy cannot be used") as caught:
        a_client("https://uk.bookingbug.com").__enter__()
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_a_proxys_password_is_in_no_message(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://me:hunter2@127.0.0.1:1")
    with a_client("https://uk.bookingbug.com") as http, pytest.raises(RemoteError, match="cannot connect") as caught:
        http.get("/a")
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_a_proxys_password_is_masked_wherever_it_comes_back(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://me:hunter2%2Fhunter2@127.0.0.1:1")
    with redaction.run(), a_client("https://uk.bookingbug.com"):
        assert (
            redaction.redacted("your login hunter2/hunter2 is not known here")
            == "your login ******** is not known here"
        )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "LOCALHOST", "localhost:8080"])
def test_plain_http_is_taken_for_this_machine(host):
    assert base_url_fault(f"http://{host}", allow_http=False) is None


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.evil.com",
        "localhost.evil.com",
        "evil-localhost",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
        "[::]",
        "[::ffff:10.0.0.1]",
        "localhost.",
        "uk.bookingbug.com",
        "10.0.0.1",
        "\uff11\uff12\uff17.0.0.1",
    ],
)
def test_plain_http_is_refused_elsewhere(host):
    assert "uses http, which sends credentials unencrypted" in base_url_fault(f"http://{host}", allow_http=False)
    assert base_url_fault(f"http://{host}", allow_http=True) is None
    assert base_url_fault(f"https://{host}", allow_http=False) is None


@pytest.mark.parametrize(
    "url", ["http://localhost@evil.com", "http://127.0.0.1:x@evil.com", "http://localhost\\@evil.com"]
)
def test_a_host_that_only_looks_like_this_machine_is_refused(url):
    assert base_url_fault(url, allow_http=False) is not None
