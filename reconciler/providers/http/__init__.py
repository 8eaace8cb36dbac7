"""The HTTP client that every request of every provider uses. Only this package uses httpx."""

from reconciler.providers.http.client import ATTEMPTS, BACKOFF, HttpClient
from reconciler.providers.http.pacing import Limiter
from reconciler.providers.http.token import Token
from reconciler.providers.http.transport import WriteRefusedHere

__all__ = ["ATTEMPTS", "BACKOFF", "HttpClient", "Limiter", "Token", "WriteRefusedHere"]
