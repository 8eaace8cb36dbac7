"""The sessions API: XML over HTTP Basic (seed 000)."""

from reconciler.providers.bookingbug_sessions.provider import SPEC

__all__ = ["SPEC"]
