"""Small kinds and documents for the tests of this room."""

from __future__ import annotations

from reconciler.manifests.load import load_text
from reconciler.manifests.validate import validate
from reconciler.model.kind import Kind, Reference
from reconciler.model.objects import Problem


def kind(name, provider, schema, **more):
    return Kind(
        name=name,
        provider=provider,
        schema=schema,
        canonical=more.pop("canonical", dict),
        identities=lambda _: (),
        **more,
    )


def forbidden(manifest):
    if manifest.spec.get("group") == "forbidden":
        yield Problem(
            code="rule", summary="group is forbidden", where=manifest.where("group"), address=manifest.address
        )


KINDS = {
    "Session": kind("Session", "bookingbug-sessions", "session", check=forbidden),
    "Resource": kind("Resource", "bookingbug-admin", "resource"),
    "Block": kind(
        "Block",
        "bookingbug-admin",
        "block",
        references=(Reference(spec_field="resource", field="resource_id", kind="Resource"),),
    ),
}


def manifest_text(kind_name, name, spec, **metadata):
    extra = "".join(f", {key}: {value}" for key, value in metadata.items())
    return f"apiVersion: reconciler/v1\nkind: {kind_name}\nmetadata: {{name: {name}{extra}}}\nspec: {spec}\n"


def checked(*texts):
    loaded = load_text("---\n".join(texts), "f.yaml")
    manifests, problems = validate(loaded.documents, KINDS)
    return manifests, [str(problem) for problem in (*loaded.problems, *problems)]
