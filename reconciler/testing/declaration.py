"""What a provider states to take part in the contract suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from msgspec import Struct

from reconciler.sandbox import Emulator

Spec = Mapping[str, Any]
Box = TypeVar("Box", bound=Emulator)


def _nothing(*_: object) -> None:
    return None


class Sample(Struct, frozen=True, kw_only=True):
    """One object: its spec, and edits that follow each other. An edit replaces fields; None removes one."""

    kind: str
    name: str
    spec: Spec
    edits: tuple[Spec, ...] = ()

    def after(self, step: int) -> dict[str, Any]:
        """Return the spec after the first `step` edits."""
        merged = dict(self.spec)
        for edit in self.edits[:step]:
            merged |= edit
        return {name: value for name, value in merged.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Declaration(Generic[Box]):
    """A provider, an emulator of its system, and sample objects of each of its kinds."""

    provider: str
    emulator: Callable[[], Box]
    """Makes an emulator without objects."""
    auth: Mapping[str, str]
    """The value of each credential that the emulator accepts."""
    samples: tuple[Sample, ...]
    """At least one of each kind. Together they state every field of the kind."""
    live: Callable[[Box], list[Any]]
    """Returns the live objects in the emulator's own words: without duplicates, and without what was deleted."""
    foreign: Callable[[Box], object] = _nothing
    """Makes objects of someone else, which no run may change."""
    check: Callable[[Box, Sequence[Spec]], object] = _nothing
    """Asserts that the emulator has what these specs state, if reading them through the provider proves less."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The settings that only connections of this provider have."""
    methods: tuple[str, ...] = ("POST", "PUT")
    """The methods of its writing calls beside DELETE: the samples must send each, and its answer gets lost."""
    login_path: str | None = None
    """The path that it POSTs to for a token, which is no writing call; None where there is no login."""
    window: tuple[str, ...] = ()
    """Options of `export` that are needed to find the samples, such as `--from`."""
    can_replace: bool = True
    """Whether an object can be deleted and created again in another system."""
    listed: bool = True
    """Whether live objects can be found without their ids."""

    @property
    def steps(self) -> int:
        """The number of edits of the sample with the most."""
        return max(len(sample.edits) for sample in self.samples)
