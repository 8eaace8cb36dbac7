"""The project file: finding it, checking it, and applying an environment."""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct

from reconciler.errors import InvalidInput
from reconciler.folders import is_below
from reconciler.manifests.build import MAX_MISTAKES
from reconciler.manifests.change_windows import build_windows, window_problems
from reconciler.manifests.characters import character_problems
from reconciler.manifests.connections import build_connections, connection_problems, misnamed_connections
from reconciler.manifests.drift_settings import build_drift
from reconciler.manifests.endpoints import absolute_state, overlaid_fault, state_fault
from reconciler.manifests.explain import schema_problems
from reconciler.manifests.find import Found, leads_out, out_of_reach, project_name, shown_path, within
from reconciler.manifests.load import Document
from reconciler.manifests.overlay import LayeredPositions, integral, merged
from reconciler.manifests.read import load_found
from reconciler.manifests.scalars import shown
from reconciler.manifests.trusted import ignored
from reconciler.model.characters import NOT_XML
from reconciler.model.nearest import did_you_mean
from reconciler.model.objects import Problem, problem_order
from reconciler.money import currencies
from reconciler.providers.base import ProviderSpec, project_schema
from reconciler.reach import Quota, Reach
from reconciler.settings import DEFAULT_STATE, FREE_UPDATES, Policy, Project

PROJECT_FILE = "reconciler.yaml"
_LOOKALIKE = re.compile(r"\.?reconcil(?:er|e|iation)\.(?:ya?ml|json)(?:\.txt)?", re.IGNORECASE)
"""Names that people give to a project file, which no command looks for."""
_LISTED = 1_000
_KIND = "Project"
_CODE = re.compile("[A-Z]{3}")
_OVERLAID = ("connections", "policy", "state", "currency", "drift")


class _Source(Struct, frozen=True, kw_only=True):
    """A project file with the chosen environment on top."""

    file: Path
    document: Document
    spec: Mapping[str, Any]
    over: Mapping[str, Any]
    """The settings of the environment."""
    settings: Mapping[str, Any]
    """Those of both that are merged."""
    positions: LayeredPositions
    problems: Sequence[Problem]

    @property
    def connections(self) -> Mapping[str, Any]:
        """The connections as they are stated."""
        return _mapping(self.settings.get("connections"))


def load_project(
    path: Path | None,
    environment: str | None,
    *,
    providers: Mapping[str, ProviderSpec],
    trusted: str | os.PathLike[str] | None = None,
    allowed: Sequence[str | os.PathLike[str]] = (),
    quota: Quota | None = None,
) -> Project:
    """Read a project: the FILE or the DIR given, or the nearest one from the current folder upwards.

    The name, connections, state and policy come from the file `trusted`, if one is given: the project file then only
    says what is declared. `allowed` are paths that it may name outside its repository. InvalidInput lists every
    problem of the files and the values files. Credentials are not read.
    """
    file = find_project(path)
    reach = Reach.of(file.parent, allowed, quota)
    if file.is_symlink() and not reach.contains(str(file)):
        raise _invalid(file, [leads_out(shown_path(file), None)])
    source = _source(file, file.parent, environment, providers)
    ruling = source
    problems = list(source.problems)
    if trusted is not None:
        ruling = _source(_trusted_file(trusted, file), None, environment, providers)
        problems += ruling.problems
    root = file.parent
    values, wrong = _values(source.spec, source.over, source.document, environment, root, reach)
    problems += wrong
    if problems:
        raise _invalid(ruling.file if ruling.problems else file, problems)
    positions = ruling.positions
    return Project(
        name=ruling.document.data["metadata"]["name"],
        file=file,
        root=root,
        manifests=tuple(source.spec["manifests"]),
        manifests_at={
            path: source.document.positions.locate(("spec", "manifests", index))
            for index, path in enumerate(source.spec["manifests"])
        },
        # Files that the trusted file names are those beside it. A state that is a file belongs to the working copy.
        connections=build_connections(ruling.connections, positions, ruling.file.parent, providers),
        state=absolute_state(ruling.settings.get("state", DEFAULT_STATE), root),
        state_at=positions.set_at(("state",)),
        policy=_policy(_mapping(ruling.settings.get("policy")), positions),
        drift=build_drift(_mapping(ruling.settings.get("drift")), positions, ruling.file.parent),
        environment=environment,
        values=values,
        values_files=(*_values_files(source.spec, root), *_values_files(source.over, root)),
        overlays=frozenset(_values_files(source.over, root)),
        reach=reach,
        currency=source.settings.get("currency"),
        templates=ruling.file.parent / "templates",
        warnings=tuple(ignored(source.document, ruling.document)) if ruling is not source else (),
    )


def _values_files(settings: Mapping[str, Any], root: Path) -> tuple[Path, ...]:
    return tuple(root / os.path.expanduser(name) for name in settings.get("values", ()))  # noqa: PTH111 - as `_values`


def _source(file: Path, root: Path | None, environment: str | None, providers: Mapping[str, ProviderSpec]) -> _Source:
    """Read a project file and check everything but its values files; InvalidInput where it is not even a mapping.

    Places are relative to `root`, or to the current folder.
    """
    document, problems = _document(file, root)
    if document is None:
        empty = Problem(code="schema", summary=f"{shown_path(file)} is empty; expected a mapping")
        raise _invalid(file, problems or [empty])
    schema = project_schema(providers.values())
    found = schema_problems(schema, document.data, document.positions)
    if isinstance(document.data, dict) and document.data.get("kind", _KIND) != _KIND:  # the rest would be noise
        raise _invalid(file, [each for each in found if each.where == document.positions.locate(("kind",))])
    spec = document.data.get("spec") if isinstance(document.data, dict) else None
    if not isinstance(spec, dict):
        raise _invalid(file, [*problems, *found])
    problems += found
    over, unknown = _environment(spec, environment, document)
    problems += unknown
    positions = LayeredPositions(document.positions, environment if over else None)
    own, chosen = ({key: each[key] for key in _OVERLAID if key in each} for each in (spec, over))
    settings = integral(merged(own, chosen))
    known = _mapping(spec.get("connections"))
    if not unknown:
        problems += connection_problems(_mapping(settings.get("connections")), positions, schema, providers, known)
    problems += _state_problems(settings.get("state", DEFAULT_STATE), positions)
    problems += _currency_problems(settings.get("currency"), positions)
    problems += [] if found else window_problems(_mapping(settings.get("policy")), positions)
    problems += misnamed_connections(known, _mapping(spec.get("environments")), document.positions)
    problems += _other_environments(spec, environment, document)
    return _Source(
        file=file,
        document=document,
        spec=spec,
        over=over,
        settings=settings,
        positions=positions,
        problems=problems,
    )


def _trusted_file(path: str | os.PathLike[str], project: Path) -> Path:
    """Return the trusted file; InvalidInput if there is none. It is never looked for: nothing else may rule.

    A link to the project file, or its name, would let the project file decide after all.
    """
    name = "--trusted-config (RECONCILER_TRUSTED_CONFIG)"
    hint = "expected the project file of a branch that is protected; it sets connections, state and policy"
    if not os.fspath(path):
        raise InvalidInput(f"{name} is empty", [], hint=hint)
    file = Path(path).absolute()
    why = _no_file(file)
    if why is not None:
        raise InvalidInput(f"{name}: {shown_path(file)} {why}", [], hint=hint)
    if project.exists() and file.samefile(project):
        raise InvalidInput(
            f"{name}: {shown_path(file)} is the project file itself, so it would not be checked", [], hint=hint
        )
    return file


def find_project(path: Path | None) -> Path:
    """Return the absolute path of the project file; InvalidInput if there is none."""
    if path is not None:
        file = Path(path).absolute()
        file = file / PROJECT_FILE if os.path.isdir(file) else file  # noqa: PTH112 - False where it cannot be read
        if not os.path.lexists(file):
            raise _missing(f"{shown_path(file)} does not exist", [file.parent])
        return file
    found = nearest_project()
    if found is None:
        here = Path.cwd()
        raise _missing(f"there is no {PROJECT_FILE} in this folder or above it", [here, *here.parents])
    return found


def nearest_project() -> Path | None:
    """Return the project file of the current folder or of the nearest one above it; None if there is none.

    One that cannot be read counts: the project above it is another one.
    """
    here = Path.cwd()
    files = (folder / PROJECT_FILE for folder in (here, *here.parents))
    return next((file for file in files if os.path.lexists(file)), None)


def _missing(summary: str, folders: Sequence[Path]) -> InvalidInput:
    """Return the error for a project file that is missing from `folders`. It names a file that may be meant."""
    for folder in folders:
        near = _in(folder)
        if PROJECT_FILE in near:
            return InvalidInput(summary, [], hint=f"did you mean --project {shown_path(folder / PROJECT_FILE)}?")
        wrong = next((name for name in sorted(near) if _LOOKALIKE.fullmatch(name)), None)
        if wrong is not None:
            return InvalidInput(summary, [], hint=f"rename {shown_path(folder / wrong)} to {PROJECT_FILE}")
    below = next((name for name in sorted(_in(folders[0])) if PROJECT_FILE in _in(folders[0] / name)), None)
    if below is not None:
        file = shown_path(folders[0] / below / PROJECT_FILE)
        return InvalidInput(summary, [], hint=f"there is {file}: set --project {shlex.quote(below)}, or move it here")
    return InvalidInput(
        summary, [], hint="change to the folder of a project, set --project FILE, or create one: `reconciler init`"
    )


def _in(folder: Path) -> list[str]:
    """Return the first names in a folder; none where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, _LISTED)]
    except OSError:
        return []


def _invalid(file: Path, problems: Sequence[Problem]) -> InvalidInput:
    message = f"the project file {shown_path(file)} has problems"
    return InvalidInput(message, sorted(set(problems), key=problem_order))


def _document(file: Path, root: Path | None, quota: Quota | None = None) -> tuple[Document | None, list[Problem]]:
    """Load a file that may hold one document.

    Places are relative to `root`, the folder of the project; without one, to the current folder.
    """
    loaded = load_found(Found(shown_path(file) if root is None else project_name(file, root), str(file)), quota=quota)
    problems = list(loaded.problems)
    if len(loaded.documents) > 1:
        second = loaded.documents[1].positions.locate(())
        summary = "the file has a second document; expected only one"
        problems.append(Problem(code="schema", summary=summary, where=second))
    for document in (each for each in loaded.documents if isinstance(each.data, dict)):
        problems += islice(character_problems(document.data, document.positions, NOT_XML), MAX_MISTAKES)
    return (loaded.documents[0] if loaded.documents else None), problems


def _environment(
    spec: Mapping[str, Any], name: str | None, document: Document
) -> tuple[Mapping[str, Any], list[Problem]]:
    """Return the settings of the chosen environment."""
    if name is None:
        return {}, []
    known = _mapping(spec.get("environments"))
    if name in known:
        return _mapping(known[name]), []
    expected = f"expected one of {', '.join(sorted(known))}" if known else "the project file has none"
    summary = f"unknown environment {shown(name)}; {expected}{did_you_mean(name, known)}"
    where = document.positions.locate(("spec", "environments"))
    return {}, [Problem(code="unknown-environment", summary=summary, where=where)]


def _other_environments(spec: Mapping[str, Any], chosen: str | None, document: Document) -> list[Problem]:
    """Refuse credentials in URLs of other environments too: the file holds them."""
    problems = []
    for name, over in _mapping(spec.get("environments")).items():
        base = ("spec", "environments", str(name))
        stated = _mapping(_mapping(over).get("connections"))
        urls = [
            ((*base, "connections", key, "base_url"), _mapping(item).get("base_url")) for key, item in stated.items()
        ]
        for path, url in [*urls, ((*base, "state"), _mapping(over).get("state"))]:
            fault = overlaid_fault(path[-1], url) if isinstance(url, str) and name != chosen else None
            if fault is not None:
                where = document.positions.locate(path)
                summary = f"environment {shown(name)}: {path[-1]} {fault}"
                problems.append(Problem(code="credentials", summary=summary, where=where))
    return problems


def _state_problems(state: object, positions: LayeredPositions) -> list[Problem]:
    fault = state_fault(state) if isinstance(state, str) and state else None
    if fault is None:
        return []
    return [Problem(code="state", summary=f"state {fault}", where=positions.locate(("state",)))]


def _currency_problems(currency: object, positions: LayeredPositions) -> list[Problem]:
    """Refuse a code of the right shape that is no currency. The schema refuses other shapes."""
    if not isinstance(currency, str) or not _CODE.fullmatch(currency):
        return []
    known = currencies()
    if currency in known:
        return []
    near = did_you_mean(currency, known)
    summary = f"currency {currency} is not a current ISO 4217 code; expected a code such as GBP{near}"
    return [Problem(code="currency", summary=summary, where=positions.locate(("currency",)))]


def _values(
    spec: Mapping[str, Any],
    over: Mapping[str, Any],
    document: Document,
    environment: str | None,
    root: Path,
    reach: Reach,
) -> tuple[dict[str, object], list[Problem]]:
    """Read the values files, the environment's after the project's; later files win, key by key."""
    values: dict[str, object] = {}
    problems: list[Problem] = []
    layers = [(spec, ("spec", "values")), (over, ("spec", "environments", str(environment), "values"))]
    for settings, path in layers:
        names = settings.get("values")
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if not isinstance(name, str) or not name or "\0" in name:
                continue
            file = root / os.path.expanduser(name)  # noqa: PTH111 - keeps an unknown ~user
            where = document.positions.locate((*path, index))
            refused = out_of_reach(name, root, reach, where)
            if refused is not None:
                problems.append(refused)
                continue
            why = _no_file(file)
            if why is not None:
                summary = f"values file {shown(name)} {why}; expected a YAML file"
                problems.append(Problem(code="path-missing", summary=summary, where=where))
                continue
            if not is_below(os.path.realpath(file), within(name, root, root)):
                problems.append(leads_out(shown(name), where))
                continue
            content, wrong = _document(file, root, reach.quota)
            problems += wrong
            if content is not None and isinstance(content.data, dict):
                values = merged(values, content.data)
            elif content is not None:
                what = "a list" if isinstance(content.data, list) else "one value"
                summary = f"the values file contains {what}; expected a mapping"
                problems.append(Problem(code="schema", summary=summary, where=content.positions.locate(())))
    return values, problems


def _no_file(file: Path) -> str | None:
    """Say why there is no file to read at a path; None if there is one."""
    try:
        return "is a folder" if stat.S_ISDIR(file.stat().st_mode) else None
    except FileNotFoundError:
        return "is a symbolic link that leads nowhere" if file.is_symlink() else "does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _policy(stated: Mapping[str, Any], positions: LayeredPositions) -> Policy:
    return Policy(
        **{**stated, "windows": build_windows(stated, positions)},
        free_updates=0 if "max_change_percent" in stated else FREE_UPDATES,
        risks_at={code: positions.locate(("policy", "risks", code)) for code in _mapping(stated.get("risks"))},
        set_at={name: place for name in stated if (place := positions.set_at(("policy", name))) is not None},
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
