"""Documents after templates, as manifests in canonical form that mean the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.manifests.describe import Node
from reconciler.manifests.scalars import spelled, spelled_out
from reconciler.manifests.yaml_text import Digits, Verbatim, comment, entry, literal
from reconciler.model.rendered import FinalDocument


def in_order(value: Any, schema: Node | None) -> Any:
    """Return a final value as a manifest states it: keys in the order of the schema, a text with `{{` as a template."""
    if isinstance(value, str):
        return literal(value)
    if not isinstance(value, (dict, list)):
        return value
    holds, inner = (schema.members() if schema is not None else None) or ("", None)
    if isinstance(value, list):
        return [in_order(item, inner) for item in value]
    if holds or inner is None:
        return {key: in_order(item, inner) for key, item in value.items()}
    order = {key: number for number, key in enumerate(inner.schema["properties"])}
    keys = sorted(value, key=lambda key: order.get(key, len(order)))
    return {key: in_order(value[key], inner.child(key)) for key in keys}


def yaml_text(document: FinalDocument) -> str:
    """Return a document as YAML, with a comment that says where it comes from."""
    origin = spelled_out(f"{document.source.path}:{document.source.line}")
    return "".join(f"{line}\n" for line in ("---", comment(f"# {origin}"), *_lines(document.manifest)))


def _lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    for key, value in manifest.items():
        yield from entry(key, _exact(value), 0)


def _exact(value: Any) -> Any:
    """Return a value whose numbers are written as they were read, and whose templates stay."""
    if isinstance(value, dict):
        return {_exact(key): _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    if isinstance(value, float):
        return Digits(spelled(value))
    return Verbatim(value) if isinstance(value, str) and "{{" in value else value
