"""Currencies: which there are, and an amount in one of them, as CLDR states them for English.

A copy of what babel knows, which would be 36 MB for these lines; a test compares the two.
"""

from __future__ import annotations

from decimal import Decimal

_CURRENCIES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
    CLF CLP CNH CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD
    HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
    USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""

_SIGNS = {
    "AUD": "A$",
    "BRL": "R$",
    "CAD": "CA$",
    "CNY": "CN¥",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "¥",
    "KRW": "₩",
    "MXN": "MX$",
    "NZD": "NZ$",
    "PHP": "₱",
    "TWD": "NT$",
    "USD": "$",
    "VND": "₫",
    "XAF": "FCFA",
    "XCD": "EC$",
    "XCG": "Cg.",
    "XOF": "F\u202fCFA",
    "XPF": "CFPF",
}

_USUAL_DIGITS = 2
_DIGITS = {
    0: "AFN ALL BIF CLP COP DJF GNF HUF IDR IQD IRR ISK JPY KMF KPW KRW LAK LBP MGA MMK PYG RWF SOS SYP UGX UYI VND "
    "VUV XAF XOF XPF YER",
    3: "BHD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""Digits behind the point, where they are not two."""


def currencies() -> frozenset[str]:
    """Return the codes of ISO 4217 that are in use somewhere today, as money or to state prices in."""
    return frozenset(_CURRENCIES.split())


def money(amount: str, currency: str) -> str:
    """Return an amount with the sign of its currency: `£35.00`."""
    value = Decimal(amount)
    sign = _SIGNS.get(currency, f"{currency} ")
    digits = next((digits for digits, codes in _DIGITS.items() if currency in codes.split()), _USUAL_DIGITS)
    return f"{'-' * value.is_signed()}{sign}{value.copy_abs():,.{digits}f}"
