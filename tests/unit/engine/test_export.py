"""The addresses that an export gives to live objects."""

from engine_fakes import KINDS

from reconciler.engine.export import Surroundings, addressed
from reconciler.engine.snapshot import Snapshot
from reconciler.model.objects import Live, Reading

BLOCK = {"resource_id": "7", "start": "2027-03-01T09:00:00Z", "end": "2027-03-01T10:00:00Z"}


def names(targets, readings):
    places = {
        place: Reading(live={key: Live(remote_id=key, fields=fields) for key, fields in lives.items()})
        for place, lives in readings.items()
    }
    around = Surroundings(
        kinds=KINDS,
        targets=targets,
        snapshot=Snapshot(readings=places),
        records={},
        desired={},
        window=("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
    )
    return {place: sorted(map(str, found)) for place, found in addressed(around).lives.items()}


def test_a_block_is_named_after_its_resource_and_no_other_object_with_the_same_id():
    readings = {("a", "Resource"): {"7": {"name": "Hall"}}, ("a", "Block"): {"1": BLOCK}}
    others = {("b", "Resource"): {"7": {"name": "Pool"}}, ("s", "Session"): {"7": {"name": "Yoga", "group": "Classes"}}}
    elsewhere = {"a": "https://a", "b": "https://b", "s": "https://s"}
    assert names(elsewhere, readings | others)["a", "Block"] == ["Block/hall-2027-03-01-0900"]
    del readings["a", "Resource"]
    assert names(elsewhere, readings | others)["a", "Block"] == ["Block/resource-7-2027-03-01-0900"]
    together = {**elsewhere, "a": "https://b"}
    assert names(together, readings | others)["a", "Block"] == ["Block/pool-2027-03-01-0900"]
