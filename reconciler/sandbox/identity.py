"""What distinguishes one sandbox from another: its name in every answer, and its own credentials and company."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.sandbox.options import Options

HEADER = b"x-sandbox"

DOCUMENTED_COMPANY = 37004
"""The company of the API documents, in the examples."""

_UNAUTHORIZED = 401
_FIRST_COMPANY, _COMPANIES = 40_000, 900_000


def new_name() -> str:
    """Return a name that no other sandbox has."""
    return f"sandbox-{os.urandom(4).hex()}"


def with_own_credentials(options: Options, stated: Collection[str], seed: str | None = None) -> Options:
    """Return options with a name, credentials and a company that no other sandbox has; those in `stated` are kept.

    The same `seed` gives the same ones, so that clients can go on after a restart. The documented company works
    as well, since the credentials already keep sandboxes apart.
    """
    key = os.urandom(16).hex() if seed is None else seed

    def digest(name: str) -> str:
        return sha256(f"{key}\0{name}".encode()).hexdigest()

    own: dict[str, str | int] = {
        "name": new_name() if seed is None else f"sandbox-{digest('name')[:8]}",
        "username": f"user-{digest('username')[:8]}",
        "email": f"owner-{digest('email')[:8]}@example.com",
        "company_id": _FIRST_COMPANY + int(digest("company_id")[:8], 16) % _COMPANIES,
        "company_alias": 0 if "company_id" in stated else DOCUMENTED_COMPANY,
    }
    for name in (
        "password",
        "app_id",
        "app_key",
        "auth_token",
        "admin_password",
        "checkfront_key",
        "checkfront_secret",
    ):
        own[name] = f"{name.rpartition('_')[2]}-{digest(name)[:16]}"
    return replace(options, **{name: value for name, value in own.items() if name not in stated})  # type: ignore[arg-type]


def credentials(options: Options) -> dict[str, str]:
    """Return the environment variables of the examples, with the sandbox's credentials."""
    return {
        "BB_USERNAME": options.username,
        "BB_PASSWORD": options.password,
        "BB_APP_ID": options.app_id,
        "BB_APP_KEY": options.app_key,
        "BB_TOKEN": options.auth_token,
        "BB_EMAIL": options.email,
        "BB_ADMIN_PASSWORD": options.admin_password,
        "CF_KEY": options.checkfront_key,
        "CF_SECRET": options.checkfront_secret,
    }


def naming(status: int, body: bytes, options: Options) -> bytes:
    """Return the body of an answer; one that refuses credentials says which sandbox did, if it has a name."""
    if status != _UNAUTHORIZED or not options.name:
        return body
    words = f" Use the credentials of reconciler sandbox {options.name}, company {options.company_id}."
    try:
        data = json.loads(body)
        key = next(name for name in ("error_description", "error") if name in data)
        return json.dumps({**data, key: f"{data[key]}.{words}".replace("..", ".")}).encode()
    except (ValueError, TypeError, StopIteration):
        return body.replace(b"</error>", words.encode() + b"</error>", 1)
