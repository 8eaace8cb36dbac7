"""How often a property is tried: a quarter of its examples in every run, all of them with the profile `full`."""

from __future__ import annotations

from hypothesis import settings


def share_of(examples: int) -> int:
    """Return how many of its examples a property tries under the profile of this run."""
    return examples * settings.default.max_examples // 100
