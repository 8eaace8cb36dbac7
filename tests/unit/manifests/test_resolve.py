"""Which connection an object belongs to, and what its references become."""

from __future__ import annotations

from pathlib import Path

import pytest
from manifest_fakes import KINDS, checked, kind, manifest_text
from msgspec.structs import replace

from reconciler.manifests.load import load_text
from reconciler.manifests.resolve import resolve
from reconciler.manifests.validate import validate
from reconciler.model.field import at_field
from reconciler.model.objects import Address, Manifest, Ref, SourceRef
from reconciler.providers.bookingbug_admin.settings import AdminSettings
from reconciler.registry import kinds
from reconciler.settings import Connection, Project


def project(**providers):
    connections = {
        name: Connection(
            name=name,
            provider=provider.removesuffix(" public"),
            base_url="https://x",
            where=SourceRef("p", 1),
            settings=AdminSettings(company_id=1, access="public" if provider.endswith(" public") else "admin"),
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
        ({}, {"a": f"{ADMIN} public"}, 'connection "a" only reads; expected a connection that can write'),
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


def test_a_reference_to_what_stands_beside_stays_on_its_connection_too():
    beside, _ = checked(manifest_text("Resource", "court-1", "{name: Court}", connection="a"))
    others, _ = checked(manifest_text("Resource", "odd", "{name: Odd}", connection="none"))
    (_, block), _ = checked(RESOURCE, BLOCK.replace("{name: b}", "{name: b, connection: b}"))
    desired, problems = resolve([block], project(a=ADMIN, b=ADMIN), KINDS, beside=[*beside, *others])
    assert not desired
    assert len(problems) == 1
    assert 'on connection "a"; expected one on connection "b"' in str(problems[0])


def test_a_value_that_has_no_canonical_form_is_a_problem():
    def refuse(_):
        raise ValueError("name is not to be had")

    kinds = {**KINDS, "Resource": kind("Resource", ADMIN, "resource", canonical=refuse)}
    manifests, _ = checked(RESOURCE)
    desired, problems = resolve(manifests, project(admin=ADMIN), kinds)
    assert not desired
    assert str(problems[0]) == "f.yaml:4:7: Resource/court-1: name is not to be had"


def strict(spec):
    """A kind's canonical form in which `start` cannot be read without `timezone`, as in a Block."""
    for name, value in spec.items():
        with at_field(name):
            if value == "bad":
                raise ValueError(f"{value!r} cannot be used")
            if name == "start" and "timezone" not in spec:
                raise ValueError("there is no timezone")
    return spec


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ("{name: Court, description: bad}", "f.yaml:4:34: Resource/court-1: description: 'bad' cannot be used"),
        ("{timezone: x, start: bad}", "f.yaml:4:28: Resource/court-1: start: 'bad' cannot be used"),
        ("{timezone: bad, start: x}", "f.yaml:4:18: Resource/court-1: timezone: 'bad' cannot be used"),
        ("{start: x}", "f.yaml:4:15: Resource/court-1: start: there is no timezone"),
        ("{name: bad, start: x}", "f.yaml:4:14: Resource/court-1: name: 'bad' cannot be used"),
        ("{name: bad, email: bad}", "f.yaml:4:14: Resource/court-1: name: 'bad' cannot be used"),
    ],
)
def test_a_value_that_has_no_canonical_form_is_found_by_its_field(spec, place):
    kinds = {"Resource": kind("Resource", ADMIN, "resource", canonical=strict)}
    document = load_text(manifest_text("Resource", "court-1", spec), "f.yaml").documents[0]
    manifest = Manifest(
        address=Address("Resource", "court-1"), spec=document.data["spec"], positions=document.positions
    )
    desired, problems = resolve([manifest], project(admin=ADMIN), kinds)
    assert not desired
    assert [str(problem) for problem in problems] == [place]


TWIN = manifest_text("Resource", "court-2", "{name: Court, api_ref: r1}", connection="b")
FIRST = manifest_text("Resource", "court-1", "{name: Court, api_ref: r1}", connection="a")


def twins(first, second, *, beside=False, company=1):
    chosen = project(a=ADMIN, b=ADMIN)
    other = replace(chosen.connections["b"], settings=AdminSettings(company_id=company, access="admin"))
    chosen = replace(chosen, connections={**chosen.connections, "b": other})
    manifests, problems = validate(load_text(first + "---\n" + second, "f.yaml").documents, kinds())
    assert not problems
    known, asked = (manifests[:1], manifests[1:]) if beside else ([], manifests)
    return [(problem.code, str(problem)) for problem in resolve(asked, chosen, kinds(), beside=known)[1]]


@pytest.mark.parametrize("beside", [False, True])
def test_one_reference_in_one_system_is_declared_once(beside):
    ((code, words),) = twins(FIRST, TWIN, beside=beside)
    assert code == "declared-twice"
    assert words.startswith("f.yaml:9:30: Resource/court-2: api_ref 'r1' is also that of Resource/court-1 (f.yaml:1:1)")
    assert twins(FIRST, TWIN, beside=beside, company=2) == []


def test_one_natural_key_in_one_system_is_a_warning():
    plain = (text.replace(", api_ref: r1", "") for text in (FIRST, TWIN))
    assert [code for code, _ in twins(*plain)] == ["same-natural-key"]
    assert twins(FIRST, TWIN.replace("r1", "r2")) == []


def test_what_is_no_longer_managed_takes_no_natural_key():
    gone = manifest_text("Resource", "court-1", "{name: Court, api_ref: r1}", connection="a", forget="true")
    assert twins(gone, TWIN) == []


def test_manifests_that_name_two_live_objects_by_id_are_two():
    def with_id(text, number):
        return text.replace("}\nspec", f", annotations: {{adopt-id: '{number}'}}}}\nspec")

    assert twins(with_id(FIRST, 1), with_id(TWIN, 2)) == []
    assert [code for code, _ in twins(with_id(FIRST, 1), with_id(TWIN, 1))] == ["declared-twice"]
    assert [code for code, _ in twins(with_id(FIRST, 1), TWIN)] == ["declared-twice"]
