"""`policy.windows` of a project file: when runs may write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.manifests.overlay import LayeredPositions
from reconciler.model.objects import Problem
from reconciler.windows import Window


def window_problems(policy: Mapping[str, Any], positions: LayeredPositions) -> list[Problem]:
    """Refuse windows of the right shape that cannot be. The schema refuses other shapes."""
    problems = []
    windows = policy.get("windows")
    for index, item in enumerate(windows if isinstance(windows, list) else ()):
        try:
            Window.parse(item if isinstance(item, Mapping) else {})
        except ValueError as error:
            where = positions.locate(("policy", "windows", index))
            problems.append(Problem(code="window", summary=f"policy.windows: {error}", where=where))
        except (KeyError, TypeError):
            continue  # its shape is wrong
    return problems


def build_windows(policy: Mapping[str, Any], positions: LayeredPositions) -> tuple[Window, ...]:
    """Return the windows that a policy without problems states."""
    stated = enumerate(policy.get("windows", ()))
    return tuple(Window.parse(item, positions.locate(("policy", "windows", index))) for index, item in stated)
