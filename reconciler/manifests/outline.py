"""The names that a project declares, read quickly and without checks: for completion in a shell.

Nothing here fails, and nothing outside the project is read: what cannot be read or is too large is left out.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import yaml
from msgspec import Struct

from reconciler.files import read_regular
from reconciler.folders import is_below
from reconciler.manifests.known_names import project_file
from reconciler.manifests.walk import Boundless, Search

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
"""What a name of a project consists of. Nothing else is offered: a shell could act on it."""
ADDRESS = re.compile(f"{NAME.pattern}/{NAME.pattern}")

_MOST_FILES = 20_000
_LARGEST = 1_000_000
_DOCUMENT_START = re.compile(r"^---(?=\s|$)", re.MULTILINE)
DEFAULT_STATE = "sqlite:///.reconciler/state.db"
"""As in `settings`, whose import takes 15 ms."""
_SQLITE = "sqlite:///"
_STATES = ((("spec", "state"), 2), (("spec", "environments"), 4))
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Outline(Struct, frozen=True, kw_only=True):
    """The names of one project."""

    root: Path
    file: str
    name: str
    environments: tuple[str, ...]
    connections: tuple[str, ...]
    manifests: tuple[str, ...]
    """The paths of `spec.manifests`."""
    states: Mapping[str | None, str]
    """What `spec.state` and that of each environment name."""

    def place(self, environment: str | None) -> Path | None:
        """Return where the file of a state is or would be; None for another kind of state."""
        url = self.states.get(environment, self.states.get(None, DEFAULT_STATE))
        prefix, _, path = url.partition(_SQLITE)
        return None if prefix else self.root / path

    def state(self, environment: str | None) -> Path | None:
        """Return the file of a state, if it is one inside the project."""
        file = self.place(environment)
        own = (os.path.realpath(self.root),)
        return file if file is not None and file.is_file() and is_below(os.path.realpath(file), own) else None

    def addresses(self, known: Mapping[str, list[str]], seconds: float = 1.0) -> dict[str, list[str] | None]:
        """Return the addresses that each file declares, none for what else was looked at, read for at most so long.

        What is `known` is not read again. What would take too long is None.
        """
        end = time.monotonic() + seconds
        own = (os.path.realpath(self.root),)
        found: dict[str, list[str] | None] = {self.file: []}
        for path in self.manifests:
            search, files = Search(own, str(self.root), _MOST_FILES), []
            with suppress(Boundless, RecursionError):
                files = search.files(path, self.root) or []
            found = {each: [] for each in search.looked} | found
            for file in files:
                if file in known:
                    found[file] = known[file]
                elif time.monotonic() > end:
                    found[file] = None
                else:
                    found[file] = [*_declared(_text(file))] if is_below(os.path.realpath(file), own) else []
        return found


def outline(project: str | os.PathLike[str] | None) -> Outline | None:
    """Return the names of a project: the FILE or the DIR given, or the nearest one from the current folder upwards."""
    found_file = project_file(project)
    file = None if found_file is None else Path(found_file)
    if file is None or not is_below(os.path.realpath(file), (os.path.realpath(file.parent),)):
        return None
    found = list(_scalars(_text(file)))

    def keys(*above: str) -> tuple[str, ...]:
        names = (path[-1] for path, value in found if value is None and path[:-1] == above)
        return tuple(dict.fromkeys(name for name in names if NAME.fullmatch(name)))

    environments = keys("spec", "environments")
    connections = [keys("spec", "connections")]
    connections += [keys("spec", "environments", name, "connections") for name in environments]
    return Outline(
        root=file.parent,
        file=str(file),
        environments=environments,
        connections=tuple(dict.fromkeys(name for names in connections for name in names)),
        manifests=tuple(value for path, value in found if path == ("spec", "manifests", "") and value is not None),
        name=next((value for path, value in found if path == ("metadata", "name") and value is not None), ""),
        states={
            path[2] if path[1] == "environments" else None: value
            for path, value in found
            if value is not None and path[-1:] == ("state",) and (path[:2], len(path)) in _STATES
        },
    )


def _text(file: Path | str) -> str:
    """Return the text of a file; nothing where it cannot be read or is too large."""
    try:
        content, _ = read_regular(file, _LARGEST + 1)
    except (OSError, ValueError):
        return ""
    return content.decode("utf-8", "replace") if len(content) <= _LARGEST else ""


def _declared(text: str) -> Iterator[str]:
    """Yield the address of each document. No more of it is read than that takes."""
    starts = [0, *(match.start() for match in _DOCUMENT_START.finditer(text) if match.start())]
    for begin, end in zip(starts, [*starts[1:], len(text)], strict=True):
        kind = name = None
        for path, value in _scalars(text[begin:end]):
            if path == ("kind",):
                kind = value or kind
            elif path == ("metadata", "name"):
                name = value or name
            if kind and name:
                if ADDRESS.fullmatch(f"{kind}/{name}"):
                    yield f"{kind}/{name}"
                break


def _scalars(text: str) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """Yield the path of each key with None, and the path of each plain value with the value; an item's step is "".

    It ends where the text is no YAML.
    """
    steps: list[str] = []
    awaiting: list[bool | None] = []
    """Whether a key comes next, for each mapping that is open; None for a list."""
    with suppress(yaml.YAMLError, ValueError, RecursionError):
        for event in yaml.parse(text, Loader=_LOADER):
            starts = isinstance(event, yaml.CollectionStartEvent)
            if isinstance(event, yaml.CollectionEndEvent):
                steps.pop()
                awaiting.pop()
            elif awaiting and awaiting[-1] and isinstance(event, yaml.NodeEvent):
                if starts:  # a key that is no text
                    return
                steps[-1], awaiting[-1] = getattr(event, "value", ""), False
                yield tuple(steps), None
                continue
            elif starts:
                steps.append("")
                awaiting.append(isinstance(event, yaml.MappingStartEvent) or None)
                continue
            elif isinstance(event, yaml.ScalarEvent):
                yield tuple(steps), event.value
            if awaiting and awaiting[-1] is not None:  # a value has ended
                awaiting[-1] = True
