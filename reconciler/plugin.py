"""What a package needs to bring a provider and kinds: every name that it imports, in one place.

`docs/writing-a-provider.md` explains them by an example. Importing this module is cheap: it loads no HTTP client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.model.change import Call, Decision, Edit, Effect, Receipt
from reconciler.model.field import Field, FieldTable, canonical_fields
from reconciler.model.kind import IdentityKey, Kind, Reference, Statement, described
from reconciler.model.objects import Fields, Live, Manifest, Problem, Reading, Ref, Scope
from reconciler.model.risk import Risk
from reconciler.providers.answer import (
    Answer,
    basic,
    identifier,
    is_identifier,
    json_object,
    neutral,
    refusal_words,
    reported,
    unusable,
)
from reconciler.providers.base import Provider, ProviderSpec
from reconciler.providers.receipts import GONE, receipt
from reconciler.settings import Connection, ProviderSettings

if TYPE_CHECKING:
    from reconciler.providers.http import HttpClient

__all__ = [
    "GONE",
    "Answer",
    "Call",
    "Connection",
    "Decision",
    "Edit",
    "Effect",
    "Field",
    "FieldTable",
    "Fields",
    "HttpClient",
    "IdentityKey",
    "Kind",
    "Live",
    "Manifest",
    "OutcomeUnknown",
    "Problem",
    "Provider",
    "ProviderSettings",
    "ProviderSpec",
    "Reading",
    "Receipt",
    "ReconcilerError",
    "Ref",
    "Reference",
    "RemoteError",
    "Risk",
    "Scope",
    "Statement",
    "basic",
    "canonical_fields",
    "described",
    "identifier",
    "is_identifier",
    "json_object",
    "neutral",
    "receipt",
    "refusal_words",
    "reported",
    "unusable",
]


if not TYPE_CHECKING:  # a type checker would accept every name

    def __getattr__(name: str) -> object:
        """Load the HTTP client on first use: most commands need none."""
        if name != "HttpClient":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from reconciler.providers.http import HttpClient  # noqa: PLC0415 - httpx: 100 ms

        return HttpClient
