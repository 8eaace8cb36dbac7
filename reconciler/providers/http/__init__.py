"""The HTTP client that every request of every provider uses. Only this package uses httpx."""
# ruff: noqa: E402 - what httpx imports is decided first

import sys
from types import ModuleType

# The command line of httpx needs rich and pygments, and nothing here needs it. Without it, httpx imports the rest.
_modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
_modules.setdefault("httpx._main", None)
import httpx  # noqa: F401 - imported here, before any module below

if _modules["httpx._main"] is None:
    del _modules["httpx._main"]

from reconciler.providers.http.client import ATTEMPTS, BACKOFF, HttpClient
from reconciler.providers.http.pacing import Limiter
from reconciler.providers.http.token import Token
from reconciler.providers.http.transport import WriteRefusedHere

__all__ = ["ATTEMPTS", "BACKOFF", "HttpClient", "Limiter", "Token", "WriteRefusedHere"]
