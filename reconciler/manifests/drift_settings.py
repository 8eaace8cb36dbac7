"""What a project file says about drift, as checked settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.manifests.connections import credential
from reconciler.manifests.overlay import LayeredPositions
from reconciler.settings import DriftIgnore, DriftSettings, Webhook


def build_drift(stated: Mapping[str, Any], positions: LayeredPositions, root: Path) -> DriftSettings:
    """Return the settings of drift; `root` is where relative paths start."""
    return DriftSettings(
        ignore=tuple(
            DriftIgnore(where=positions.locate(("drift", "ignore", index)), **item)
            for index, item in enumerate(stated.get("ignore", ()))
        ),
        webhooks=tuple(
            _webhook(item, positions, ("drift", "webhooks", index), root)
            for index, item in enumerate(stated.get("webhooks", ()))
        ),
    )


def _webhook(
    stated: Mapping[str, Any], positions: LayeredPositions, path: tuple[str | int, ...], root: Path
) -> Webhook:
    secret = stated.get("secret")
    return Webhook(
        url=credential(stated["url"], positions.locate((*path, "url")), root),
        where=positions.locate(path),
        secret=None if secret is None else credential(secret, positions.locate((*path, "secret")), root),
        **{key: stated[key] for key in ("template", "timeout") if key in stated},
    )
