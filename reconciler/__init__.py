"""reconciler: config as code for booking businesses.

The public Python API, loaded on first use:

    with reconciler.ProjectSession(reconciler.open_project(path)) as session:
        planned = reconciler.plan(session, reconciler.declare(session.project))
        report = reconciler.apply(session, planned)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.operations.adopt import adopt, adopt_all
    from reconciler.operations.apply import Signals, apply
    from reconciler.operations.drift import drift
    from reconciler.operations.export import export
    from reconciler.operations.plan import Planned, plan, plan_again, unplanned, unreachable, verify
    from reconciler.operations.project import Declared, check, declare, open_project
    from reconciler.operations.session import ProjectSession

__version__ = "0.1.0"

_HOMES = {
    "Declared": "project",
    "Planned": "plan",
    "Signals": "apply",
    "adopt": "adopt",
    "adopt_all": "adopt",
    "apply": "apply",
    "check": "project",
    "declare": "project",
    "drift": "drift",
    "export": "export",
    "open_project": "project",
    "plan": "plan",
    "plan_again": "plan",
    "unplanned": "plan",
    "unreachable": "plan",
    "verify": "plan",
}
"""The module of `reconciler.operations` that holds each public name."""

__all__ = [
    "Declared",
    "Planned",
    "ProjectSession",
    "Signals",
    "__version__",
    "adopt",
    "adopt_all",
    "apply",
    "check",
    "declare",
    "drift",
    "export",
    "open_project",
    "plan",
    "plan_again",
    "unplanned",
    "unreachable",
    "verify",
]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562): `--help` and `--version` pay for none of them."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"reconciler.operations.{home}"), name)
    globals()[name] = value
    return value
