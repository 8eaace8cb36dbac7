"""Which connection an object belongs to, and what its references become."""

from __future__ import annotations

from pathlib import Path

import pytest
from manifest_fakes import KINDS, checked, kind, manifest_text

from reconciler.manifests.resolve import resolve
from reconciler.model.objects import Address, Ref, SourceRef
from reconciler.settings import Connection, Project


def project(**providers):
    connections = {
        name: Connection(
            name=name,
            provider=provider.removesuffix(" public"),
            base_url="https://x",
            where=SourceRef("p", 1),
            access="public" if provider.endswith(" public") else "admin",
        )
        for name, provider in providers.items()
    }
    return Project(name="p", file=Path("/p"), root=Path("/"), manifests=(), connections=connections)


ADMIN = "bookingbug-admin"
RESOURCE = manifest_text("Resource", "court-1", "{name: Court}")
BLOCK = manifest_text("Block", "b", "{resource: court-1, start: 2027-03-01T09:00Z, end: 2027-03-01T10:00Z}")


def test_references_become_addresses():
    manifests, problems = checked(RESOURCE, BLOCK)
    desired, wrong = resolve(manifests, project(admin=ADMIN), KINDS)
    assert not problems
    assert not wrong
    court = Address("Resource", "court-1")
    assert desired[1].depends_on == (court,)
    assert desired[1].fields["resource_id"] == Ref(court)
    assert "resource" not in desired[1].fields
    assert desired[1].connection == "admin"
    assert str(desired[1].source) == "f.yaml:6:1"


@pytest.mark.parametrize(
    ("metadata", "connections", "sentence"),
    [
        ({}, {"a": ADMIN, "b": ADMIN}, "3:18: Resource/court-1: metadata.connection is missing; expected one of a, b"),
        ({}, {"s": "bookingbug-sessions"}, "no connection of the project has provider bookingbug-admin"),
        ({"connection": "admn"}, {"admin": ADMIN}, '3:39: Resource/court-1: connection "admn" is not in the project'),
        ({"connection": "admn"}, {"admin": ADMIN}, 'did you mean "admin"?'),
        ({"connection": "s"}, {"s": "bookingbug-sessions", "a": ADMIN}, "needs bookingbug-admin; expected one of a"),
        ({}, {"a": f"{ADMIN} public"}, "public access, which only reads"),
    ],
)
def test_connection_problems(metadata, connections, sentence):
    manifests, _ = checked(manifest_text("Resource", "court-1", "{name: Court}", **metadata))
    desired, problems = resolve(manifests, project(**connections), KINDS)
    assert not desired
    assert len(problems) == 1
    assert sentence in str(problems[0])


def test_a_reference_stays_on_its_connection():
    manifests, _ = checked(
        manifest_text("Resource", "court-1", "{name: Court}", connection="a"),
        BLOCK.replace("{name: b}", "{name: b, connection: b}"),
    )
    desired, problems = resolve(manifests, project(a=ADMIN, b=ADMIN), KINDS)
    assert [str(item.address) for item in desired] == ["Resource/court-1"]
    assert 'on connection "a"; expected one on connection "b"' in str(problems[0])


def test_a_value_that_has_no_canonical_form_is_a_problem():
    def refuse(_):
        raise ValueError("name is not to be had")

    kinds = {**KINDS, "Resource": kind("Resource", ADMIN, "resource", canonical=refuse)}
    manifests, _ = checked(RESOURCE)
    desired, problems = resolve(manifests, project(admin=ADMIN), kinds)
    assert not desired
    assert str(problems[0]) == "f.yaml:4:7: Resource/court-1: name is not to be had"
