"""Which proxy a connection uses: that of the environment, unless `no_proxy` names the host.

Python's own reading of `no_proxy` knows no networks, so that a request to 10.0.0.7 with its credentials would go
through the proxy in spite of `no_proxy=10.0.0.0/8`.
"""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from reconciler import redaction
from reconciler.errors import ReconcilerError
from reconciler.settings import is_loopback

_PORTS = {"https": 443, "http": 80}


def proxy_of(base_url: str) -> httpx.Proxy | None:
    """Return the proxy that the environment names for a host; none for this machine."""
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    proxies = getproxies()
    # A system without the variable keeps its exceptions elsewhere (macOS, Windows): there Python asks it.
    if is_loopback(host) or excluded(host, port, proxies.get("no", "")) or proxy_bypass(host):
        return None
    name = parts.scheme if proxies.get(parts.scheme) else "all"
    found = proxies.get(name)
    if not found:
        return None
    try:
        proxy = httpx.Proxy(found if "://" in found else f"http://{found}")
    except (ValueError, TypeError, httpx.InvalidURL):
        proxy = None
    if proxy is None or proxy.url.scheme not in {"http", "https"} or not proxy.url.host:
        # The value is not shown: it may hold a password.
        raise ReconcilerError(
            f"the proxy in the environment variable {name}_proxy cannot be used",
            hint="expected http://HOST:PORT or https://HOST:PORT, or a no_proxy that names the host",
        )
    if proxy.raw_auth is not None:
        redaction.hide(proxy.raw_auth[1].decode("utf-8", "replace"))
    return proxy


def excluded(host: str, port: int, no_proxy: str) -> bool:
    """Whether `no_proxy` names a host. All that curl, Go or Python understand counts: a doubt is no reason for a proxy.

    An entry is `*`, a name (and all names below it, also with a dot or `*.` before it), an IP address or a network,
    each with or without a port. Commas or blanks separate entries. Names are not resolved.
    """
    host = _plain(host)
    return any(_names(entry.lower(), host, port) for entry in no_proxy.replace(",", " ").split())


def _names(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    name, only = _split(entry)
    if only is not None and only != port:
        return False
    with suppress(ValueError):
        address = _address(host)
        with suppress(ValueError):
            return address in ip_network(name.replace("[", "").replace("]", ""), strict=False)
        return False
    name = _plain(name.removeprefix("*").removeprefix("."))
    return name in {"", host} or host.endswith(f".{name}")


def _split(entry: str) -> tuple[str, int | None]:
    """Return an entry without its port, and the port. The colons of an IPv6 address without brackets are no port."""
    head, colon, tail = entry.rpartition(":")
    if colon and tail.isdecimal() and (head.endswith("]") or ":" not in head):
        return head, int(tail)
    return entry, None


def _address(host: str) -> IPv4Address | IPv6Address:
    address = ip_address(host.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _plain(host: str) -> str:
    """Return a host in lower case and in ASCII, without a final dot."""
    host = host.lower().removesuffix(".")
    with suppress(UnicodeError):
        return host if host.isascii() else host.encode("idna").decode("ascii")
    return host
