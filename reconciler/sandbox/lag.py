"""Reads that do not show the newest writes yet, as from a replica that is behind."""

from __future__ import annotations

import time
from copy import copy
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.sandbox.company import Company
    from reconciler.sandbox.database import Database
    from reconciler.sandbox.options import Options


class _Version(Struct):
    """The rows before one write."""

    api: str
    rows: Database
    written: float
    reads: int = 0
    """How many reads of the same API came since."""


class Lag:
    """What reads of each API still show."""

    def __init__(self) -> None:
        self._versions: list[_Version] = []

    def before_write(self, company: Company, api: str) -> None:
        """Keep the rows before a write to an API."""
        if _lags(company.options, api):
            self._versions.append(_Version(api, company.db.copy(), time.monotonic()))

    def for_read(self, company: Company, api: str) -> Company:
        """Return the company as a read of an API shows it."""
        options = company.options
        mine = [version for version in self._versions if version.api == api] if _lags(options, api) else []
        hidden = [version for version in mine if _hides(version, options)]
        for version in mine:
            version.reads += 1
        if not hidden:
            return company
        past = copy(company)
        past.db = hidden[0].rows
        return past


def _lags(options: Options, api: str) -> bool:
    return bool(options.lag_seconds or options.lag_reads) and api in {
        item.strip() for item in options.lagging.split(",")
    }


def _hides(version: _Version, options: Options) -> bool:
    return time.monotonic() - version.written < options.lag_seconds or version.reads < options.lag_reads
