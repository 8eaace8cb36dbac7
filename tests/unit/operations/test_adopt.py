"""Recording many adopted objects: a run that ends halfway renames no more than one transaction of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from types import SimpleNamespace

import pytest

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
