"""The connection settings of the admin API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.settings import ProviderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSettings(ProviderSettings):
    """The settings of a bookingbug-admin connection."""

    company_id: int
    """The company whose objects these are."""
    access: Literal["admin", "public"] = "admin"
    """`public` reads resources without an administrator's login, and nothing else."""

    @property
    def account(self) -> str:
        """The company."""
        return f"company {self.company_id}"

    @property
    def reads_only(self) -> bool:
        """Whether access is public."""
        return self.access == "public"
