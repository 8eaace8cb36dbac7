"""`plan --compare`: this environment and another one, by declarations and states; no live system of it is read."""

from __future__ import annotations

import os
from collections.abc import Iterator

from msgspec.structs import replace

from reconciler.engine.environments import Side, compare_objects
from reconciler.engine.ledger import remembered
from reconciler.errors import InvalidInput
from reconciler.model.comparison import EnvironmentComparison, SettingPair
from reconciler.model.plan import Plan
from reconciler.operations.project import Declared, declare
from reconciler.operations.session import ProjectSession
from reconciler.settings import Policy, Project

_LIMITS = ("max_deletes", "max_change_percent", "booked_approval")


def compare_environment(session: ProjectSession, declared: Declared, plan: Plan, other: Project) -> Plan:
    """Return a plan with the comparison of its environment with another one of the same project.

    The other environment's state is read, and its manifests are checked; InvalidInput lists their problems. No
    credential of it is needed.
    """
    try:
        theirs = declare(other)
    except InvalidInput as error:
        message = f"the manifests have problems in environment {other.environment}"
        raise InvalidInput(message, error.problems) from None
    # Only the state is used: the variables and hosts of its connections need not be allowed here.
    with ProjectSession(replace(other, connections={})) as neighbour:
        there = Side.of(theirs.desired, remembered(neighbour.store))
    here = Side.of(declared.desired, remembered(session.store))
    only = None if plan.selection.everything else {change.address for change in plan.changes}
    compared = compare_objects(here, there, session.kinds, only)
    shown = tuple(item for item in compared if item.promotion != "promoted" or item.fields or item.declared != "both")
    comparison = EnvironmentComparison(
        environment=other.environment or "",
        settings=tuple(_settings(session.project, other)),
        objects=shown,
        promoted=sum(item.promotion == "promoted" for item in compared),
    )
    return replace(plan, comparison=comparison)


def _settings(here: Project, there: Project) -> Iterator[SettingPair]:
    for name in sorted(here.connections.keys() | there.connections.keys()):
        mine, other = here.connections.get(name), there.connections.get(name)
        if mine is None or other is None or mine.provider != other.provider:
            pair = [None if item is None else f"{item.provider} at {item.base_url}" for item in (mine, other)]
            yield SettingPair(name=f"connections.{name}", here=pair[0], there=pair[1], expected=False)
            continue
        for what, left, right in (
            ("base_url", mine.base_url, other.base_url),
            ("account", mine.settings.account, other.settings.account),
        ):
            if left != right:
                yield SettingPair(name=f"connections.{name}.{what}", here=left, there=right, expected=True)
    files = [_files(project) for project in (here, there)]
    if files[0] != files[1]:
        yield SettingPair(name="values", here=files[0], there=files[1], expected=True)
    if here.currency != there.currency:
        yield SettingPair(name="currency", here=here.currency, there=there.currency, expected=False)
    for name, left, right in _policies(here.policy, there.policy):
        if left != right:
            yield SettingPair(name=f"policy.{name}", here=left, there=right, expected=False)


def _files(project: Project) -> str | None:
    return ", ".join(os.path.relpath(file, project.root) for file in project.values_files) or None


def _policies(here: Policy, there: Policy) -> Iterator[tuple[str, str | None, str | None]]:
    for name in _LIMITS:
        yield name, _limit(here, name), _limit(there, name)
    for code in sorted(here.risks.keys() | there.risks.keys()):
        yield f"risks.{code}", here.risks.get(code), there.risks.get(code)
    yield "windows", _windows(here), _windows(there)


def _limit(policy: Policy, name: str) -> str:
    free = name == "max_change_percent" and policy.free_updates
    return f"{getattr(policy, name)}{f' above {policy.free_updates} updates' if free else ''}"


def _windows(policy: Policy) -> str | None:
    return "; ".join(map(str, policy.windows)) or None
