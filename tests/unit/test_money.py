"""Currencies that prices may be in, and amounts as people read them."""

import pytest

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
