"""Currencies that prices may be in, and amounts as people read them."""

from decimal import Decimal

import pytest
from babel.core import get_global
from babel.numbers import format_currency, get_territory_currencies

from reconciler.money import currencies, money


def test_currencies_are_those_that_are_legal_tender():
    assert {"GBP", "EUR", "JPY"} < currencies()
    assert not {"DEM", "XXX", "XTS", "gbp"} & currencies()
    assert all(len(code) == 3 and code.isupper() for code in currencies())


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [("35.00", "GBP", "£35.00"), ("1234.5", "EUR", "€1,234.50"), ("500", "JPY", "¥500"), ("2.00", "CHF", "CHF 2.00")],
)
def test_an_amount_is_shown_in_its_currency(amount, currency, words):
    assert money(amount, currency) == words


@pytest.mark.parametrize("code", ["XCG", "ZWG", "SLE", "VED", "CLF", "CHE", "EUR", "XOF", "XPF"])
def test_a_currency_in_use_is_known(code):
    assert code in currencies()


@pytest.mark.parametrize("code", ["HRK", "ZWL", "DEM", "XXX", "XTS", "XAU", "GPB"])
def test_what_is_no_currency_today_is_not_known(code):
    assert code not in currencies()


def test_the_tables_are_those_of_babel():
    territories = get_global("territory_currencies").keys() - {"ZZ"}  # where babel keeps gold and test codes
    used = frozenset().union(*(get_territory_currencies(territory, non_tender=True) for territory in territories))
    assert currencies() == used - {"XXX"}


@pytest.mark.parametrize("amount", ["35.00", "1234567.5", "0.005", "0.015", "-3.2", "0", "-0.001", "2.5", "1e3"])
def test_an_amount_is_shown_as_babel_shows_it(amount):
    for currency in (*currencies(), "DEM"):
        theirs = format_currency(Decimal(amount), currency, locale="en")
        assert money(amount, currency) == theirs.replace(currency, f"{currency} ", 1)


@pytest.mark.parametrize("amount", ["1e40", "1234567890123456789012345678901234567890.125"])
def test_a_huge_amount_keeps_its_digits(amount):
    assert money(amount, "GBP").replace(",", "") == f"£{Decimal(amount):.2f}"
