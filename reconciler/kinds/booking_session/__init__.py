"""BookingSession: a held booking (seed 004)."""

from reconciler.kinds.booking_session.kind import KIND

__all__ = ["KIND"]
