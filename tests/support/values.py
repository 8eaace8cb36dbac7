"""A copy of a value with some fields changed, whichever way its class is declared, as `copy.replace` of Python 3.13."""

import dataclasses

import msgspec


def replace(value, /, **changes):
    """Return a copy of a struct or a data class with some fields changed."""
    change = msgspec.structs.replace if isinstance(value, msgspec.Struct) else dataclasses.replace
    return change(value, **changes)
