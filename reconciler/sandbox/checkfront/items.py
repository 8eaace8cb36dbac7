"""Item queries: the list and a single item, rated or not (checkfront API notes §2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.api import Call, Reply
from reconciler.sandbox.checkfront import envelope, forms, rating
from reconciler.sandbox.checkfront.inventory import ITEMS, Item, Param

# available and packages have no effect: every item is enabled, and packages are always listed.
_FILTERS = frozenset({"item_id", "keyword", "category_id", "available", "packages"})
_RATING = frozenset({"start_date", "date", "end_date", "start_time", "end_time", "param", "discount_code", "rules"})
_CATEGORY = 1


def listing(call: Call) -> Reply:
    """GET /api/3.0/item: an object keyed by item id."""
    values = forms.parameters(call)
    forms.refuse_unknown(call, values, _FILTERS | _RATING)
    chosen = [item for item in ITEMS.values() if _fits(item, values)]
    shown = {str(item.item_id): _item(call, item, values, alone=False) for item in chosen}
    extra: dict[str, Any] = {"query": values} if rating.is_rated(values) else {}
    return envelope.answer(call, {**extra, "items": shown}, records=len(shown))


def read(call: Call) -> Reply:
    """GET /api/3.0/item/{id}; rated if a start date is given."""
    values = forms.parameters(call)
    forms.refuse_unknown(call, values, _RATING)
    item = ITEMS.get(int(call.params["id"]))
    if item is None:
        raise envelope.invalid(call, f"There is no item {call.params['id']}")
    extra: dict[str, Any] = {}
    if rating.is_rated(values):
        extra = {"query": rating.query_echo(item, values), "events": []}
    return envelope.answer(call, {**extra, "item": _item(call, item, values, alone=True)}, records=1)


def _fits(item: Item, values: Mapping[str, Any]) -> bool:
    ids = str(values.get("item_id", "")).replace(" ", "").split(",")
    if ids != [""] and str(item.item_id) not in ids:
        return False
    if str(values.get("category_id") or _CATEGORY) != str(_CATEGORY):
        return False
    return str(values.get("keyword", "")).lower() in item.name.lower()


def _item(call: Call, item: Item, values: Mapping[str, Any], *, alone: bool) -> dict[str, Any]:
    rated = rating.is_rated(values)
    meta = {"colour": "#3a87ad"}
    shape: dict[str, Any] = {
        "item_id": item.item_id,
        "sku": item.sku,
        "name": item.name,
        "category_id": _CATEGORY,
        "category": "Everything",
        "unit": item.unit,
        "status": "A",
        "visibility": "*",
        "stock": item.stock or 0,
        "unlimited": int(item.stock is None),
        # In the samples, meta is a JSON string in the list and an object in a rated answer. rules is always a string.
        "meta": meta if rated else json.dumps(meta),
        "rules": json.dumps({"param": {param.name: {"MIN": str(param.least)} for param in item.params}}),
        "param": {param.name: _param(call, param) for param in item.params},
        "package": [_add_on(add_on.item_id, add_on.opt) for add_on in item.add_ons],
    }
    if item.times:
        shape["timeslots"] = [{"start_time": start, "end_time": end} for start, end in item.times]
    if rated:
        shape["rate"] = rating.rate(call, item, values, alone=alone)
        shape |= {} if call.options.rated_params == "all" else {"param": []}
    return shape


def _param(call: Call, param: Param) -> dict[str, Any]:
    return {
        "lbl": param.label,
        "req": int(param.least > 0),
        "def": param.default,
        "qty": int(param.uses_stock),
        "MIN": param.least,
        "MAX": param.most,
        "price": envelope.money(call, param.price),
        "hide": 0,
    }


def _add_on(item_id: int, opt: str) -> dict[str, Any]:
    add_on = ITEMS[item_id]
    return {"package_id": item_id, "optin": "O", "opt": opt, "sku": add_on.sku, "name": add_on.name}
