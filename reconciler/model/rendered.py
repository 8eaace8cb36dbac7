"""The documents of a project as they are after templates and everything else that makes documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from reconciler.model.objects import Address, Problem, SourceRef


class FinalDocument(Struct, frozen=True, kw_only=True):
    """One document."""

    address: Address
    """Kind and name, also of a document that declares no object of a remote system."""
    source: SourceRef
    """Where it begins."""
    manifest: Mapping[str, Any]
    """The whole document, its keys in canonical order. A text that would be read as a template is one."""


class Rendered(Struct, frozen=True, kw_only=True):
    """All documents of a project."""

    project: str
    environment: str | None
    documents: tuple[FinalDocument, ...]
    """In address order."""
    unread: tuple[Problem, ...] = ()
    """Warnings that name what is beside the manifests and was not read."""
