"""The fields of a held booking's item (seed 004)."""

from __future__ import annotations

from reconciler.model.field import Field, FieldTable

WHAT: FieldTable = {
    "item_id": Field("id"),
    "start_date": Field("day"),
    "end_date": Field("day"),
    "start_time": Field("clock"),
    "end_time": Field("clock"),
    "params": Field("counts"),
    "quantity": Field("whole"),
}
"""What a slip means, apart from the discount code. A line shows it as far as its slip can be taken apart."""

FIELDS: FieldTable = {
    "key": Field("text"),
    "slip": Field("text"),
    **WHAT,
    "discount_code": Field("text"),
    "options": Field("choices"),
}
"""Every field of an item in a manifest."""
