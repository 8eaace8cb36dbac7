"""Where each value of an object comes from: manifest, template, values file, environment, API default or live."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from desk import PROJECT

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/why.schema.json").read_text(encoding="utf-8"))
SETTINGS = """\
  values: [values/base.yaml]
  environments: {prod: {values: [values/prod.yaml]}}
  drift:
    ignore:
      - {address: "Session/*", field: price, reason: the front desk sets it}
      - {address: "Resource/*", field: email, reason: old, until: 2020-01-01}
"""
MANIFESTS = """\
apiVersion: reconciler/v1
kind: Session
metadata: {name: yoga, protect: true, annotations: {owner: front desk}}
spec:
  name: "Yoga ({{ environment }})"
  type: course
  group: Body
  repeat: custom
  price: "{{ values.sport.price }}"
  spaces: "{{ values.sport.places }}"
  slots:
    - {date: 2027-03-01, time: 11:00}
    - {date: 2027-03-08, time: 11:00, duration: 50}
---
apiVersion: reconciler/v1
kind: Resource
metadata: {name: hall}
spec: {name: Hall, address: {address1: 1 Road}}
---
apiVersion: reconciler/v1
kind: Block
metadata: {name: works}
spec: {resource: hall, start: 2027-03-01T09:00, end: 2027-03-01T10:00, timezone: Europe/London}
"""


@pytest.fixture
def town(desk):
    desk.project(PROJECT.format(url=desk.box.url) + SETTINGS)
    (desk.folder / "values").mkdir()
    (desk.folder / "values/base.yaml").write_text("sport:\n  price: 7.50\n  places: 9\n", encoding="utf-8")
    (desk.folder / "values/prod.yaml").write_text("sport:\n  price: 8.50\n", encoding="utf-8")
    desk.manifest("town.yaml", MANIFESTS)
    return desk


def why(desk, what, *more):
    found = desk.run("why", what, "--env", "prod", "--format", "json", *more, code=0).json
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    text = desk.run("why", what, "--env", "prod", *more, code=0).out
    assert all(item["path"] in text for item in found["fields"])
    return found, {item["path"]: item for item in found["fields"]}


def place(source):
    return f"{source['file']}:{source['line']}:{source['column']}"


def test_a_new_object_shows_templates_values_files_and_what_the_api_sets(town):
    found, fields = why(town, "Session/yoga")
    assert (found["standing"], found["next"]["action"], found["applied"]) == ("new", "create", None)
    price, spaces, name, time = (fields[path] for path in ("price", "spaces", "name", "time"))
    assert (price["origin"], price["value"], place(price["source"])) == ("template", "8.50", "manifests/town.yaml:9:10")
    ((setting,), (template,)) = price["templates"][0]["settings"], price["templates"]
    assert template["text"] == "{{ values.sport.price }}"
    assert (setting["name"], place(setting["source"]), setting["environment"]) == (
        "values.sport.price",
        "values/prod.yaml:2:10",
        True,
    )
    assert [place(each) for each in setting["overrides"]] == ["values/base.yaml:2:10"]
    assert place(spaces["templates"][0]["settings"][0]["source"]) == "values/base.yaml:3:11"
    assert spaces["templates"][0]["settings"][0]["environment"] is False
    assert name["templates"][0]["settings"][0] == {
        "name": "environment",
        "value": "prod",
        "source": None,
        "environment": False,
        "overrides": [],
    }
    assert (time["origin"], time["value"], time["rule"]) == ("api-default", None, "the time of the create")
    assert (fields["min_cancel"]["origin"], fields["min_cancel"]["value"]) == ("api-default", 5)
    concerns = [(item["setting"], item["name"], place(item["source"])) for item in found["concerns"]]
    assert concerns == [
        ("protect", None, "manifests/town.yaml:3:33"),
        ("annotation", "owner", "manifests/town.yaml:3:60"),
        ("drift-ignore", "price", "reconciler.yaml:22:9"),
    ]


def test_a_managed_object_shows_what_was_applied_what_is_live_and_what_depends_on_it(town):
    town.run("apply", "--yes", "--env", "prod", code=0)
    town.box.edit_session(123, price="9.00", group="Mind")
    found, fields = why(town, "Session/yoga")
    assert (found["standing"], found["remote_id"], found["next"]["action"]) == ("managed", "123", "update")
    assert found["applied"]["command"] == "apply"
    assert fields["group"]["sides"] == {"declared": "Body", "applied": "Body", "live": "Mind"}
    assert fields["group"]["pending"] is True
    assert fields["type"]["sides"] == {"declared": "course", "applied": "course"}
    assert fields["type"]["verifiable"] is False
    assert fields["price"]["ignored"] == {"reason": "the front desk sets it", "until": None}
    assert why(town, "Resource/hall")[0]["dependents"] == ["Block/works"]
    block, fields = why(town, "Block/works")
    assert block["depends_on"] == ["Resource/hall"]
    assert fields["resource"]["sides"] == dict.fromkeys(("declared", "applied", "live"), "Resource/hall")


@pytest.mark.parametrize(
    ("what", "paths", "values"),
    [
        ("Session/yoga.price", ["price"], ["8.50"]),
        ("Session/yoga.slots[1].time", ["slots[1].time"], ["11:00"]),
        ("Session/yoga.slots[2027-03-08 11:00].duration", ["slots[1].duration"], [50]),
        ("Session/yoga.description", ["description"], [None]),
        ("Resource/hall.address", ["address", "address.address1"], [{"address1": "1 Road"}, "1 Road"]),
    ],
)
def test_one_field_or_a_part_of_it_needs_neither_credentials_nor_the_server(town, what, paths, values):
    town.env = {name: value for name, value in town.env.items() if not name.startswith("BB_")}
    found, fields = why(town, what, "--offline")
    assert list(fields) == paths
    assert [item["value"] for item in fields.values()] == values
    assert found["next"] is None
    assert town.box.log() == []


def test_without_credentials_the_error_names_the_way_without_them(town):
    done = town.run("why", "Session/yoga", BB_PASSWORD="", code=1)
    assert "to leave out what is live: --offline" in done.err
    assert "did you mean Session/yoga?" in town.run("why", "Session/yogq", BB_PASSWORD="", code=64).err


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("Session/yogq", "did you mean Session/yoga?"),
        ("session/yoga", "did you mean Session/yoga?"),
        ("yoga", "yoga is neither declared nor managed"),
        ("", "an address looks like Session/spring-yoga"),
        ("Session/yoga.slots[ ]", "there are: 0, 1"),
        ("Session/yoga.slots[0", "a field looks like"),
        ("Session/yoga.[0]", "a field looks like"),
        ("Session/yoga.pric", "did you mean price?"),
        ("Resource/hall.address.adress1", "did you mean address1?"),
        ("Session/yoga.slots[7]", "there are: 0, 1"),
        (f"Session/yoga.slots[{'7' * 5000}]", "there are: 0, 1"),
        ("Session/yoga.price.pence", "it has no parts"),
    ],
)
def test_a_near_miss_is_named(town, what, said):
    assert said in town.run("why", what, "--env", "prod", "--offline", code=64).err


def test_objects_that_are_not_simply_managed_say_so(town):
    town.run("apply", "--yes", "--env", "prod", code=0)
    town.box.add_resource({"name": "Court 9"})
    released = "---\napiVersion: reconciler/v1\nkind: Removed\nmetadata: {name: old}\nspec: {forget: [Block/works]}\n"
    session, rest = MANIFESTS.split("---\n", 1)
    hall = rest.partition("---\n")[0].replace("name: hall", "name: room, moved_from: hall")
    town.manifest("town.yaml", hall + released)
    standing = {}
    for what in ("Session/yoga", "Block/works", "Resource/room", "Resource/hall", "Resource/court-9"):
        found, _ = why(town, what)
        standing[what] = (found["address"], found["standing"], [item["setting"] for item in found["concerns"]])
    assert standing == {
        "Session/yoga": ("Session/yoga", "undeclared", ["protect", "drift-ignore"]),
        "Block/works": ("Block/works", "released", ["removed"]),
        "Resource/room": ("Resource/room", "managed", ["moved-from", "drift-ignore"]),
        "Resource/hall": ("Resource/room", "managed", ["moved-from", "drift-ignore"]),
        "Resource/court-9": ("Resource/court-9", "unmanaged", []),
    }
    assert "reconciler adopt Resource/court-9" in town.run("why", "Resource/court-9", "--env", "prod", code=0).out
    assert session


def test_a_hostile_value_does_not_steer_the_terminal(town):
    town.run("apply", "--yes", "--env", "prod", code=0)
    town.box.edit_session(123, group="\x1b[31mred\u202e")
    done = town.run("why", "Session/yoga", "--env", "prod", code=0)
    assert "\x1b" not in done.out
    assert "\\x1b[31mred\\u202e" in done.out
