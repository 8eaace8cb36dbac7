import pytest

from reconciler.sandbox.faults import Fault, FaultList


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "explode"}, "fault kind must be one of latency"),
        ({"kind": "huge", "size": 1 << 40}, "size must be"),
        ({"kind": "latency", "seconds": -1}, "must not be negative"),
        ({"kind": "latency", "match_path": "("}, "is not a regular expression"),
        ({"kind": "latency", "colour": 1}, "not a fault"),
        ({}, "not a fault"),
    ],
)
def test_invalid_faults_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        Fault.from_json(changes)


def test_fault_does_not_fire_for_other_requests():
    faults = FaultList()
    faults.add(Fault(kind="drop_before", match_method="PUT", match_path="^/api/slots/"))
    assert faults.take("GET", "/api/slots/1.xml") == []
    assert faults.take("PUT", "/api/sessions/1.xml") == []
    assert [fault.kind for fault in faults.take("PUT", "/api/slots/1.xml")] == ["drop_before"]
    assert faults.take("PUT", "/api/slots/1.xml") == []


def test_faults_fire_in_the_order_in_which_they_were_added():
    faults = FaultList()
    faults.add(Fault(kind="status_before", status=500))
    faults.add(Fault(kind="status_before", status=503))
    assert [faults.take("GET", "/")[0].status for _ in range(2)] == [500, 503]
