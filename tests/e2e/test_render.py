"""`render`: the final documents of a project, with their places, as YAML and JSON."""

from __future__ import annotations

import json
import random
import socket
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import yaml
from desk import PROJECT

import reconciler
from reconciler.manifests.load import load_text

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(
    path.parent.name for path in ROOT.glob("examples/*/reconciler.yaml") if path.parent.name != "provider-plugin"
)
SCHEMA = json.loads((ROOT / "schemas/render.schema.json").read_text(encoding="utf-8"))
SETTINGS = """\
  values: [values/base.yaml]
  environments: {prod: {values: [values/prod.yaml]}}
"""
BASE = """\
price: 7.50
places: 9
many: 1e2
title: Yoga
start: 09:05
day: 2027-03-01
braces: "{{ no template }}"
flag: true
slots: [{time: 11:00, date: 2027-03-01, duration: 60}]
"""
SEALS = {"digest", "manifest_digest"}


def session(name, spec, metadata=""):
    return (
        f"apiVersion: reconciler/v1\nkind: Session\nmetadata: {{name: {name}{metadata}}}\n"
        f"spec: {{name: Yoga, group: Body{spec}}}\n"
    )


def resource(name, spec="", metadata=""):
    return (
        f"apiVersion: reconciler/v1\nkind: Resource\nmetadata: {{name: {name}{metadata}}}\nspec: {{name: Hall{spec}}}\n"
    )


@pytest.fixture
def town(desk):
    """A project with values and an environment, without credentials."""
    desk.project(PROJECT.format(url=desk.box.url) + SETTINGS)
    (desk.folder / "values").mkdir()
    (desk.folder / "values/base.yaml").write_text(BASE, encoding="utf-8")
    (desk.folder / "values/prod.yaml").write_text("title: Hatha\nprice: 8.50\n", encoding="utf-8")
    desk.credentials = {name: desk.env.pop(name) for name in list(desk.env) if name.startswith("BB_")}
    return desk


def rendered(desk, *arguments):
    """Return the YAML and the JSON, which state the same; so does YAML to a reader of YAML 1.1, and `fmt` leaves it."""
    text = desk.run("render", *arguments, code=0).out
    found = desk.run("render", *arguments, "--format", "json", code=0).json
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    manifests = [each["manifest"] for each in found["documents"]]
    loaded = load_text(text, "rendered.yaml")
    assert not loaded.problems
    assert [each.data for each in loaded.documents] == manifests
    assert [*yaml.safe_load_all(text)] == json.loads(json.dumps(manifests).replace("100.0", '"1e2"'))
    (desk.folder / "rendered.yaml").write_text(text, encoding="utf-8")
    desk.run("fmt", "--check", "rendered.yaml", code=0)
    return text, found


JSON = '{"kind": "Resource", "apiVersion": "reconciler/v1", "metadata": {"name": "a"}, "spec": {"name": "caf\\u00e9"}}'
ALIAS = """\
apiVersion: reconciler/v1
kind: Resource
metadata: {name: c, labels: &x {a: b}, annotations: *x}
spec: {name: Hall, address: {postcode: '0123', address1: 1 Road}}
"""
BLOCK = """\
apiVersion: reconciler/v1
kind: Block
metadata: {name: works}
spec: {resource: kept, start: 2027-03-01T09:00, end: 2027-03-01T10:00, timezone: Europe/London}
"""
CASES = {
    "the order of keys, quotes and numbers": (
        """\
# A comment.
spec:
  slots:
    - {time: 11:00, date: 2027-03-01}
  repeat: custom
  price: 35.00
  spaces: 10
  name: No
  group: "{{ values.title }} ({{ environment }})"
  description: |
    two
    lines
metadata: {protect: false, labels: {z: "010", a: ~x, n: "yes"}, annotations: {since: 2027-03-01}, name: yoga}
kind: Session
apiVersion: reconciler/v1
""",
        """\
---
# manifests/a.yaml:2
apiVersion: reconciler/v1
kind: Session
metadata:
  name: yoga
  labels:
    z: '010'
    a: ~x
    'n': 'yes'
  annotations:
    since: '2027-03-01'
  protect: false
spec:
  name: 'No'
  group: Yoga (null)
  description: |
    two
    lines
  spaces: 10
  price: 35.00
  repeat: custom
  slots:
    - {date: '2027-03-01', time: '11:00'}
""",
    ),
    "values of templates with their types": (
        session(
            "yoga",
            ', spaces: "{{ values.places }}", price: "{{ values.price }}", disabled: "{{ values.flag }}",'
            ' start_date: "{{ values.day }}", time: "{{ values.start }}", duration: "{{ values.places * 5 }}",'
            ' description: "From {{ values.price }}", max_num_bookings: "{{ values.many }}"',
            ', connection: sessions, labels: {title: "{{ values.title }}"}',
        ),
        """\
---
# manifests/a.yaml:1
apiVersion: reconciler/v1
kind: Session
metadata:
  name: yoga
  connection: sessions
  labels:
    title: Yoga
spec:
  name: Yoga
  group: Body
  start_date: '2027-03-01'
  time: '09:05'
  duration: 45
  description: From 7.50
  spaces: 9
  price: 7.50
  max_num_bookings: 1e2
  disabled: true
""",
    ),
    "a list from a values file": (
        session("yoga", ', repeat: custom, slots: "{{ values.slots }}"'),
        """\
---
# manifests/a.yaml:1
apiVersion: reconciler/v1
kind: Session
metadata:
  name: yoga
spec:
  name: Yoga
  group: Body
  repeat: custom
  slots:
    - {date: '2027-03-01', time: '11:00', duration: 60}
""",
    ),
    "a text that looks like a template": (
        resource("hall", ', description: "{{ values.braces }}"'),
        """\
---
# manifests/a.yaml:1
apiVersion: reconciler/v1
kind: Resource
metadata:
  name: hall
spec:
  name: Hall
  description: '{{ "{{ no template }}" }}'
""",
    ),
    "several documents, an alias and JSON between them": (
        f"---\n---\n{resource('b')}---\n{JSON}\n---\n{ALIAS}",
        """\
---
# manifests/a.yaml:8
apiVersion: reconciler/v1
kind: Resource
metadata:
  name: a
spec:
  name: café
---
# manifests/a.yaml:3
apiVersion: reconciler/v1
kind: Resource
metadata:
  name: b
spec:
  name: Hall
---
# manifests/a.yaml:10
apiVersion: reconciler/v1
kind: Resource
metadata:
  name: c
  labels:
    a: b
  annotations:
    a: b
spec:
  name: Hall
  address:
    address1: 1 Road
    postcode: '0123'
""",
    ),
    "moved, forgotten and removed": (
        resource("new", metadata=", moved_from: [old, older]")
        + "---\n"
        + resource("gone", metadata=", forget: true")
        + "---\napiVersion: reconciler/v1\nkind: Removed\nmetadata: {name: cleanup}\nspec: {forget: [Resource/x]}\n",
        """\
---
# manifests/a.yaml:11
apiVersion: reconciler/v1
kind: Removed
metadata:
  name: cleanup
spec:
  forget:
    - Resource/x
---
# manifests/a.yaml:6
apiVersion: reconciler/v1
kind: Resource
metadata:
  name: gone
  forget: true
spec:
  name: Hall
---
# manifests/a.yaml:1
apiVersion: reconciler/v1
kind: Resource
metadata:
  name: new
  moved_from:
    - old
    - older
spec:
  name: Hall
""",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_documents_are_whole_manifests_in_canonical_form(town, case):
    manifest, expected = CASES[case]
    town.manifest("a.yaml", manifest)
    text, found = rendered(town)
    assert text == expected
    places = [f"# {each['source']['file']}:{each['source']['line']}" for each in found["documents"]]
    assert places == [line for line in text.splitlines() if line.startswith("# ")]


def test_an_environment_has_its_values(town):
    town.manifest(
        "a.yaml", session("yoga", ', price: "{{ values.price }}", description: "{{ environment }}, {{ values.title }}"')
    )
    text, found = rendered(town, "--env", "prod")
    assert "  description: prod, Hatha\n  price: 8.50\n" in text
    assert (found["project"], found["environment"]) == ("acme", "prod")
    text, found = rendered(town)
    assert "  description: null, Yoga\n  price: 7.50\n" in text
    assert (found["project"], found["environment"]) == ("acme", None)


def test_nothing_is_read_but_the_project_and_nothing_is_written(town, monkeypatch):
    town.manifest("a.yaml", resource("hall"))
    monkeypatch.setattr(socket, "socket", None)
    before = sorted(town.folder.rglob("*"))
    town.run("render", code=0)
    assert sorted(town.folder.rglob("*")) == before
    assert not town.box.log()


@pytest.mark.parametrize(
    ("arguments", "addresses"),
    [
        ([], ["Resource/court-1", "Resource/hall", "Session/yoga"]),
        (["--target", "Session/*"], ["Session/yoga"]),
        (["--target", "Session/yoga", "--target", "Resource/h*"], ["Resource/hall", "Session/yoga"]),
        (["--exclude", "*-1"], ["Resource/hall", "Session/yoga"]),
        (["--target", "Resource/*", "--exclude", "Resource/hall"], ["Resource/court-1"]),
        (["--target", "Resource/*", "--exclude", "Resource/*"], []),
    ],
)
def test_targets_and_excludes_select_documents(town, arguments, addresses):
    town.manifest("a.yaml", "---\n".join([session("yoga", ""), resource("hall"), resource("court-1")]))
    assert [each["address"] for each in rendered(town, *arguments)[1]["documents"]] == addresses


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "Session/yogq"], "did you mean Session/yoga?"),
        (["--exclude", "Block/*"], "--exclude Block/* matches no object"),
        (["--format", "text"], "'text' is not one of 'yaml', 'json'"),
        (["--output", "a.txt"], "expected .json, .yaml, .yml"),
        (["--output", "yaml"], "--format yaml"),
        (["manifests"], "unexpected extra argument"),
    ],
)
def test_a_wrong_command_line_is_wrong_usage(town, arguments, words):
    town.manifest("a.yaml", session("yoga", ""))
    done = town.run("render", *arguments, code=64)
    assert words in done.err
    assert not done.out


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_errors_are_all_printed_and_nothing_else_is(town, form):
    town.manifest("a.yaml", resource("hall") + "---\n" + resource("court", ", pric: 3"))
    town.manifest("b.yaml", "a: [\n")
    town.manifest("c.yaml", session("yoga", ', price: "{{ values.none }}"') + "---\n" + resource("hall"))
    town.manifest("d.yaml", resource("other", metadata=", connection: nowhere"))
    town.manifest("e.yaml", "")
    validated = town.run("validate", code=1)
    done = town.run("render", "--format", form, "--output", f"out.{form}", code=1)
    assert not done.out
    assert not (town.folder / f"out.{form}").exists()
    for place in ("a.yaml:9:20", "b.yaml:2:1", "c.yaml:4:41", "c.yaml:8:18", "d.yaml:3:"):
        assert f"manifests/{place}" in done.err
        assert f"manifests/{place}" in validated.out
    assert "error[RC0707]: the manifests have problems; nothing was rendered" in done.err


def test_a_broken_project_file_is_an_error(town):
    town.project("apiVersion: reconciler/v1\n")
    assert "reconciler.yaml:1:1" in town.run("render", code=1).err
    town.project(PROJECT.format(url=town.box.url))
    assert "unknown environment" in town.run("render", "--env", "none", code=1).err


def test_a_file_without_an_object_is_a_warning_on_stderr(town):
    town.manifest("a.yaml", resource("hall"))
    town.manifest("empty.yaml", "# later\n")
    done = town.run("render", code=0)
    assert "1 file contains no object: manifests/empty.yaml" in done.err
    assert "empty" not in done.out
    assert town.run("render", "-q", code=0).err == ""


def test_no_declared_objects(town):
    town.manifest("empty.yaml", "# later\n")
    done = town.run("render", code=0)
    assert not done.out
    assert "The manifests declare no objects.\n" in done.err
    assert rendered(town)[1]["documents"] == []
    assert town.run("render", "-q", code=0).err == ""


def test_the_ending_of_a_file_is_its_format(town):
    town.manifest("a.yaml", resource("hall"))
    text, found = rendered(town)
    outputs = ["--output", "a.yml", "--output", "b.YAML", "--output", "c.json", "--output", "-", "--output", "plain"]
    assert town.run("render", *outputs, code=0).out == text
    for name in ("a.yml", "b.YAML", "plain"):
        assert (town.folder / name).read_text(encoding="utf-8") == text
    assert json.loads((town.folder / "c.json").read_text(encoding="utf-8")) == found
    town.run("render", "--format", "json", "--output", "d.yaml", code=0)
    assert json.loads((town.folder / "d.yaml").read_text(encoding="utf-8")) == found


def test_known_secrets_are_masked(town):
    secret = town.credentials["BB_PASSWORD"] + "-of-the-desk"
    (town.folder / "values/base.yaml").write_text(f"secret: {secret}\n", encoding="utf-8")
    metadata = f', labels: {{code: "{{{{ values.secret }}}}"}}, annotations: {{file: {secret}}}'
    town.manifest("a.yaml", resource("hall", ', description: "a {{ values.secret }} b"', metadata))
    for form in ("yaml", "json"):
        done = town.run("render", "--format", form, "-v", BB_PASSWORD=secret, code=0)
        assert secret not in done.out + done.err
        assert done.out.count("********") == 3
        done = town.run("render", "--format", form, "--output", f"out.{form}", BB_PASSWORD=secret, code=0)
        assert (town.folder / f"out.{form}").read_text(encoding="utf-8").count("********") == 3


def test_a_final_value_that_no_manifest_can_state_is_an_error(town):
    (town.folder / "values/base.yaml").write_text(f"long: '{{{{{'x' * 9000}'\n", encoding="utf-8")
    town.manifest("a.yaml", resource("hall", ', description: "{{ values.long }}"'))
    done = town.run("render", code=1)
    assert "manifests/a.yaml:1:1: Resource/hall: a final value cannot be written: it contains {{" in done.err
    assert not done.out


def test_the_name_of_a_file_stays_on_its_line(town):
    town.manifest("a\nb##[group]\x1b[1m é.yaml", resource("hall"))
    text, found = rendered(town)
    assert text.splitlines()[1] == "# manifests/a\\nb#\\x23[group]\\x1b[1m é.yaml:1"
    assert found["documents"][0]["source"]["file"] == "manifests/a\nb##[group]\x1b[1m é.yaml"


def test_the_bytes_depend_neither_on_the_hash_seed_nor_on_the_order_of_files(town):
    names = [f"hall-{number}" for number in range(20)]
    random.Random(1).shuffle(names)
    for name in names:
        labels = ", ".join(f"{label}: x" for label in names[:9])
        town.manifest(f"{name}.yaml", resource(name, ', price: "{{ values.price }}"', f", labels: {{{labels}}}"))
    for form in ("yaml", "json"):
        seen = {town.process("render", "--format", form, code=0, PYTHONHASHSEED=seed).out for seed in ("0", "1", "2")}
        files = ", ".join(f"manifests/{name}.yaml" for name in names)
        town.project(PROJECT.format(url=town.box.url).replace("[manifests]", f"[{files}]") + SETTINGS)
        assert seen == {town.run("render", "--format", form, code=0).out}


TEXTS = [
    *("No", "010", "11:00", "1e3", "~", "null", "=", "<<", "-", "a: b", "a #b", "#c", " x ", "'", '"', "\\", "\tx"),
    *(
        "two\nlines",
        "\n",
        "end\n",
        "x\n\n",
        "café ☕",
        "e\u0301",
        "\u202etrick",
        "a\u200bb",
        "{{",
        "}}",
        "{% x %}",
        "0x1F",
    ),
    *(
        "2027-03-01",
        "1_000",
        "+1",
        ".5",
        "1.",
        ".inf",
        "Yes",
        "on",
        "!x",
        "&x",
        "*x",
        "@x",
        "`x",
        "%x",
        "---",
        "...",
        "?",
    ),
    *("::error::x", "##[error]x", "x" * 300, "[a]", "{a: b}", "a,b", "\u2028", "\x85", "👩\u200d👧", "<b>&amp;"),
]


def test_every_text_comes_back(town):
    for number, text in enumerate(TEXTS):
        labels = {"text": text, f"key {text}": "x"}
        document = {"apiVersion": "reconciler/v1", "kind": "Resource", "spec": {"name": "Hall"}}
        document["metadata"] = {"name": f"hall-{number:02}", "labels": labels if "{{" not in text else {"a": text}}
        escaped = json.dumps(document).replace('"a": "{{"', '"a": "{{ \\"{{\\" }}"')
        town.manifest(f"{number}.json", escaped)
    text, found = rendered(town)
    for number, expected in enumerate(TEXTS):
        labels = found["documents"][number]["manifest"]["metadata"]["labels"]
        assert labels == ({"text": expected, f"key {expected}": "x"} if "{{" not in expected else {"a": '{{ "{{" }}'})
    assert town.run("validate", "rendered.yaml", code=0)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_the_examples_declare_the_same_objects(desk, name, form):
    project = reconciler.open_project(ROOT / "examples" / name)
    declared = reconciler.check(project).desired
    done = desk.run("render", "--project", str(project.file), "--format", form, code=0)
    files = [("all.yaml", done.out)] if form == "yaml" else []
    for number, each in enumerate(done.json["documents"] if form == "json" else ()):
        files.append((f"{number}.json", json.dumps(each["manifest"])))
    written = [str(desk.manifest(*each)) for each in files]
    again = reconciler.check(project, written)
    assert not again.errors
    assert declared
    assert {
        address: replace(each, source=declared[address].source) for address, each in again.desired.items()
    } == declared


def without_places(plan):
    """Return a plan without what depends on the text of the manifests."""
    if isinstance(plan, list):
        return [without_places(item) for item in plan]
    if not isinstance(plan, dict):
        return plan
    kept = {key: without_places(item) for key, item in plan.items() if key not in {"source", "range"} | SEALS}
    return kept | {"problems": sorted(kept["problems"], key=json.dumps)} if "problems" in kept else kept


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_the_output_plans_as_the_manifests_do(town, form):
    town.env |= town.credentials
    halls = "---\n".join([resource("old"), resource("gone"), resource("x"), resource("kept"), resource("lost")])
    town.manifest(
        "a.yaml", halls + "---\n" + session("yoga", ', type: course, repeat: custom, slots: "{{ values.slots }}"')
    )
    town.run("apply", "--yes", "--env", "prod", code=0)
    town.manifest("b.yaml", f"{CASES['moved, forgotten and removed'][0].replace(', older', '')}---\n{BLOCK}")
    changed = session(
        "yoga",
        ', type: course, price: "{{ values.price }}", description: "{{ values.braces }}", repeat: custom,'
        ' slots: [{date: 2027-03-01, time: "{{ values.start }}"}]',
        ', protect: true, labels: {a: "010"}, annotations: {allow-booked-until: 2099-01-01}',
    )
    town.manifest("a.yaml", resource("kept", ", price: 35.00, disabled: true") + "---\n" + changed)
    plan = town.run("plan", "--env", "prod", "--format", "json", code=0).json
    assert {each["action"] for each in plan["changes"]} >= {"create", "update", "delete", "noop"}
    done = town.run("render", "--env", "prod", "--format", form, code=0)
    for file in (town.folder / "manifests").iterdir():
        file.unlink()
    if form == "yaml":
        town.manifest("all.yaml", done.out)
    for each in done.json["documents"] if form == "json" else ():
        town.manifest(f"{each['address'].replace('/', '-')}.json", json.dumps(each["manifest"]))
    again = town.run("plan", "--env", "prod", "--format", "json", code=0).json
    assert without_places(again) == without_places(plan)
    assert [each["manifest"] for each in rendered(town, "--env", "prod")[1]["documents"]] == (
        [each["manifest"] for each in done.json["documents"]]
        if form == "json"
        else [each.data for each in load_text(done.out, "").documents]
    )
