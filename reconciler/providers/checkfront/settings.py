"""The connection settings of the booking/session API."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.settings import ProviderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckfrontSettings(ProviderSettings):
    """The settings of a checkfront connection; its credentials choose the account."""

    on_behalf: str | None = None
    """The account that calls are made for (header X-On-Behalf)."""
