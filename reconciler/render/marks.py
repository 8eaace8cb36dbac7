"""How actions, states and severities look: a sign, a colour and a label, the same in every format."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconciler.model.change import Action, Change
from reconciler.model.objects import Severity
from reconciler.model.report import State, Sync


class Mark(Struct, frozen=True):
    """How one action or state looks. The sign carries the meaning without the colour."""

    sign: str
    style: str
    """A colour's name."""
    label: str
    """The word for what happens, or for the state: `update`, `in sync`."""
    done: str = ""
    """The words for what happened: `updated`."""


ACTIONS: Mapping[Action, Mark] = {
    "create": Mark("+", "green", "create", "created"),
    "update": Mark("~", "yellow", "update", "updated"),
    "replace": Mark("-/+", "magenta", "replace", "replaced"),
    "delete": Mark("-", "red", "delete", "deleted"),
    "adopt": Mark("←", "cyan", "adopt", "adopted"),
    "noop": Mark(" ", "dim", "unchanged", "unchanged"),
    "unknown": Mark("?", "blue", "unknown", "unchanged"),
}

MOVE = Mark("→", "cyan", "move", "moved")
RECORD = Mark("=", "cyan", "record", "recorded")
FORGET = Mark("=", "magenta", "forget", "no longer managed; the remote object is unchanged")

STATES: Mapping[State, Mark] = {
    "applied": Mark("✓", "green", "applied"),
    "failed": Mark("✗", "red", "failed"),
    "blocked": Mark("⊘", "yellow", "blocked"),
    "unknown": Mark("?", "blue", "unknown"),
    "noop": Mark(" ", "dim", "unchanged"),
}

SYNCS: Mapping[Sync, Mark] = {
    "changed": Mark("~", "yellow", "changed", "changed outside reconciler"),
    "missing": Mark("-", "red", "missing", "missing"),
    "expired": Mark("!", "magenta", "expired", "expired"),
    "unknown": Mark("?", "blue", "unknown", "unknown"),
    "in_sync": Mark(" ", "dim", "in sync", "in sync"),
    "ignored": Mark(".", "dim", "ignored", "ignored"),
    "unmanaged": Mark("+", "cyan", "unmanaged", "not managed"),
}

SEVERITIES: Mapping[Severity, Mark] = {
    "error": Mark("✗", "red", "error"),
    "warning": Mark("!", "yellow", "warning"),
}


def mark(change: Change) -> Mark:
    """Return how a change looks: where only its record changes, the change of the record counts."""
    if change.action != "noop" or not change.bookkeeping:
        return ACTIONS[change.action]
    if "forgotten" in change.remembers:
        return FORGET
    return MOVE if change.remembers == ("moved",) else RECORD
