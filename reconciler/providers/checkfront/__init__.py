"""The booking/session API (seed 004)."""

from reconciler.providers.checkfront.provider import SPEC

__all__ = ["SPEC"]
