"""One open project: its state, lease, credentials and providers, opened when they are needed and closed together."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from reconciler.context import context
from reconciler.engine.ledger import Memory, remembered
from reconciler.errors import InvalidInput, ReconcilerError
from reconciler.model.context import Context
from reconciler.model.kind import Kind
from reconciler.model.limit import TimeLimit
from reconciler.model.objects import Intent, Problem, Record
from reconciler.model.traffic import Traffic
from reconciler.operations.project import hide_credentials, open_project
from reconciler.providers.base import Provider, ProviderSpec
from reconciler.registry import kinds, providers
from reconciler.settings import Connection, Project, Secret
from reconciler.state import lease
from reconciler.state.reached import reached
from reconciler.state.store import Store
from reconciler.target import origin_of
from reconciler.trust import TRUST_HOSTS, Bounds, KnownHosts, hosts, words

if TYPE_CHECKING:
    from reconciler.providers.http import Limiter, Token


class ProjectSession:
    """An open project. Use as a context manager."""

    def __init__(
        self,
        project: Project,
        *,
        parallelism: int | None = None,
        timeout: float | None = None,
        trust_hosts: Sequence[str] = (),
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take a project; nothing is opened yet. InvalidInput names what `reconciler.trust` does not allow it to use.

        `parallelism` caps the requests per connection below its `max_concurrency`. `timeout` is how many seconds
        from now calls may start; those in flight then are finished and recorded. `trust_hosts` are hosts to which
        credentials may be sent although the state does not know them. `notice` receives what a person should know
        about the state, such as that it was migrated.
        """
        self.limit = TimeLimit(timeout)
        self.traffic = Traffic()
        """What the calls of this session do, for who shows or records it."""
        Bounds.of(os.environ).check(project, reached(project.state))
        self._accepted = hosts(trust_hosts, said="--trust-host", globs=False)
        self._accepted += hosts(words(os.environ.get(TRUST_HOSTS, "")), said=TRUST_HOSTS, globs=False)
        self._origins: dict[str, bool] = {}
        self.project = project
        hide_credentials(project)
        self._notice = notice
        self._parallelism = parallelism
        self.kinds: Mapping[str, Kind] = kinds()
        self.providers: Mapping[str, ProviderSpec] = providers()
        self._lock = threading.Lock()
        self._open: dict[tuple[str, bool], Provider] = {}
        self._limiters: dict[str, Limiter] = {}
        self._tokens: dict[str, Token] = {}
        self._closing = threading.Event()
        self._stop = self._closing
        self._finishing = False
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
        self.close()

    def close(self) -> None:
        """Close connections and state. A `with` block does that by itself."""
        for provider in self._open.values():
            provider.close()
        if self._store is not None:
            self._store.close()

    @cached_property
    def context(self) -> Context:
        """From what and where the run was started, as Git and the CI system say."""
        return context(self.project.root)

    @property
    def store(self) -> Store:
        """The state of this project and environment."""
        if self._store is None:
            self._store = Store(
                self.project.state,
                project=self.project.name,
                environment=self.project.environment,
                folder=self.project.root / ".reconciler" / "backups",
                root=self.project.root,
                notice=self._notice,
            )
            self._store.mention_others()
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
        with lease.hold(self.store, run_id, timeout=min(timeout, self.limit.left())):
            self._run_id = run_id
            try:
                yield run_id
            finally:
                self._run_id = None

    @contextmanager
    def cancelled_by(self, stop: threading.Event) -> Iterator[None]:
        """Cancel waits and refuse new writes inside this block once `stop` is set.

        Once the time of the run is over, what was written in this block is still read back.
        """
        self._set_stop(stop, finishing=True)
        try:
            yield
        finally:
            self._set_stop(self._closing, finishing=False)

    def _set_stop(self, stop: threading.Event, *, finishing: bool) -> None:
        with self._lock:
            self._stop, self._finishing = stop, finishing
            for limiter in self._limiters.values():
                limiter.stop, limiter.finishing = stop, finishing

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
        from reconciler.providers.http import HttpClient, Limiter, Token  # noqa: PLC0415 - httpx: 100 ms that state commands save

        with self._lock:
            if (name, writes) not in self._open:
                connection = self._capped(self.project.connections[name])
                spec = self.providers[connection.provider]
                login_path = spec.login_path(connection) if spec.login_path else None
                if name not in self._limiters:  # one for reads and writes: the server counts both
                    self._limiters[name] = Limiter(
                        connection.max_concurrency,
                        connection.requests_per_second,
                        name=name,
                        limit=self.limit,
                        traffic=self.traffic,
                    )
                    self._limiters[name].stop = self._stop
                    self._limiters[name].finishing = self._finishing
                    self._tokens[name] = Token()
                http = HttpClient(
                    connection,
                    writes=writes,
                    secrets=self._secrets[name],
                    login_path=login_path,
                    limiter=self._limiters[name],
                    token=self._tokens[name],
                )
                self._open[name, writes] = spec.open(connection, http)
            return self._open[name, writes]

    def _capped(self, connection: Connection) -> Connection:
        if self._parallelism is None:
            return connection
        return replace(connection, max_concurrency=min(connection.max_concurrency, self._parallelism))

    def remember_hosts(self, run_id: str, *, writes: bool) -> None:
        """Record the hosts that this run used, if it `writes` or the user accepted one of them."""
        if self._origins and (writes or not all(self._origins.values())):
            self.store.hosts.add(run_id, self._origins)

    def _check_hosts(self, names: set[str], memory: Memory) -> None:
        connections = [self.project.connections[name] for name in sorted(names)]
        managed_at: dict[str, set[str]] = {}
        calls = (call for calls in memory.intents.values() for call in calls)
        used: Iterable[Record | Intent] = (*memory.records.values(), *calls)
        for item in used:
            managed_at.setdefault(item.connection, set()).add(item.target)
        known = KnownHosts(targets=self.store.hosts.known().union(*managed_at.values()), accepted=self._accepted)
        known.check(connections, managed_at)
        for connection in connections:
            origin = origin_of(connection.base_url)
            self._origins.setdefault(origin, not known.targets or known.knows(origin))

    def resolve_credentials(self, names: set[str], memory: Memory | None = None) -> None:
        """Resolve the credentials of these connections; InvalidInput lists every one that is missing.

        `memory` is what the state holds, where it was read already.

        From then on `project.connections` know the accounts that they choose, so that their targets are whole.
        InvalidInput also names those that lead to a host that the state does not know; then none is resolved.
        """
        self._check_hosts(names, memory or remembered(self.store))
        problems = []
        known = dict(self.project.connections)
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
            chosen = self.providers[connection.provider].identified_by
            known[name] = connection.with_user(tuple(found[key].value for key in chosen if key in found))
        if problems:
            raise InvalidInput("credentials are missing", problems)
        self.project = replace(self.project, connections=known)


def open_session(
    path: Path | str | None = None,
    environment: str | None = None,
    *,
    parallelism: int | None = None,
    timeout: float | None = None,
    trust_hosts: Sequence[str] = (),
    notice: Callable[[str], None] = lambda _: None,
) -> ProjectSession:
    """Open a project for the functions that read and write: `open_project`, then `ProjectSession`."""
    project = open_project(path, environment)
    return ProjectSession(project, parallelism=parallelism, timeout=timeout, trust_hosts=trust_hosts, notice=notice)
