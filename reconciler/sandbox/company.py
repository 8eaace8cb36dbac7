"""The whole state of a sandbox: rows, options, tokens, faults and the log of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.sandbox import tables
from reconciler.sandbox.database import Database
from reconciler.sandbox.faults import FaultList
from reconciler.sandbox.identity import new_name
from reconciler.sandbox.lag import Lag
from reconciler.sandbox.request_log import RequestLog

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.sandbox.options import Options


class Tokens:
    """The issued admin tokens.

    They are only in memory, so that a sandbox with a file accepts its configured token again after a restart.
    """

    def __init__(self) -> None:
        self._uses: dict[str, int] = {}
        self._expired: set[str] = set()
        self._issued = 0

    def issue(self, stem: str) -> str:
        """Issue a new token."""
        self._issued += 1
        token = f"{stem}-{self._issued}"
        self._uses[token] = 0
        return token

    def state(self, token: str, options: Options) -> str:
        """Return whether a token is `valid`, `expired` or `unknown`, and count its use."""
        if token in self._expired:
            return "expired"
        if token != options.auth_token and token not in self._uses:
            return "unknown"
        self._uses[token] = self._uses.get(token, 0) + 1
        if options.token_uses and self._uses[token] > options.token_uses:
            self._expired.add(token)
            return "expired"
        return "valid"

    def end(self, token: str) -> None:
        """Expire one token, like a logout."""
        self._expired.add(token)

    def end_all(self, options: Options) -> None:
        """Expire every token issued so far, including the configured one."""
        self._expired.update(self._uses, {options.auth_token})


class Company:
    """One emulated company with its options. Use `db.transaction()` for changes in several steps."""

    def __init__(self, options: Options, path: Path | None = None) -> None:
        self.options = options
        self._name = new_name()
        self.db = Database(tables.ALL, path)
        self.faults = FaultList()
        self.request_log = RequestLog()
        self.tokens = Tokens()
        self.lag = Lag()
        self.resets = 0  # how often; what came before the last one has no effect any more

    @property
    def name(self) -> str:
        """The name of the sandbox, in every answer."""
        return self.options.name or self._name

    def set_options(self, /, **changes: Any) -> None:
        """Change options from the next request on. After a ValueError they are unchanged."""
        self.options = self.options.changed(**changes)

    def reset(self) -> None:
        """Reset rows, faults, log and tokens. Options stay."""
        self.resets += 1
        self.db.clear()
        self.faults.clear()
        self.request_log = RequestLog()
        self.tokens = Tokens()
        self.lag = Lag()
