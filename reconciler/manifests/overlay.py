"""Settings of a project with those of an environment on top, and the place of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from reconciler.manifests.positions import DocumentPositions, LatePositions, Path
from reconciler.model.objects import SourceRef

_WHOLE = "auth"
"""Below this key a value is replaced, not merged: `{env: A}` over `{file: B}` is one source, not two."""


def merged(base: Any, over: Any) -> Any:
    """Merge `over` into `base`: mappings key by key, everything else is replaced."""
    if not (isinstance(base, Mapping) and isinstance(over, Mapping)):
        return over
    result = dict(base)
    for key, value in over.items():
        result[key] = merged(base[key], value) if key in base and key != _WHOLE else value
        if key == _WHOLE and isinstance(base.get(key), Mapping) and isinstance(value, Mapping):
            result[key] = {**base[key], **value}
    return result


def integral(settings: Any) -> Any:
    """Return settings in which each whole number is an integer, as it may be written in many ways: `37004.0`."""
    if isinstance(settings, Mapping):
        return {key: integral(value) for key, value in settings.items()}
    if isinstance(settings, list):
        return [integral(value) for value in settings]
    return int(settings) if isinstance(settings, float) and settings.is_integer() else settings


class LayeredPositions(Struct, frozen=True):
    """Places in the `spec` of a project file with an environment on top: where a value was last set."""

    document: DocumentPositions | LatePositions
    environment: str | None

    def locate(self, path: Path, *, key: bool = False) -> SourceRef:
        """Return the place of a setting, or of its nearest parent if it is not set."""
        for length in range(len(path), -1, -1):
            for prefix in self._layers():
                if self.document.has((*prefix, *path[:length])):
                    return self.document.locate((*prefix, *path[:length]), key=key and length == len(path))
        return self.document.locate(())

    def set_at(self, path: Path) -> SourceRef | None:
        """Return the place of a setting, None if it has its default."""
        stated = any(self.document.has((*prefix, *path)) for prefix in self._layers())
        return self.locate(path) if stated else None

    def _layers(self) -> tuple[Path, ...]:
        base: Path = ("spec",)
        return (base,) if self.environment is None else (("spec", "environments", self.environment), base)
