"""The file that carries decisions from the step that asks the forge to the runs that use them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from reconciler.errors import ReconcilerError
from reconciler.model.decision import Decision


def dump_decisions(decisions: Iterable[Decision]) -> str:
    """Return the text of the file."""
    stated = [{"address": item.address, "by": item.by, "url": item.url} for item in decisions]
    return json.dumps({"decisions": stated}, indent=2) + "\n"


def load_decisions(text: str, name: str) -> tuple[Decision, ...]:
    """Read the text of the file; ReconcilerError where it is another one."""
    try:
        stated = json.loads(text)["decisions"]
        return tuple(Decision(address=item["address"], by=item["by"], url=item["url"]) for item in stated)
    except (ValueError, TypeError, KeyError, RecursionError):
        hint = "use the file that `reconciler ci decisions` or `reconciler ci reviewed` wrote"
        raise ReconcilerError(f"{name} is not a file of decisions", hint=hint) from None
