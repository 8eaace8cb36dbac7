"""An update leaves alone what the manifest does not state, whether the server keeps or resets what a PUT leaves out."""

from __future__ import annotations

import pytest

THEIRS = {
    "name": "Court",
    "description": "Indoors",
    "email": "court@example.com",
    "never_booked": True,
    "count": 3,
    "max_book": 2,
    "price": 12,
    "api_ref": "court-1",
    "extra": {"key": "cupboard 3"},
    "service_ids": [4, 5],
    "person_ids": [6],
    "address": {"address1": "1 Sports Road"},
}


@pytest.mark.parametrize("put", ["partial", "replace"])
@pytest.mark.parametrize(
    "stated", [{"name": "Hall"}, {"name": "Court", "email": "new@example.com"}, {"name": "Court", "count": 9}]
)
def test_an_update_resets_no_field_that_the_manifest_does_not_state(desk, put, stated):
    desk.box.set_options(resource_put=put, resource_fields="all")
    number = desk.box.add_resource(THEIRS)
    desk.declare("Resource", "court", stated)
    desk.run("adopt", "Resource/court", str(number), code=0)
    (before,) = desk.box.resources()
    desk.run("apply", "--yes", code=0)
    (after,) = desk.box.resources()
    assert after == {**before, **stated}
    desk.settled()
