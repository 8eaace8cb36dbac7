"""Reading a document's text from a file or stdin, with a limit. Every failure has a message."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import ReconcilerError
from reconciler.files import LARGEST_DOCUMENT, read_regular

if TYPE_CHECKING:
    from reconciler.model.plan import SavedPlan
    from reconciler.settings import Secret


def read_document(path: Path) -> str:
    """Return a file's text, or that of stdin for `-`; ReconcilerError where it cannot be read."""
    name = "stdin" if str(path) == "-" else str(path)
    try:
        if name == "stdin":
            data = sys.stdin.buffer.read(LARGEST_DOCUMENT + 1)
        else:
            data, _ = read_regular(path, LARGEST_DOCUMENT + 1)
    except OSError as error:
        hint = "use the file that `reconciler plan --out FILE` wrote"
        raise ReconcilerError(f"cannot read {name}: {error.strerror}", hint=hint) from None
    if len(data) > LARGEST_DOCUMENT:
        message = f"cannot read {name}: it is larger than the limit of {LARGEST_DOCUMENT // 1024 // 1024} MB"
        raise ReconcilerError(message, hint="check the file name")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ReconcilerError(f"cannot read {name}: it is not UTF-8 text", hint="save it as UTF-8") from None


def signature_words(saved: SavedPlan, key: Secret | None) -> str:
    """Say of a plan what its signature is worth; empty where nothing was to be expected of it."""
    from reconciler.documents.signature import signature_fault  # noqa: PLC0415 - 30 ms, for a quick --help
    from reconciler.settings import PLAN_KEY  # noqa: PLC0415 - as above

    if key is None:
        unchecked = f"The plan is signed. {PLAN_KEY} is not set, so the signature was not checked."
        return unchecked if saved.signature is not None else ""
    fault = signature_fault(saved, key)
    return (
        "The plan is signed, and the signature is valid." if fault is None else f"Apply would refuse the plan: {fault}."
    )
