"""The token of a connection: its reader and its writer log in once between them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from reconciler.errors import RemoteError


class Token(Struct):
    """A token that several clients use and renew. Hold `lock` to read or change it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    value: str | None = None
    """None before the first login."""
    futile: int = 0
    """Renewals in a row that changed nothing."""
    refused: RemoteError | None = None
    """Why no further login is tried."""
