"""One open project: its state, lease, credentials and providers, opened when they are needed and closed together."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reconciler import redaction
from reconciler.errors import InvalidInput, ReconcilerError
from reconciler.model.kind import Kind
from reconciler.model.objects import Problem
from reconciler.providers.base import Provider, ProviderSpec
from reconciler.registry import kinds, providers
from reconciler.settings import Connection, Project, Secret
from reconciler.state import lease
from reconciler.state.store import Store

if TYPE_CHECKING:
    from reconciler.providers.http import Limiter


class ProjectSession:
    """An open project. Use as a context manager."""

    def __init__(
        self, project: Project, *, parallelism: int | None = None, notice: Callable[[str], None] = lambda _: None
    ) -> None:
        """Take a project; nothing is opened yet.

        `parallelism` caps the requests per connection below its `max_concurrency`. `notice` receives what a
        person should know about the state, such as that it was migrated.
        """
        self.project = project
        redaction.hide(os.environ.get("PGPASSWORD", ""))
        for connection in project.connections.values():
            for credential in connection.auth.values():
                credential.hide()
        self._notice = notice
        self._parallelism = parallelism
        self.kinds: Mapping[str, Kind] = kinds()
        self.providers: Mapping[str, ProviderSpec] = providers()
        self._lock = threading.Lock()
        self._open: dict[tuple[str, bool], Provider] = {}
        self._limiters: dict[str, Limiter] = {}
        self._closing = threading.Event()
        self._stop = self._closing
        self._secrets: dict[str, dict[str, Secret]] = {}
        self._store: Store | None = None
        self._run_id: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._closing.set()  # a pool closes only when its threads have ended: none may go on waiting
        for provider in self._open.values():
            provider.close()
        if self._store is not None:
            self._store.close()

    @property
    def store(self) -> Store:
        """The state of this project and environment."""
        if self._store is None:
            self._store = Store(
                self.project.state,
                project=self.project.name,
                environment=self.project.environment,
                folder=self.project.root / ".reconciler" / "backups",
                notice=self._notice,
            )
        return self._store

    @contextmanager
    def hold(self, *, timeout: float = 0.0) -> Iterator[str]:
        """Hold the state's lease for one writing run and return the run's id; a nested call is the same run.

        `timeout` is how many seconds to wait for another run's lease.
        """
        if self._run_id is not None:
            yield self._run_id
            return
        run_id = uuid.uuid4().hex
        with lease.hold(self.store, run_id, timeout=timeout):
            self._run_id = run_id
            try:
                yield run_id
            finally:
                self._run_id = None

    @contextmanager
    def cancelled_by(self, stop: threading.Event) -> Iterator[None]:
        """Cancel waits and refuse new writes inside this block once `stop` is set."""
        self._set_stop(stop)
        try:
            yield
        finally:
            self._set_stop(self._closing)

    def _set_stop(self, stop: threading.Event) -> None:
        with self._lock:
            self._stop = stop
            for limiter in self._limiters.values():
                limiter.stop = stop

    def backup(self, command: str) -> None:
        """Back up the state before a command other than apply changes it, and report the file."""
        kept = self.store.backup(command)
        if kept is not None:
            self._notice(f"A backup of the state is in {kept}")

    def reader(self, connection: str) -> Provider:
        """Return a connection's provider whose HTTP client refuses every write. Its credentials must be resolved."""
        return self._provider(connection, writes=False)

    def writer(self, connection: str) -> Provider:
        """Return a connection's provider that may write. Its credentials must be resolved."""
        return self._provider(connection, writes=True)

    def _provider(self, name: str, *, writes: bool) -> Provider:
        from reconciler.providers.http import HttpClient, Limiter  # noqa: PLC0415 - httpx: 100 ms that state commands save

        with self._lock:
            if (name, writes) not in self._open:
                connection = self._capped(self.project.connections[name])
                spec = self.providers[connection.provider]
                login_path = spec.login_path(connection) if spec.login_path else None
                if name not in self._limiters:  # one for reads and writes: the server counts both
                    self._limiters[name] = Limiter(connection.max_concurrency, connection.requests_per_second)
                    self._limiters[name].stop = self._stop
                limiter, secrets = self._limiters[name], self._secrets[name]
                http = HttpClient(connection, writes=writes, secrets=secrets, login_path=login_path, limiter=limiter)
                self._open[name, writes] = spec.open(connection, http)
            return self._open[name, writes]

    def _capped(self, connection: Connection) -> Connection:
        if self._parallelism is None:
            return connection
        return replace(connection, max_concurrency=min(connection.max_concurrency, self._parallelism))

    def resolve_credentials(self, names: set[str]) -> None:
        """Resolve the credentials of these connections; InvalidInput lists every one that is missing."""
        problems = []
        for name in sorted(names):
            connection = self.project.connections[name]
            found: dict[str, Secret] = {}
            for key, credential in sorted(connection.auth.items()):
                try:
                    found[key] = credential.resolve()
                except ReconcilerError as error:
                    summary = f"connections.{name}.auth.{key}: {error.message}"
                    problem = Problem(code="credential", summary=summary, hint=error.hint, where=credential.where)
                    problems.append(problem)
            self._secrets[name] = found
        if problems:
            raise InvalidInput("credentials are missing", problems)
