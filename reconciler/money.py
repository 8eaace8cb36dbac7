"""Currencies: which there are, and an amount in one of them. The one home of babel, whose import takes 60 ms."""

from __future__ import annotations

from decimal import Decimal

from babel.core import get_global
from babel.numbers import format_currency, get_territory_currencies

_LOCALE = "en"


def currencies() -> frozenset[str]:
    """Return the codes of ISO 4217 that are legal tender somewhere today."""
    return frozenset(code for territory in get_global("territory_currencies") for code in _tender(territory))


def _tender(territory: str) -> list[str]:
    found: list[str] = get_territory_currencies(territory)
    return found


def money(amount: str, currency: str) -> str:
    """Return an amount with the sign of its currency: `£35.00`."""
    words = str(format_currency(Decimal(amount), currency, locale=_LOCALE))
    return words.replace(currency, f"{currency} ", 1)  # a currency without its own sign
