"""The sandbox as a context manager for examples, notebooks and tests: its URL, its credentials, a project file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from reconciler.sandbox import Options, Sandbox, credentials
from reconciler.trust import TRUST_HOSTS


class Playground(Sandbox):
    """A sandbox that knows how a project reaches it."""

    @property
    def credentials(self) -> Mapping[str, str]:
        """The environment variables with its credentials, by name; they are set while it runs."""
        return credentials(self.options)

    @property
    def connections(self) -> Mapping[str, Any]:
        """The `connections` of a project file: sessions, admin and shop."""
        auth = {
            "bookingbug-sessions": {"username": "BB_USERNAME", "password": "BB_PASSWORD"},
            "bookingbug-admin": {"app_id": "BB_APP_ID", "app_key": "BB_APP_KEY", "auth_token": "BB_TOKEN"},
            "checkfront": {"key": "CF_KEY", "secret": "CF_SECRET"},
        }
        sessions, admin, shop = (
            {
                "provider": provider,
                "base_url": self.url,
                "auth": {name: {"env": variable} for name, variable in variables.items()},
            }
            for provider, variables in auth.items()
        )
        return {"sessions": sessions, "admin": {**admin, "company_id": self.options.company_id}, "shop": shop}

    def create_project(self, folder: Path | str, name: str = "acme") -> Path:
        """Write a project file with these connections, and the folder of its manifests; return the file."""
        file = Path(folder) / "reconciler.yaml"
        (file.parent / "manifests").mkdir(parents=True, exist_ok=True)
        spec = {"manifests": ["manifests"], "connections": self.connections}
        document = {"apiVersion": "reconciler/v1", "kind": "Project", "metadata": {"name": name}, "spec": spec}
        file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        return file


@contextmanager
def sandbox(options: Options | None = None, *, seed: str = "none") -> Iterator[Playground]:
    """Serve the three built-in APIs on a loopback port inside this block, with the credentials in the environment.

    `seed` fills it: `none`, or a seed of `reconciler sandbox --seed`.
    """
    with Playground(options, seed=seed) as box:
        trusted = " ".join(filter(None, (os.environ.get(TRUST_HOSTS), urlsplit(box.url).netloc)))
        direct = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1")
        with patch.dict(os.environ, {**box.credentials, TRUST_HOSTS: trusted, **direct}):
            yield box
