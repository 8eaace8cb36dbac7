"""Recording adopted objects, and what was there beside them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from types import SimpleNamespace

import pytest
from engine_fakes import CONNECTIONS, Office, resource, session

import reconciler
from reconciler.model.objects import Address, Record
from reconciler.operations import adopt
from reconciler.state.store import Store


def record(name: str, remote_id: str) -> Record:
    return Record(address=Address("Session", name), connection="c", target="t", remote_id=remote_id, fields={})


class Full(Store):
    """A state that takes the records of two transactions."""

    taken = 0

    def adopt(self, found: Sequence[Record]) -> None:
        self.taken += 1
        if self.taken > 2:
            raise KeyboardInterrupt
        super().adopt(found)


def test_a_run_that_ends_halfway_has_renamed_only_what_it_was_about_to_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adopt, "_TOGETHER", 2)
    news = [record(f"new{number}", f"1{number}") for number in range(8)]
    olds = {item.address: Address("Session", f"old{number}") for number, item in enumerate(news)}
    olds[news[0].address] = news[0].address  # one that keeps its address
    with closing(Full("sqlite://", project="acme")) as store:
        for number, old in enumerate(olds.values()):
            store.save(record(old.name, f"{number}"))
        with pytest.raises(KeyboardInterrupt):
            adopt._keep(SimpleNamespace(store=store), news, olds)  # type: ignore[arg-type]
        found = {address.name: item.remote_id for address, item in store.records().items()}
    assert found == {
        **{f"new{number}": f"1{number}" for number in range(4)},
        **{f"new{number}": f"{number}" for number in (4, 5)},
        **{f"old{number}": f"{number}" for number in (6, 7)},
    }


def test_an_object_with_the_id_of_an_adopted_one_of_another_kind_was_there_before() -> None:
    office, yoga = Office(), session("yoga")
    office.remote.put("Session", yoga.fields, "7")
    office.remote.put("Resource", resource("hall").fields, "7")
    office.remote.put("Resource", resource("court").fields, "8")
    declared = {item.address: item for item in (yoga, resource("court"))}
    adopted = reconciler.adopt_all(
        office,  # type: ignore[arg-type]
        reconciler.Declared(desired=declared, problems=(), files=1, documents=1),
    )
    assert {record.remote_id for record in adopted.records} == {"7", "8"}
    assert office.store.seen() == {
        (CONNECTIONS["sessions"].target, "Session"): frozenset(),
        (CONNECTIONS["admin"].target, "Resource"): {"7"},
    }
