"""Session: an event, a course or a recurring event, with its slots (seed 000)."""

from reconciler.kinds.session.kind import KIND

__all__ = ["KIND"]
