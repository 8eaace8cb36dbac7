"""From what and where a run was started: the facts that a document needs to be signed and looked up later."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import asdict


class Context(Struct, frozen=True, kw_only=True):
    """What Git and the CI system say of a run. None is what neither says."""

    commit: str | None = None
    """The id of the commit that is checked out."""
    branch: str | None = None
    """The branch; of a pull request, the one that it comes from."""
    clean: bool | None = None
    """Whether the files are those of the commit."""
    author: str | None = None
    """The author of the commit."""
    system: str | None = None
    """The CI system."""
    run_url: str | None = None
    """The page of the run in the CI system."""
    actor: str | None = None
    """Who started the run in the CI system."""
    pull_request: str | None = None
    """The number of the pull request."""

    @property
    def texts(self) -> dict[str, str]:
        """What is known, as texts by name, for the record of the run."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}

    @property
    def known(self) -> bool:
        """Whether anything is known."""
        return any(value is not None for value in asdict(self).values())


class Execution(Struct, frozen=True, kw_only=True):
    """When and where a run took place."""

    id: str
    """The run's id, as the state records it where the run writes."""
    host: str
    """The name of the machine."""
    started_at: str
    """An instant in UTC."""
    ended_at: str
    """An instant in UTC."""
    seconds: float
    """How long it took, by a clock that cannot be set."""
