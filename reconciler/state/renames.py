"""New addresses in what other objects depend on."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.objects import Address
from reconciler.state.connection import Connection
from reconciler.state.rows import checked
from reconciler.state.schema import objects


def rename_dependencies(
    connection: Connection, moves: Mapping[Address, Address], scope: Mapping[str, str]
) -> tuple[Address, ...]:
    """Put the new addresses of `moves` (old: new) in place of the old ones; return the objects that depend on them.

    All objects are read once, however many moves there are.
    """
    names_of = {str(source): str(target) for source, target in moves.items()}
    renamed = []
    for row in map(checked, list(connection.select(objects, scope))):
        if not names_of.keys().isdisjoint(row["depends_on"]):
            one = {**scope, "kind": row["kind"], "name": row["name"]}
            connection.update(objects, one, {"depends_on": [names_of.get(item, item) for item in row["depends_on"]]})
            renamed.append(Address(row["kind"], row["name"]))
    return tuple(sorted(renamed, key=str))
