"""Which links in an answer lead into the same system."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}
_ODD = re.compile(r"[^!-~]|\\")
"""Characters that a URL cannot hold, and that programs read differently."""


def local_path(url: str, base: str) -> str | None:
    """Return the path of a link into the system at `base`, relative to it; None for any other link.

    The link is a path alone, or has the same scheme, host and port. Another port is another system, and plain http can
    be forged.
    """
    address = url.partition("{")[0]
    if _ODD.search(address) is not None or address.startswith(
        "//"
    ):  # as in `///host/`, which some programs read as a host
        return None
    try:
        there, here = urlsplit(address), urlsplit(base)
        inside = not (there.netloc or there.scheme) or _origin(there) == _origin(here)
    except ValueError:
        return None
    if not inside or not there.path.startswith(here.path.rstrip("/") + "/"):
        return None
    path = there.path[len(here.path.rstrip("/")) :]
    climbs = path.startswith("//") or {".", ".."} & set(path.lower().replace("%2e", ".").split("/"))
    return None if climbs else path


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    if "@" in parts.netloc:
        message = "a link with credentials"
        raise ValueError(message)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
