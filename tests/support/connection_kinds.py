"""Every kind of connection that a client opens: direct, over TLS, through a proxy, and TLS inside of TLS."""

import ssl
from contextlib import closing, contextmanager, suppress

import trustme
from provider_script import raw_server, whole_request

from reconciler.providers.http import deadline

CA = trustme.CA()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HOSTS = ("localhost", "127.0.0.1", "::1", "far.example")


def certified(peer):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    CA.issue_cert(*HOSTS).configure_cert(context)
    return context.wrap_socket(peer, server_side=True)


class OverTls:
    """TLS inside of another connection: what a socket is to the one who speaks through it."""

    def __init__(self, peer):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        CA.issue_cert(*HOSTS).configure_cert(context)
        self._peer, self._in, self._out = peer, ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._run(self._tls.do_handshake)

    def _run(self, step, *given):
        while True:
            try:
                done = step(*given)
            except ssl.SSLWantReadError:
                self._peer.sendall(self._out.read())
                read = self._peer.recv(65536)
                self._in.write(read) if read else self._in.write_eof()
            else:
                self._peer.sendall(self._out.read())
                return done

    def recv(self, size):
        return self._run(self._tls.read, size)

    def sendall(self, content):
        self._run(self._tls.write, content)

    def close(self):
        self._peer.close()


def proxy(peer):
    """Open a tunnel to ourselves."""
    assert whole_request(peer).startswith(b"CONNECT far.example:443 ")
    peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")


def _direct(peer):
    return peer


def _tunnel(peer):
    proxy(peer)
    return certified(peer)


def _tunnel_in_tls(peer):
    outer = certified(peer)
    try:
        proxy(outer)
        return OverTls(outer)
    except BaseException:
        outer.close()
        raise


KINDS = {
    "direct": ("http://{host}", None, _direct),
    "IPv6": ("http://[::1]", None, _direct),
    "TLS": ("https://{host}", None, certified),
    "a proxy": ("http://far.example", "http://{host}", _direct),
    "TLS through a proxy": ("https://far.example", "http://{host}", _tunnel),
    "a proxy over TLS": ("http://far.example", "https://{host}", certified),
    "TLS through a proxy over TLS": ("https://far.example", "https://{host}", _tunnel_in_tls),
}


@contextmanager
def served(kind, monkeypatch, tmp_path, *, opened=lambda: None, takes=len):
    """Yield the URL of a server that is reached over a kind of connection; all of them trust one authority.

    `opened` is called by the client when it has connected, and `takes` with each request that comes.
    """
    real = deadline.Network.connect_tcp

    def connect(*given, **named):
        stream = real(*given, **named)
        opened()
        return stream

    monkeypatch.setattr(deadline.Network, "connect_tcp", connect)
    far, near, opens = KINDS[kind]
    CA.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    def talk(peer, _number):
        with suppress(OSError), closing(opens(peer)) as speaker:
            while request := whole_request(speaker):
                takes(request)
                speaker.sendall(OK)

    with raw_server(talk, host="::1" if "::1" in far else "127.0.0.1") as url:
        port = url.rpartition(":")[2]
        if near is None:
            yield f"{far.format(host='127.0.0.1')}:{port}"
            return
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"{near.format(host='127.0.0.1')}:{port}")
        yield far
