"""Generate the pages of the project file and of each kind, from the schemas and the examples."""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wording import WIDTH, anchor, plain, prose, table

from reconciler.manifests.describe import accepted, refusals
from reconciler.model.kind import Kind
from reconciler.schema import load_schema

ROOT = Path(__file__).resolve().parents[2]
NOT_REPEATED = "Values here are treated as secrets: error messages do not repeat them."


def flow(value: Any, *, inside: bool = False) -> str:
    """Return an example as YAML on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {flow(item, inside=True)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(flow(item, inside=True) for item in value)}]"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'"{text}"' if inside and re.search(r"[,\[\]{}#]|: ", text) else text


def value_words(schema: dict[str, Any]) -> str:
    """Return the accepted values of a field: its words with their numbers, or the expectation of its error message."""
    words = accepted(schema)
    if "const" in schema or "enum" in schema:
        return "<br>".join(" or ".join(f"`{part}`" for part in word.split(" or ")) for word in words)
    return plain(words[0])


@dataclass
class Fields:
    """The sections of one schema: a table for each mapping. Shared mappings have one table."""

    file: str
    top: str
    lines: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)

    def add(self, heading: str, schema: dict[str, Any]) -> None:
        """Describe one mapping, then its nested mappings."""
        if heading in self.done:
            return
        self.done.add(heading)
        complete = load_schema(self.file).get("$defs", {}).get(f"complete_{heading.lower()}", {})
        required = {*schema.get("required", ()), *complete.get("required", ())}
        above = "" if heading == self.top else f"{heading}."
        inner = {name: self._inner(above + name, each) for name, each in schema["properties"].items()}
        rows = [
            self._row(name, self._resolved(each), "yes" if name in required else "", inner[name])
            for name, each in schema["properties"].items()
        ]
        self.lines += [f"## {heading}", "", *prose(schema["description"])]
        self.lines += prose(NOT_REPEATED) if schema.get("writeOnly") else []
        self.lines += table(("Field", "Required", "Value", "Meaning", "Example"), rows)
        outer = {key: part for key, part in schema.items() if key not in {"properties", "errorMessage", "$defs"}}
        said = dict.fromkeys([*refusals(outer), *refusals(complete)])
        if said:
            bullets = [f"- {plain(words)}" for words in said]
            self.lines += ["Errors of rules between fields:", "", *bullets, ""]
        for title, part in filter(None, inner.values()):
            self.add(title, part)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Resolve a reference. Members next to it take precedence."""
        ref = schema.get("$ref", "")
        target = load_schema(self.file + ref if ref.startswith("#") else ref.rpartition(":")[2]) if ref else {}
        return {**target, **schema}

    def _inner(self, path: str, schema: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """Return the mapping of a field, or of its items, with the heading of its section."""
        whole = self._resolved(schema)
        places = (("", schema), (".NAME", whole.get("additionalProperties")), ("[]", whole.get("items")))
        for suffix, place in places:
            part = self._resolved(place) if isinstance(place, dict) else {}
            if "properties" in part and isinstance(place, dict):
                origin = self._resolved({"$ref": place["$ref"]}) if "$ref" in place else part
                return (origin["title"] if "$ref" in place else path + suffix), origin
        return None

    def _row(self, name: str, schema: dict[str, Any], required: str, inner: tuple[str, Any] | None) -> list[str]:
        words = value_words(schema)
        examples = "<br>".join(f"`{flow(example)}`" for example in schema.get("examples", ()))
        if inner:
            link = f"[{inner[0]}](#{anchor(inner[0])})"
            words = f"{words}; see {link}"
            examples = examples if len(examples) < WIDTH * 2 // 3 else f"see {link}"
        return [f"`{name}`", required, words, plain(schema["description"]), examples]


def project_page() -> list[str]:
    """Describe the project file."""
    page = Fields("project", top="reconciler.yaml")
    page.add(page.top, {**load_schema("project"), "description": "The whole file."})
    head = ["# Project file", "", *prose(load_schema("project")["description"])]
    return [*head, *example("leisure-centre/reconciler.yaml", None), *page.lines]


def kind_page(kind: Kind) -> list[str]:
    """Describe the manifest of one kind. Its examples are in the folder with the page's name."""
    page, frame = Fields(kind.schema, top=kind.name), Fields("envelope", top=kind.name)
    page.add("spec", load_schema(kind.schema))
    frame.add("metadata", load_schema("envelope#/properties/metadata"))
    folder = ROOT / "examples" / page_name(kind)
    files = [file.relative_to(folder.parent).as_posix() for file in sorted(folder.glob("manifests/*.yaml"))]
    shown = [line for file in files for line in example(file, kind.name)]
    words = "A manifest has `apiVersion`, `kind`, [metadata](#metadata) and [spec](#spec). The provider is"
    return [f"# {kind.name}", "", *prose(f"{words} `{kind.provider}`."), *shown, *page.lines, *frame.lines]


def removed_page() -> list[str]:
    """Describe the documents that stop managing objects without deleting them."""
    page, frame = Fields("removed", top="Removed"), Fields("envelope", top="Removed")
    page.add("spec", load_schema("removed"))
    whole = load_schema("envelope#/properties/metadata")
    named = {name: whole["properties"][name] for name in ("name", "labels", "annotations")}
    frame.add("metadata", {**whole, "properties": named})
    words = "The document has `apiVersion`, `kind: Removed`, [metadata](#metadata) and [spec](#spec)."
    sample = ["```yaml", "apiVersion: reconciler/v1", "kind: Removed", "metadata: {name: handed-over}"]
    sample += [
        f"spec: {flow(load_schema('removed')['properties']['forget']['examples'][0])}".replace(
            "spec: ", "spec: {forget: "
        )
        + "}",
        "```",
        "",
    ]
    return [
        "# Removed",
        "",
        *prose(load_schema("removed")["description"]),
        *prose(words),
        *sample,
        *page.lines,
        *frame.lines,
    ]


def page_name(kind: Kind) -> str:
    """Return the file name of a kind's page, without the suffix."""
    return kind.schema.replace("_", "-")


def example(path: str, kind: str | None) -> list[str]:
    """Quote an example. From a manifest file, quote only the documents of one kind."""
    documents = (ROOT / "examples" / path).read_text(encoding="utf-8").rstrip().split("\n---\n")
    chosen = [text for text in documents if kind is None or f"\nkind: {kind}\n" in text]
    return [f"From [`examples/{path}`](../../examples/{path}):", "", "```yaml", "\n---\n".join(chosen), "```", ""]
