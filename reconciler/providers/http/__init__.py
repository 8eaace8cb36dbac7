"""The HTTP client that every request of every provider uses. Only this package uses httpx."""

from reconciler.providers.http.body import MAX_ANSWER
from reconciler.providers.http.client import ATTEMPTS, BACKOFF, HttpClient
from reconciler.providers.http.pacing import Limiter
from reconciler.providers.http.transport import WriteRefusedHere

__all__ = ["ATTEMPTS", "BACKOFF", "MAX_ANSWER", "HttpClient", "Limiter", "WriteRefusedHere"]
