"""What each manifest means as a digest, by which a saved plan recognises that a manifest changed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from reconciler.model.canonical import digest, plain
from reconciler.model.objects import Address, Desired


class ManifestDigests(Mapping[str, str]):
    """The digests by address, in order. They are computed where a document or a comparison needs them."""

    def __init__(self, desired: Mapping[Address, Desired], removed: Collection[Address]) -> None:
        self._desired, self._removed = desired, removed

    def __getitem__(self, address: str) -> str:
        return self._digests[address]

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)

    @cached_property
    def _digests(self) -> dict[str, str]:
        found = {str(item.address): _digest(item) for item in self._desired.values()}
        found |= {str(address): digest(["removed"]) for address in self._removed}
        return dict(sorted(found.items()))


def _digest(item: Desired) -> str:
    """Digest what a manifest means, not how it is written: a comment changes nothing."""
    return digest(
        [
            item.connection,
            plain(item.fields),
            item.protect,
            [str(target) for target in item.depends_on],
            *([["moved_from", *map(str, item.moved_from)]] if item.moved_from else []),
            *(["forget"] if item.forget else []),
        ]
    )
