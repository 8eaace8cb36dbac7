from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest
import render_samples as samples

from reconciler.documents import codec, load
from reconciler.documents.load import load_document, load_plan
from reconciler.errors import ReconcilerError
from reconciler.model.context import Context
from reconciler.model.objects import Live
from reconciler.model.report import Drift, Report
from reconciler.operations.places import placed

SCHEMAS = Path(__file__).parents[3] / "schemas"


def validator(name):
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def plan_document():
    return codec.plan_document(samples.rich_plan())


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("plan", plan_document()),
        ("plan", codec.plan_document(samples.quiet_plan(0))),
        ("report", codec.report_document(samples.rich_report(), samples.rich_plan())),
        ("report", codec.report_document(Report(plan_digest="sha256:0", outcomes=()), samples.quiet_plan(0))),
        ("drift", codec.drift_document(samples.rich_drift())),
        ("drift", codec.drift_document(Drift(objects=()))),
    ],
)
def test_documents_are_as_their_schema_says(name, document):
    validator(name).validate(json.loads(codec.dumps(document)))


def test_plan_document_has_the_keys_of_the_contract_in_order():
    document = plan_document()
    assert list(document) == [
        "format_version",
        "tool_version",
        "project",
        "environment",
        "manifest_digest",
        "live_digest",
        "summary",
        "changes",
        "problems",
        "selection",
        "purpose",
        "bookings",
        "manifests",
        "targets",
        "present",
        "forecast",
        "runs",
        "digest",
    ]
    assert list(document["changes"][0]) == [
        "address",
        "kind",
        "connection",
        "action",
        "remote_id",
        "reason",
        "source",
        "fields",
        "risks",
        "calls",
        "name",
        "title",
        "unverified",
        "expired",
        "live",
        "digest",
        "bookings",
        "stake",
        "guarded",
    ]
    assert list(document["problems"][0]) == ["severity", "code", "message", "hint", "address", "source"]
    assert document["changes"][0]["source"] == {"file": "manifests/courts.yaml", "line": 20}
    assert document["changes"][0]["fields"][0]["after"] == "Resource/court-1"


def test_documents_of_report_drift_and_problems_have_the_keys_of_the_contract():
    report = codec.report_document(samples.rich_report(), samples.rich_plan())
    drift = codec.drift_document(samples.rich_drift())
    problems = codec.validation_document(placed(samples.rich_plan().problems, Path("/nowhere")), 2, 5)
    assert list(report) == [
        "format_version",
        "plan_digest",
        "summary",
        "outcomes",
        "project",
        "environment",
        "context",
        "run",
        "selection",
        "interrupted",
        "refused",
    ]
    assert list(report["outcomes"][0]) == [
        "address",
        "action",
        "state",
        "remote_id",
        "error",
        "blocked_by",
        "calls",
        "allowed",
        "fields",
        "source",
    ]
    heads = ["format_version", "summary", "coverage", "objects", "project", "environment", "context", "run"]
    assert list(drift) == [*heads, "notes"]
    assert list(drift["objects"][0]) == ["address", "status", "fields", "remote_id", "reason", "coverage"]
    assert list(problems) == ["format_version", "valid", "files", "documents", "problems"]
    assert problems["valid"] is False
    assert codec.validation_document(placed(samples.rich_plan().problems[:1], Path("/nowhere")), 1, 1)["valid"] is True


def test_a_plan_says_from_what_and_when_it_was_made_only_where_it_is_stamped():
    plan = samples.rich_plan()
    elsewhere = msgspec.structs.replace(plan, context=Context(commit="f" * 40))
    assert codec.dump_plan(plan) == codec.dump_plan(elsewhere)
    assert "f" * 40 not in codec.dump_plan(elsewhere)
    stamped = msgspec.structs.replace(plan, made_at="2027-02-01T09:00:00Z")
    document = codec.plan_document(stamped)
    assert (document["made_at"], document["context"]["branch"]) == ("2027-02-01T09:00:00Z", samples.CONTEXT.branch)
    saved = load_plan(codec.dump_plan(stamped))
    assert saved.intact
    assert (saved.plan.context, saved.plan.made_at) == (samples.CONTEXT, "2027-02-01T09:00:00Z")
    forged = codec.dump_plan(stamped).replace('"commit": "0', '"commit": "1')
    assert not load_plan(forged).intact


def test_reports_and_drift_read_back_with_their_run_context_and_fields():
    text = codec.dumps(codec.report_document(samples.rich_report(), samples.rich_plan()))
    report = load_document(text).report
    assert (report.run, report.context) == (samples.RUN, samples.CONTEXT)
    yoga = next(item for item in report.outcomes if item.title is not None)
    assert (yoga.title, yoga.fields[0].before, yoga.fields[0].after) == ('"Yoga" · Mondays 11:00', "30.00", "35.00")
    drift = load_document(codec.dumps(codec.drift_document(samples.rich_drift())))
    assert (drift.project, drift.environment, drift.run, drift.context) == (
        "acme",
        "prod",
        samples.RUN,
        samples.CONTEXT,
    )


def digest_of(change):
    plan = msgspec.structs.replace(samples.rich_plan(), changes=(change,))
    return codec.plan_document(plan)["changes"][0]["digest"]


@pytest.mark.parametrize(
    "other",
    [
        {"action": "delete"},
        {"connection": "elsewhere"},
        {"shown_id": "124"},
        {"fields": ()},
        {"calls": ()},
        {"calls": (msgspec.structs.replace(samples.update().calls[0], body={}), samples.update().calls[1])},
        {"live": Live(remote_id="123", fields={"name": "Other"})},
        {"risks": ()},
        {"desired": None},
    ],
)
def test_digest_of_a_change_covers_what_would_be_done(other):
    change = samples.update()
    assert digest_of(msgspec.structs.replace(change, **other)) != digest_of(change)


def test_digest_of_a_change_ignores_reason_and_place():
    change = samples.update()
    moved = msgspec.structs.replace(change, reason="for another reason", source=None, unverified=("price",))
    assert digest_of(moved) == digest_of(change)


def test_dumps_is_stable_utf_8_and_reads_back():
    document = {"b": "\ud800\u202e\x9bé→", "a": (1, None)}
    text = codec.dumps(document)
    assert text.endswith("}\n")
    assert text.index('"b"') < text.index('"a"')
    assert "\\ud800\\u202e\\u009bé→" in text
    text.encode("utf-8")
    assert json.loads(text) == {"b": document["b"], "a": [1, None]}


def test_a_saved_plan_reads_back_with_the_same_digest():
    document = plan_document()
    loaded = load_plan(codec.dumps(document))
    assert loaded.intact
    assert loaded.digest == document["digest"]
    assert codec.plan_document(loaded.plan) == document


def broken(change):
    document = json.loads(codec.dumps(plan_document()))
    change(document)
    return json.dumps(document)


def first(document):
    return document["changes"][0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON: line 1, column 1"),
        ("[]", "must be an object, but is a list"),
        ("3.5", "but is a number"),
        ("[" * 200_000, "nested too deeply"),
        ("NaN", "NaN is not a JSON value"),
        ("9" * 5000, "the number 99999999999999999999… is too large"),
        ('{"format_version": "1.0", "format_version": "1.0"}', "'format_version' appears twice"),
        ("{}", "has no format_version"),
        ('{"format_version": "2.0"}', "has format '2.0'"),
        ('{"format_version": "1.0"}', "has no 'tool_version'"),
        (broken(lambda doc: doc.update(changes={})), "changes must be a list, but is an object"),
        (broken(lambda doc: doc["changes"].append(1)), "must be an object, but is a whole number"),
        (broken(lambda doc: first(doc).update(address="x")), "changes[0].address is 'x'; expected KIND/NAME, such as"),
        (broken(lambda doc: first(doc).update(kind="Session")), "kind is 'Session'"),
        (broken(lambda doc: doc["problems"][0].update(address="x")), "problems[0].address is 'x'; expected KIND/NAME"),
        (broken(lambda doc: first(doc).update(action="explode")), "action 'explode'"),
        (broken(lambda doc: first(doc).update(remote_id=5)), "must be text or null"),
        (broken(lambda doc: first(doc).pop("digest")), "has no 'digest'"),
        (broken(lambda doc: first(doc)["fields"][0].update(verifiable="yes")), "true or false"),
        (broken(lambda doc: first(doc)["calls"][0].pop("path")), "calls[0] has no 'path'"),
        (broken(lambda doc: first(doc)["source"].update(line=True)), "whole number, but is true or false"),
        (
            broken(lambda doc: doc["selection"].update(targets=[1])),
            "selection.targets[0] must be text, but is a whole number",
        ),
        (broken(lambda doc: doc["summary"].update(delete=0)), "does not match its changes"),
        (
            broken(lambda doc: (doc["changes"].append(first(doc)), doc["summary"].update(create=3))),
            "appears more than once",
        ),
        (broken(lambda doc: doc.update(surprise=1)), "the plan has the unknown key 'surprise'"),
        (broken(lambda doc: first(doc)["calls"][0].update(x=1)), "calls[0] has the unknown key 'x'"),
        (broken(lambda doc: doc.update(digest="sha256:0")), "expected sha256: and 64 hexadecimal digits"),
        (broken(lambda doc: first(doc)["calls"][0].update(method="TRACE")), "is not one of POST"),
        (broken(lambda doc: doc["summary"].update(delete=-1)), "summary.delete"),
        (broken(lambda doc: doc.update(problems=[{}])), "problems[0] has no 'severity'"),
    ],
)
def test_anything_else_is_refused_in_words(text, words):
    with pytest.raises(ReconcilerError) as caught:
        load_plan(text)
    assert words in caught.value.message
    assert caught.value.hint


def test_the_place_is_right_where_a_large_document_is_checked_in_parts(monkeypatch):
    monkeypatch.setattr(load, "_PART", 1)
    document = json.loads(codec.dumps(plan_document()))
    document["changes"] = [{**document["changes"][0], "address": f"Session/x{n}"} for n in range(3)]
    document["changes"][2]["address"] = "x"
    with pytest.raises(ReconcilerError, match=r"changes\[2\]\.address is 'x'"):
        load_plan(json.dumps(document))


def test_what_the_schema_requires_the_reader_requires():
    document = json.loads(codec.dumps(plan_document()))
    for key in validator("plan").schema["required"]:
        part = {name: value for name, value in document.items() if name != key}
        with pytest.raises(ReconcilerError):
            load_plan(json.dumps(part))
    for key in validator("plan").schema["$defs"]["change"]["required"]:
        with pytest.raises(ReconcilerError):
            load_plan(broken(lambda doc, key=key: first(doc).pop(key)))


PRINT_ALL = """
import sys
import test_golden as golden
sys.stdout.buffer.write("".join(make() for make in golden.OUTPUTS.values()).encode())
"""


def test_bytes_do_not_depend_on_the_hash_seed():
    def output(seed):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        here = Path(__file__).parents[1] / "render"
        env["PYTHONPATH"] = str(Path(__file__).parents[2] / "support")
        return subprocess.run(
            [sys.executable, "-c", PRINT_ALL], cwd=here, env=env, check=True, capture_output=True
        ).stdout

    assert output("1") == output("2") != b""
