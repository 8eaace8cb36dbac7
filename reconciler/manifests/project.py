"""The project file: finding it, checking it, and applying an environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.errors import InvalidInput
from reconciler.manifests.connections import build_connections, connection_problems
from reconciler.manifests.endpoints import absolute_state, overlaid_fault, state_fault
from reconciler.manifests.explain import schema_problems
from reconciler.manifests.find import Found, is_below, leads_out, project_name, shown_path, within
from reconciler.manifests.load import Document
from reconciler.manifests.overlay import LayeredPositions, merged
from reconciler.manifests.read import load_found
from reconciler.manifests.scalars import shown
from reconciler.model.nearest import did_you_mean
from reconciler.model.objects import Problem, problem_order
from reconciler.providers.base import ProviderSpec
from reconciler.settings import DEFAULT_STATE, Policy, Project

PROJECT_FILE = "reconciler.yaml"
_CODE = re.compile("[A-Z]{3}")
_OVERLAID = ("connections", "policy", "state", "currency")


def load_project(path: Path | None, environment: str | None, *, providers: Mapping[str, ProviderSpec]) -> Project:
    """Read a project: the FILE or the DIR given, or the nearest one from the current folder upwards.

    InvalidInput lists every problem of the project file and its values files. Credentials are not read.
    """
    file = find_project(path)
    document, problems = _document(file, file.parent)
    if document is None:
        raise _invalid(file, problems)
    found = schema_problems("project", document.data, document.positions)
    spec = document.data.get("spec") if isinstance(document.data, dict) else None
    if not isinstance(spec, dict):
        raise _invalid(file, [*problems, *found])
    problems += found
    over, unknown = _environment(spec, environment, document)
    problems += unknown
    positions = LayeredPositions(document.positions, environment if over else None)
    settings = merged(
        {key: spec[key] for key in _OVERLAID if key in spec},
        {key: over[key] for key in _OVERLAID if key in over},
    )
    connections = _mapping(settings.get("connections"))
    if not unknown:
        problems += connection_problems(connections, positions, providers)
    state = settings.get("state", DEFAULT_STATE)
    problems += _state_problems(state, positions)
    currency = settings.get("currency")
    problems += _currency_problems(currency, positions)
    problems += _other_environments(spec, environment, document)
    root = file.parent
    values, wrong = _values(spec, over, document, environment, root)
    problems += wrong
    if problems:
        raise _invalid(file, problems)
    return Project(
        name=document.data["metadata"]["name"],
        file=file,
        root=root,
        manifests=tuple(spec["manifests"]),
        manifests_at={
            path: document.positions.locate(("spec", "manifests", index))
            for index, path in enumerate(spec["manifests"])
        },
        connections=build_connections(connections, positions, root, providers),
        state=absolute_state(state, root),
        policy=_policy(_mapping(settings.get("policy")), positions),
        environment=environment,
        values=values,
        currency=currency,
    )


def find_project(path: Path | None) -> Path:
    """Return the absolute path of the project file; InvalidInput if there is none."""
    if path is not None:
        file = Path(path).absolute()
        file = file / PROJECT_FILE if file.is_dir() else file
        if not file.exists():
            raise _missing(f"{shown_path(file)} does not exist")
        return file
    found = nearest_project()
    if found is None:
        raise _missing(f"there is no {PROJECT_FILE} in this folder or above it")
    return found


def nearest_project() -> Path | None:
    """Return the project file of the current folder or of the nearest one above it; None if there is none."""
    here = Path.cwd()
    return next((folder / PROJECT_FILE for folder in (here, *here.parents) if (folder / PROJECT_FILE).is_file()), None)


def _missing(summary: str) -> InvalidInput:
    return InvalidInput(summary, [], hint="change to the folder of a project, or set --project FILE")


def _invalid(file: Path, problems: Sequence[Problem]) -> InvalidInput:
    message = f"the project file {shown_path(file)} has problems"
    return InvalidInput(message, sorted(set(problems), key=problem_order))


def _document(file: Path, root: Path) -> tuple[Document | None, list[Problem]]:
    """Load a file that must hold exactly one document. Places are relative to `root`, the folder of the project."""
    loaded = load_found(Found(project_name(file, root), file))
    problems = list(loaded.problems)
    if len(loaded.documents) > 1:
        second = loaded.documents[1].positions.locate(())
        summary = "the file has a second document; expected only one"
        problems.append(Problem(code="schema", summary=summary, where=second))
    if not loaded.documents and not problems:
        summary = f"{shown_path(file)} is empty; expected a mapping"
        problems.append(Problem(code="schema", summary=summary))
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
    from reconciler.money import currencies  # noqa: PLC0415 - 120 ms, needed only where a currency is set

    known = currencies()
    if currency in known:
        return []
    near = did_you_mean(currency, known)
    summary = f"currency {currency} is not a current ISO 4217 code; expected a code such as GBP{near}"
    return [Problem(code="currency", summary=summary, where=positions.locate(("currency",)))]


def _values(
    spec: Mapping[str, Any], over: Mapping[str, Any], document: Document, environment: str | None, root: Path
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
            file = root / Path(name).expanduser()
            where = document.positions.locate((*path, index))
            if not file.is_file():
                summary = f"values file {shown(name)} does not exist; expected a YAML file"
                problems.append(Problem(code="path-missing", summary=summary, where=where))
                continue
            if not is_below(os.path.realpath(file), within(name, root, root)):
                problems.append(leads_out(shown(name), where))
                continue
            content, wrong = _document(file, root)
            problems += wrong
            if content is not None and isinstance(content.data, dict):
                values = merged(values, content.data)
            elif content is not None:
                what = "a list" if isinstance(content.data, list) else "one value"
                summary = f"the values file contains {what}; expected a mapping"
                problems.append(Problem(code="schema", summary=summary, where=content.positions.locate(())))
    return values, problems


def _policy(stated: Mapping[str, Any], positions: LayeredPositions) -> Policy:
    return Policy(
        **stated,
        risks_at={code: positions.locate(("policy", "risks", code)) for code in _mapping(stated.get("risks"))},
        set_at={name: place for name in stated if (place := positions.set_at(("policy", name))) is not None},
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
