"""validate for tools: SARIF, GitHub's annotations, JUnit and JSON, with the place of each problem."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import hostile_words
import jsonschema
import lxml.etree
import pytest
from desk import COMMAND
from workflow_commands import parsed

from reconciler.schema import load_schema

SARIF = json.loads((Path(__file__).parents[1] / "support/sarif-2.1.0.schema.json").read_text(encoding="utf-8"))

BROKEN = """\
apiVersion: reconciler/v1
kind: Session
metadata: {name: yoga}
spec:
  name: Yoga
  group: Body
  type: "lesson" # wrong
  prise: 3
"""


@pytest.fixture
def broken(desk):
    """A project in a folder of a repository, in which a file name needs escapes."""
    subprocess.run(["git", "init", "-q", str(desk.folder.parent)], check=True)
    desk.manifest("ü 100%,a:b.yaml", BROKEN)
    return desk


def sarif_of(text):
    found = json.loads(text)
    jsonschema.Draft4Validator(SARIF).validate(found)
    return found["runs"][0]


def test_sarif_is_valid_and_names_file_line_and_columns_from_the_top_of_the_repository(broken):
    run = sarif_of(broken.run("validate", "--format", "sarif", code=1).out)
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["schema"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    folder = broken.folder.name
    assert {unquote(item["artifactLocation"]["uri"]) for item in places} == {f"{folder}/manifests/ü 100%,a:b.yaml"}
    assert "%C3%BC%20100%25%2Ca%3Ab.yaml" in places[0]["artifactLocation"]["uri"]
    assert [item["region"] for item in places] == [
        {"startLine": 7, "startColumn": 9, "endLine": 7, "endColumn": 17},
        {"startLine": 8, "startColumn": 3, "endLine": 8, "endColumn": 8},
    ]


def test_fingerprints_survive_a_move_and_differ_between_problems(broken):
    first = sarif_of(broken.run("validate", "--format", "sarif", code=1).out)
    broken.manifest("ü 100%,a:b.yaml", f"# a comment\n\n{BROKEN}")
    again = sarif_of(broken.run("validate", "--format", "sarif", code=1).out)
    prints = [[item["partialFingerprints"] for item in run["results"]] for run in (first, again)]
    assert prints[0] == prints[1]
    assert len({json.dumps(item) for item in prints[0]}) == 2


def test_github_annotations_have_the_place_and_escape_their_properties(broken):
    done = broken.run("validate", "--format", "github", code=1)
    found = [parsed(line) for line in done.out.splitlines()]
    assert [(kind, item["line"], item["col"], item["endColumn"]) for kind, item, _ in found] == [
        ("error", "7", "9", "17"),
        ("error", "8", "3", "8"),
    ]
    assert {item["file"] for _, item, _ in found} == {f"{broken.folder.name}/manifests/ü 100%,a:b.yaml"}
    assert "file=" + broken.folder.name + "/manifests/ü 100%25%2Ca%3Ab.yaml," in done.out
    assert found[0][1]["title"] == "RC0201 schema: Session/yoga"


def test_at_most_ten_annotations_of_a_severity_and_the_last_counts_the_rest(desk):
    for number in range(12):
        desk.manifest(f"s{number}.yaml", BROKEN.replace("name: yoga", f"name: yoga-{number}"))
    lines = desk.run("validate", "--format", "github", code=1).out.splitlines()
    assert len(lines) == 10
    assert parsed(lines[-1])[2].startswith("15 more errors.")


def test_junit_has_a_case_for_each_error(broken):
    tree = lxml.etree.fromstring(broken.run("validate", "--format", "junit", code=1).out.encode())
    (suite,) = tree
    assert dict(tree.attrib) | dict(suite.attrib) == {
        "name": "reconciler validate",
        "tests": "2",
        "failures": "2",
        "errors": "0",
        "skipped": "0",
    }
    assert [case.get("line") for case in suite] == ["7", "8"]
    assert {case.find("failure").get("type") for case in suite} == {"schema"}
    broken.manifest("ü 100%,a:b.yaml", BROKEN.replace('"lesson"', "course").replace("  prise: 3\n", ""))
    tree = lxml.etree.fromstring(broken.run("validate", "--format", "junit", code=0).out.encode())
    assert (tree.get("tests"), tree.get("failures")) == ("1", "0")


def test_json_has_the_range_of_each_problem(broken):
    found = broken.run("validate", "--format", "json", code=1).json
    jsonschema.Draft202012Validator(load_schema("validation")).validate(found)
    assert [item["range"]["end"] for item in found["problems"]] == [{"line": 7, "column": 17}, {"line": 8, "column": 8}]
    assert found["problems"][0]["source"] == {"file": "manifests/ü 100%,a:b.yaml", "line": 7, "column": 9}


def test_all_formats_at_once_by_their_endings(broken):
    names = ["r.sarif", "r.xml", "r.json", "r.txt"]
    options = [word for name in names for word in ("--output", name)]
    done = broken.run("validate", *options, "--output", "-", "--format", "github", code=1)
    read = {name: (broken.folder / name).read_text(encoding="utf-8") for name in names}
    assert sarif_of(read["r.sarif"])["results"]
    assert lxml.etree.fromstring(read["r.xml"].encode()).get("failures") == "2"
    assert json.loads(read["r.json"])["valid"] is False
    assert read["r.txt"].startswith("manifests/ü 100%,a:b.yaml:7:9: Session/yoga: ")
    assert done.out.startswith("::error ")
    assert "sarif" in broken.run("plan", "--format", "sarif", code=64).err


@pytest.mark.parametrize("form", ["sarif", "junit", "json", "github"])
def test_a_broken_project_file_is_in_the_document_too(desk, form):
    desk.project("apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: acme}\nspec: {manifests: 7}\n")
    done = desk.run("validate", "--format", form, code=1)
    assert "reconciler.yaml" in done.out
    assert "reconciler.yaml:4" in done.err


def test_a_place_on_stdin_is_in_the_message(desk):
    done = subprocess.run(
        [*COMMAND, "validate", "-", "--format", "github"],
        cwd=desk.folder,
        env=desk.env,
        input=BROKEN,
        capture_output=True,
        text=True,
        check=False,
    )
    kind, properties, words = parsed(done.stdout.splitlines()[0])
    assert (kind, "file" in properties) == ("error", False)
    assert words.startswith("<stdin>:7:9: ")


@pytest.mark.parametrize("words", hostile_words.ALL, ids=range(len(hostile_words.ALL)))
def test_hostile_text_is_harmless_in_every_format(desk, words):
    desk.manifest(
        "a.json", json.dumps({"apiVersion": "reconciler/v1", "kind": words, "metadata": {"name": words + "\ufffe"}})
    )
    sarif = desk.run("validate", "--format", "sarif", code=1).out
    hostile_words.harmless(sarif, "json")
    sarif_of(sarif)
    xml = desk.run("validate", "--format", "junit", code=1).out
    assert lxml.etree.fromstring(xml.encode()) is not None
    assert not re.search(r"(?m)^\s*::|##\w*\[", xml)
    for line in desk.run("validate", "--format", "github", code=1).out.splitlines():
        hostile_words.harmless(line.removeprefix("::"), "text")
        assert parsed(line)[0] == "error"
