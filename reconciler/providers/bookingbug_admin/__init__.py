"""The admin API: JSON (seed 002)."""

from reconciler.providers.bookingbug_admin.provider import SPEC

__all__ = ["SPEC"]
