"""render: the documents of a project as they are planned, offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.errors import InvalidInput
from reconciler.manifests.describe import whole
from reconciler.manifests.final import in_order
from reconciler.manifests.load import Document
from reconciler.manifests.validate import PROJECT
from reconciler.manifests.yaml_text import unwritable
from reconciler.model.objects import Address, Problem
from reconciler.model.plan import Selection
from reconciler.model.rendered import FinalDocument, Rendered
from reconciler.operations.explain import manifest_kinds
from reconciler.operations.project import declare_documents, hide_credentials
from reconciler.operations.select import matching
from reconciler.redaction import redacted_data
from reconciler.settings import Project

_DATA = ("labels", "annotations")


def render(project: Project, selection: Selection | None = None) -> Rendered:
    """Return the final documents of a project, or the selected ones; InvalidInput lists every problem.

    `Removed` documents are among them, so that the result plans as the manifests do.
    """
    hide_credentials(project)
    declared, found = declare_documents(project)
    documents = {each.address: each for each in found if each.address is not None and each.kind != PROJECT}
    chosen = _chosen(documents, selection or Selection())
    problems = [
        _unwritable(documents[address], why) for address in chosen if (why := unwritable(documents[address].data))
    ]
    if problems:
        raise InvalidInput("some final values cannot be written; nothing was rendered", problems)
    schemas = {kind: whole(schema) for kind, schema in manifest_kinds().items()}
    return Rendered(
        project=project.name,
        environment=project.environment,
        documents=tuple(
            FinalDocument(
                address=address,
                source=documents[address].positions.locate(()),
                manifest=_masked(in_order(documents[address].data, schemas[address.kind])),
            )
            for address in chosen
        ),
        unread=declared.unread,
    )


def _chosen(documents: Mapping[Address, Document], selection: Selection) -> Sequence[Address]:
    targets, excludes = selection.targets, selection.excludes
    chosen = matching(documents, targets, option="--target ") if targets else set(documents)
    return sorted(chosen - matching(documents, excludes, option="--exclude "), key=str)


def _unwritable(document: Document, why: str) -> Problem:
    where = document.positions.locate(())
    return Problem(
        code="template", summary=f"a final value cannot be written: {why}", where=where, address=document.address
    )


def _masked(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Mask known secrets in the data of a manifest: its kind and names are those that the project gives."""
    metadata = manifest["metadata"]
    data = {key: redacted_data(metadata[key], named=False) for key in _DATA if key in metadata}
    return {**manifest, "metadata": {**metadata, **data}, "spec": redacted_data(manifest["spec"], named=False)}
