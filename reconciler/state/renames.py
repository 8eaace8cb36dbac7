"""New addresses in what other objects depend on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import ColumnElement, Connection, select, update

from reconciler.model.objects import Address
from reconciler.state.rows import checked
from reconciler.state.schema import objects


def rename_dependencies(
    connection: Connection, moves: Mapping[Address, Address], mine: Callable[..., ColumnElement[bool]]
) -> tuple[Address, ...]:
    """Put the new addresses of `moves` (old: new) in place of the old ones; return the objects that depend on them.

    All objects are read once, however many moves there are. `mine` selects those of this state.
    """
    names_of = {str(source): str(target) for source, target in moves.items()}
    renamed = []
    for row in map(checked, connection.execute(select(objects).where(mine(objects))).all()):
        if not names_of.keys().isdisjoint(row.depends_on):
            address = Address(row.kind, row.name)
            names = [names_of.get(item, item) for item in row.depends_on]
            connection.execute(update(objects).where(mine(objects, address)).values(depends_on=names))
            renamed.append(address)
    return tuple(sorted(renamed, key=str))
