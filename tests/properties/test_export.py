"""Writing a live object and loading it again changes nothing: whatever a live system holds, in any script."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.session.fields import REPEATS, TICKET_TYPES, TYPES
from reconciler.manifests.load import load_text
from reconciler.manifests.template import render
from reconciler.manifests.validate import validate
from reconciler.manifests.write import write
from reconciler.model.draft import Draft
from reconciler.model.objects import Address, Live, Ref
from reconciler.registry import kinds

ANY = st.text(st.characters(), max_size=60)
"""Any text that a JSON answer can hold, lone surrogates too."""

SAFE = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=50)
DAYS = st.dates().map(str)
TIMES = st.times().map(lambda value: f"{value:%H:%M}")
WHOLE = st.integers(-1, 10**7)
MONEY = st.decimals(-1, 10**7, places=2).map(str)
SLOTS = st.lists(
    st.fixed_dictionaries(
        {"id": st.integers(1, 99).map(str), "date": DAYS},
        optional={"time": TIMES, "duration": st.integers(1, 500), "spaces_booked": WHOLE},
    ),
    max_size=4,
)
SESSION = st.fixed_dictionaries(
    {},
    optional={
        "name": ANY,
        "type": st.sampled_from(TYPES),
        "group": ANY,
        "start_date": DAYS,
        "end_date": DAYS,
        "time": TIMES,
        "duration": WHOLE,
        "description": ANY,
        "spaces": WHOLE,
        "price": MONEY,
        "max_num_bookings": WHOLE,
        "repeat": st.sampled_from(REPEATS),
        "disabled": st.booleans(),
        "min_cancel": WHOLE,
        "max_advance": WHOLE,
        "ask_address": st.booleans(),
        "ticket_type": st.sampled_from(TICKET_TYPES),
        "slots": SLOTS,
    },
)
RESOURCE = st.fixed_dictionaries(
    {"name": ANY},
    optional={
        "description": ANY,
        "email": ANY,
        "disabled": st.booleans(),
        "price": MONEY,
        "position": WHOLE,
        "count": WHOLE,
        "api_ref": ANY,
        "address_id": st.integers(1, 99).map(str),
        "address": st.dictionaries(st.sampled_from(["address1", "address5", "postcode", "country"]), ANY),
    },
)
BLOCK = st.fixed_dictionaries(
    {
        "resource_id": st.integers(1, 99).map(str) | st.just(Ref(Address("Resource", "hall"))),
        "start": st.datetimes().map(lambda value: f"{value:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0")),
        "end": st.datetimes().map(lambda value: f"{value:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0")),
    }
)
HALL = "---\napiVersion: reconciler/v1\nkind: Resource\nmetadata: {name: hall}\nspec: {name: Hall}\n"


def loaded(text):
    """Return the manifests of a text that must have no problem at all."""
    found = load_text(text, "made.yaml")
    documents, problems = [], list(found.problems)
    for document in found.documents:
        rendered, wrong = render(document, {}) if document.templated else (document, [])
        documents.append(rendered)
        problems += wrong
    manifests, wrong = validate(documents, kinds())
    assert [problem for problem in (*problems, *wrong) if problem.severity == "error"] == []
    return manifests


def stated(kind, draft, written):
    """Return what a manifest should say of a draft, canonical."""
    spec = {name: value for name, value in draft.fields.items() if name in written.stated}
    return kind.canonical({name: value for name, value in spec.items() if not isinstance(value, Ref)})


@pytest.mark.parametrize(
    ("name", "fields"),
    [("Session", SESSION), ("Resource", RESOURCE), ("Block", BLOCK)],
    ids=["Session", "Resource", "Block"],
)
@given(data=st.data())
def test_what_is_written_is_what_is_loaded(name, fields, data):
    kind = kinds()[name]
    live = data.draw(fields)
    said = kind.statement(live, {})
    draft = Draft(
        address=Address(name, "made"),
        fields=said.fields,
        live=Live(remote_id="7", fields=live),
        answered=frozenset(live),
        left_out=said.left_out,
        annotations=data.draw(st.sampled_from([{}, {"adopt-id": "7"}])),
    )
    written = write(draft, kind)
    if not written.complete:
        assert all(line.startswith("#") for line in written.text.splitlines())
        assert written.problems
        return
    (manifest,) = [item for item in loaded(written.text + HALL) if item.address == draft.address]
    references = {reference.spec_field for reference in kind.references}
    own = {key: value for key, value in manifest.spec.items() if key not in references}
    assert kind.canonical(own) == stated(kind, draft, written)
    assert manifest.annotations == draft.annotations
    # Nothing is dropped in silence: it is stated, or a warning or the statement itself says why not.
    told = " ".join(problem.summary for problem in written.problems)
    refused = {field for field in draft.fields if field not in written.stated}
    assert all(f"{field} is not exported" in told for field in refused)
    plain = yaml.safe_load(written.text)
    assert plain["spec"].keys() == manifest.spec.keys()


@given(SAFE.filter(lambda text: kinds()["Session"].unwritable.search(text) is None))
def test_a_name_of_any_characters_is_kept_to_the_byte(name):
    kind = kinds()["Session"]
    live = {"name": name, "group": name}
    draft = Draft(address=Address("Session", "made"), fields=live, live=Live(remote_id="7", fields=live))
    (manifest,) = loaded(write(draft, kind).text)
    assert manifest.spec["name"].encode() == name.encode()
