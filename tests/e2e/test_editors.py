"""What a person sees in an editor: the real YAML language server, with the files that `init` writes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from desk import run_in
from yaml_server import YamlServer, server_file

from reconciler.manifests.load import load_text
from reconciler.schema import acceptance

ROOT = Path(__file__).resolve().parents[2]
ALL = ("--connection", "bookingbug-sessions", "--connection", "bookingbug-admin", "--connection", "checkfront")


def manifest(kind, spec, metadata="{name: x}"):
    return f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {metadata}\nspec:\n{spec}"


SESSION = manifest("Session", "  group: Classes\n")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("editors").resolve()
    assert run_in(folder, dict(os.environ), "init", ".", *ALL).code == 0
    return folder


@pytest.fixture(scope="module")
def editor(project):
    settings = json.loads((project / ".vscode/settings.json").read_text(encoding="utf-8"))
    (project / "shipped.json").write_bytes((ROOT / "schemas" / "resource.schema.json").read_bytes())
    assert run_in(project, dict(os.environ), "schema", "Resource", "--output", "one.json").code == 0
    single = {"./shipped.json": ["shipped/*.yaml"], "./one.json": ["one/*.yaml"]}
    server = YamlServer(project, settings["yaml.schemas"] | single)
    yield server
    server.stop()


KINDS = {"session": "Session", "resource": "Resource", "block": "Block", "booking_session": "BookingSession"}


def right_files():
    """Yield a path in a project and the text of each file of the examples, and of the manifests of the test cases."""
    for path in sorted((ROOT / "examples").rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if "provider-plugin" in path.parts:  # its kind is not installed
            continue
        if "\nkind: Project" in text:
            yield f"examples/{path.parent.name}/reconciler.yaml", text
        elif "\nkind: " in text:
            yield f"manifests/{path.name}", text
    for folder, kind in KINDS.items():
        specs = map(spec_of, sorted((ROOT / "tests" / "cases" / folder).glob("*.yaml")))
        texts = [manifest(kind, spec) for spec in specs if spec]
        # Some cases state only a part of a manifest.
        right = [text for text in texts if acceptance(folder)(load_text(text, "").documents[0].data["spec"])]
        yield f"manifests/{folder}.yaml", "---\n".join(right)


def spec_of(case):
    """Return the text of the spec in the manifest of a test case, which must not be quoted in another way."""
    text = case.read_text(encoding="utf-8")
    node = yaml.compose(text, Loader=yaml.BaseLoader)
    for name in ("manifest", "spec"):
        node = next((value for key, value in getattr(node, "value", ()) if key.value == name), None)
    return node and f"{' ' * node.start_mark.column}{text[node.start_mark.index : node.end_mark.index].rstrip()}\n"


def test_nothing_is_marked_in_a_new_project(editor, project):
    files = [project / "reconciler.yaml", *sorted((project / "manifests").glob("*.yaml"))]
    assert len(files) == 4
    for file in files:
        assert editor.diagnostics(str(file.relative_to(project)), file.read_text(encoding="utf-8")) == []


def test_nothing_is_marked_in_any_right_file(editor):
    files = list(right_files())
    assert len(files) > 20
    marked = {path: editor.diagnostics(path, text) for path, text in files}
    assert {path: found for path, found in marked.items() if found} == {}


def test_the_schema_of_one_kind_fits_a_whole_manifest_unlike_the_shipped_one_of_its_spec(editor):
    right = manifest("Resource", "  name: Studio\n")
    assert len(editor.diagnostics("shipped/studio.yaml", right)) == 5
    assert editor.diagnostics("one/studio.yaml", right) == []
    assert editor.diagnostics("one/studio.yaml", SESSION)[0] == (2, 'Value must be "Resource".')
    assert "never_booked" in editor.completion("one/studio.yaml", right + "  ¦")
    assert "never_booked" not in editor.completion("shipped/studio.yaml", right + "  ¦")


TEMPLATED = manifest(
    "Session",
    """\
  group: No
  name: "{{ values.a_name_that_is_longer_than_the_fifty_characters_of_a_name }}"
  type: "{{ values.type }}"
  repeat: "{{ values.repeat }}"
  duration: "{{ 60 * 2 }}"
  disabled: "{{ values.off }}"
  price: "{{ values.price }}"
  start_date: "{{ values.day }}"
  time: "{{ values.hour }}:30"
  slots: [{date: 2027-03-01, time: 11:00, duration: "{{ values.length }}"}, "{{ values.slot }}"]
""",
    """{name: "yoga-{{ values.town }}", labels: {town: "{{ values.town }}"}, protect: "{{ values.keep }}"}""",
)

LISTS = manifest("Session", """  group: x\n  slots: "{{ values.slots }}"\n  repeat: custom\n""")


@pytest.mark.parametrize("text", [TEMPLATED, LISTS, TEMPLATED + "---\n" + LISTS], ids=("values", "list", "both"))
def test_a_template_can_take_the_place_of_every_value(editor, text):
    assert editor.diagnostics("manifests/t.yaml", text) == []


VALUES = 'Value is not accepted. Valid values: "event", "course", "recurring_event", 0, 1, 2.'
WRONG = {
    "session": (
        manifest(
            "Session",
            "  gruop: Classes\n  type: weekly\n  duration: sixty\n  spaces: -1\n  disabled: yes\n  time: 25:00\n"
            "  price: [3]\n  start_date: 1 March\n  min_cancel:\n  name: " + "x" * 51 + "\n",
        ),
        [
            (4, 'Missing property "group".'),
            (5, "Property gruop is not allowed."),
            (6, VALUES),
            (7, "expected a whole number from 1 to 999999999"),
            (8, "Value is below the minimum of 0."),
            (9, "expected true or false"),
            (10, "expected a time of day as HH:MM, such as 09:30"),
            (11, "expected an amount from 0 to 999999.99 with at most two decimals, such as 35 or 35.00"),
            (12, "expected a calendar date as YYYY-MM-DD, such as 2027-03-01"),
            (13, "expected a whole number from 0 to 999999999"),
            (14, "expected text of 1 to 50 characters"),
        ],
    ),
    "slots": (
        manifest("Session", "  group: x\n  repeat: weekly\n  slots:\n    - {date: 2027-03-01, tiem: 10:00}\n"),
        [
            (6, 'Value is not accepted. Valid values: "custom", 6.'),
            (8, 'Missing property "time".'),
            (8, "Property tiem is not allowed."),
        ],
    ),
    "envelope": (
        "apiVersion: reconciler/v2\nkind: Sesion\nmetadata: {nmae: X}\nspec: {}\nfoo: 1\n",
        [
            (1, 'Value must be "reconciler/v1".'),
            (
                2,
                'Value is not accepted. Valid values: "Block", "BookingSession", "Resource", "Session", "Removed".',
            ),
            (3, 'Missing property "name".'),
            (3, "Property nmae is not allowed."),
            (5, "Property foo is not allowed."),
        ],
    ),
    "block": (
        manifest("Block", "  start: 2027-01-01T10:00\n  end: noon\n  resource: a\n  resource_id: 2\n"),
        [
            (4, 'Missing property "timezone".'),
            (6, "expected a date-time such as 2027-03-01T09:00, or with an offset 2027-03-01T09:00:00+01:00"),
            (7, "Property resource is not allowed."),
        ],
    ),
    "every document": (
        f"{SESSION}---\n{manifest('Resource', '  name: 2027')}\n---\n{manifest('Removed', '  forget: [yoga]')}\n",
        [(11, "expected the resource's name"), (17, "expected an address such as Session/spring-yoga")],
    ),
    "booking session": (
        manifest(
            "BookingSession", "  on_expiry: keep\n  items: [{key: a, slip: b, item_id: 7, options: {'31': on}}]\n"
        ),
        [
            (5, 'Value is not accepted. Valid values: "report", "recreate", "forget".'),
            (6, "Property slip is not allowed."),
            (6, 'Value is not accepted. Valid values: "in", "out".'),
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG)
def test_every_wrong_value_is_marked_where_it_is(editor, text, expected):
    assert editor.diagnostics("manifests/wrong.yaml", text) == expected


COMPLETED = {
    "a new document": ("¦", ["new Block", "new Session", "apiVersion", "kind", "metadata", "spec"]),
    "kinds": ("kind: ¦", ["Block", "BookingSession", "Resource", "Session", "Removed"]),
    "fields": (SESSION + "  ¦", ["name", "type", "start_date", "ticket_type", "slots"]),
    "words before numbers": (SESSION + "  type: ¦", ["event", "course", "recurring_event", "0", "1", "2"]),
    "booleans": (SESSION + "  disabled: ¦", ["false", "true"]),
    "slots": (SESSION + "  repeat: custom\n  slots:\n    - ¦", ["date", "time", "duration"]),
    "a second document": (
        SESSION + "---\n" + manifest("Block", "  end: 2027-03-01T10:00\n  ¦"),
        ["resource", "start", "timezone"],
    ),
    "held bookings": (manifest("BookingSession", "  on_expiry: ¦"), ["report", "recreate", "forget"]),
    "metadata": (
        manifest("Resource", "  name: x\n", "\n  name: x\n  ¦"),
        ["labels", "protect", "moved_from", "forget"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), COMPLETED.values(), ids=COMPLETED)
def test_fields_and_values_are_offered_for_completion(editor, text, expected):
    offered = editor.completion("manifests/new.yaml", text)
    assert [label for label in offered if label in expected] == expected
    if "new Session" in expected:
        text = offered["new Session"]["insertText"]
        assert text == (
            "apiVersion: reconciler/v1\nkind: Session\nmetadata:\n  name: ${1:name}\nspec:\n  group: ${2:Wellness}"
        )


HOVERED = {
    "a field": ("  gro¦up: x\n", "#### Group", "in which the booking widget lists the session"),
    "code in its description": ("  group: x\n  slo¦ts: []\n", "#### Slots", "Required if `repeat` is custom"),
    "an enumeration": ("  group: x\n  rep¦eat: weekly\n", "#### Repeat", "* `fortnightly`"),
    "a field of a list": ("  group: x\n  slots: [{da¦te: 2027-03-01}]\n", "#### Date", "as YYYY-MM-DD"),
}


@pytest.mark.parametrize(("spec", "title", "words"), HOVERED.values(), ids=HOVERED)
def test_a_field_is_documented_under_the_mouse(editor, spec, title, words):
    for text in (manifest("Session", spec), SESSION + "---\n" + manifest("Session", spec)):
        said = editor.hover("manifests/hover.yaml", text)
        assert said.startswith(title), said
        assert words in said


def test_the_project_file_is_checked_completed_and_documented(editor, project):
    right = (project / "reconciler.yaml").read_text(encoding="utf-8")
    wrong = right.replace("max_deletes: 10", "max_deletes: ten").replace("env: BB_PASSWORD", "enw: BB_PASSWORD")
    assert [words for _, words in editor.diagnostics("reconciler.yaml", wrong)] == [
        "Property enw is not allowed.",
        "expected a whole number from 0 to 999999999",
    ]
    offered = editor.completion("reconciler.yaml", right.partition("  policy:")[0] + "  policy:\n    ¦")
    assert {"max_deletes", "max_change_percent", "windows", "risks"} <= offered.keys()
    assert editor.hover("reconciler.yaml", right.replace("max_del", "max_¦del", 1)).startswith("#### Deletions\n")
    assert editor.hover("reconciler.yaml", right.replace("username", "user¦name", 1)).startswith("#### User name\n")


AJV = """
const [, , modules, ...files] = process.argv
const Ajv = require(modules + "/ajv").default
for (const file of files) {
  const ajv = new Ajv({ strictTypes: false, strictTuples: false, allowMatchingProperties: true })
  for (const word of ["defaultSnippets", "markdownDescription", "errorMessage", "patternErrorMessage"])
    ajv.addKeyword(word)
  ajv.compile(JSON.parse(require("fs").readFileSync(file, "utf8")))
}
"""


def test_ajv_compiles_the_schemas_with_the_options_of_schemastore(tmp_path):
    """The list of what SchemaStore must know beside draft-07 is in docs/editors.md."""
    (tmp_path / "check.js").write_text(AJV, encoding="utf-8")
    modules = next(parent for parent in server_file().resolve().parents if parent.name == "node_modules")
    schemas = sorted(map(str, (ROOT / "schemas" / "editor").iterdir()))
    command = ["node", str(tmp_path / "check.js"), str(modules), *schemas]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_first_line_of_a_file_names_its_schema_for_its_first_document(editor, project):
    """A later document needs the line itself: the server reads comments of one document only (its issue 946)."""
    wrong = SESSION.replace("group", "gruop")
    assert run_in(project, dict(os.environ), "scaffold", "Session", "--output", "drafts.yaml").code == 0
    line = (project / "drafts.yaml").read_text(encoding="utf-8").splitlines()[0] + "\n"
    assert editor.diagnostics("drafts.yaml", wrong) == []
    assert [at for at, _ in editor.diagnostics("drafts.yaml", f"{line}{wrong}---\n{wrong}")] == [5, 6]
    assert [at for at, _ in editor.diagnostics("drafts.yaml", f"{line}{wrong}---\n{line}{wrong}")] == [5, 6, 12, 13]
    assert editor.diagnostics("drafts.yaml", (project / "drafts.yaml").read_text(encoding="utf-8")) == []
