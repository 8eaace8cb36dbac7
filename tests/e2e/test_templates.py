"""Pages by the project's own templates: what they get, what they cannot do, and what happens when one is wrong."""

from __future__ import annotations

import os
import shutil

import hostile_words
import pytest

from reconciler.operations import custom_pages

FAULT = "the template cannot be rendered:"
PLAN = """\
## Our plan: {{ headline }}

{% for change in plan.changes %}
- {{ change.action }} **{{ change.address }}** {{ change.name | code }}: {{ change.fields[0].path }}
{% endfor %}
"""
PAGE = """\
<!doctype html>
<title>{{ headline }}</title>
{% include "part.j2" %}
{% for change in plan.changes %}<p title="{{ change.name }}">{{ change.name }} {{ change.name | code }}</p>{% endfor %}
"""


@pytest.fixture
def templated(desk):
    desk.session()
    return desk


def write(desk, name, text):
    folder = desk.folder / "templates"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def own(desk, template, form="markdown", code=0, **env):
    write(desk, f"plan.{'md' if form == 'markdown' else 'html'}.j2", template)
    return desk.run("plan", "--format", form, code=code, **env)


def test_a_template_replaces_the_page_of_its_command_and_format(templated):
    write(templated, "plan.md.j2", PLAN)
    write(templated, "plan.html.j2", PAGE)
    write(templated, "part.j2", "<p>{{ plan.project }}</p>\n")
    write(templated, "report.md.j2", "# {{ headline }} {{ report.outcomes[0].state }}\n")
    write(templated, "drift.md.j2", "# {{ headline }} {{ drift.summary.in_sync }}\n")
    templated.run("plan", "--output", "p.md", "--output", "p.html", "--output", "p.json", "--output", "p.txt", code=0)
    page = (templated.folder / "p.md").read_text(encoding="utf-8")
    assert page.startswith("## Our plan: Plan: 1 to create.")
    assert "- create **Session/yoga** <code>Yoga</code>: group" in page
    assert "<p>acme</p>" in (templated.folder / "p.html").read_text(encoding="utf-8")
    assert (templated.folder / "p.txt").read_text(encoding="utf-8").startswith("Project acme")
    assert templated.run("apply", "--yes", "--format", "markdown", code=0).out == "# Applied 1. applied\n"
    assert templated.run("drift", "--format", "markdown", code=0).out.endswith(" 1\n")
    assert "<main" in templated.run("drift", "--format", "html", code=0).out


@pytest.mark.parametrize("words", hostile_words.XML_SAFE, ids=range(len(hostile_words.XML_SAFE)))
def test_hostile_values_are_harmless_in_a_template_too(templated, words):
    templated.session(description=words.replace("{{ 7*7 }}{% x %}", ""))
    value = (
        "{% for f in plan.changes[0].fields if f.path == 'description' %}{{ f.after }}{{ f.after | code }}{% endfor %}"
    )
    page = own(templated, f"## Plan\n\n{value}\n").out
    assert page != "## Plan\n\n\n"
    hostile_words.harmless(page, "markdown")
    page = own(templated, f"<p title='{value}'>{value}</p>{{{{ plan.changes[0].fields }}}}", "html").out
    assert "<img" not in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (
            "ok\n{{ plan.nothing.more }}",
            "plan.md.j2:2: the template cannot be rendered: 'dict object' has no attribute 'nothing'",
        ),
        ("ok\n\n{% if %}", "plan.md.j2:3: the template cannot be rendered: Expected an expression"),
        (
            "{% include 'missing.j2' %}",
            "plan.md.j2:1: the template cannot be rendered: there is no template missing.j2",
        ),
        ("{% include '../reconciler.yaml' %}", "there is no template ../reconciler.yaml"),
        ("{% include '/etc/passwd' %}", "there is no template /etc/passwd"),
        ("\n{{ 1 / 0 }}", f"plan.md.j2:2: {FAULT} division by zero"),
        ("{{ ''.__class__.__mro__ }}", f"plan.md.j2:1: {FAULT}"),
        ("{{ cycler.__init__.__globals__.os.popen('id') }}", f"plan.md.j2:1: {FAULT}"),
        ("{{ plan.changes.append(1) }}", f"plan.md.j2:1: {FAULT}"),
        ("{{ plan | safe }}", "No filter named 'safe'"),
        ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "without end"),
        ("{{ range(10 ** 9) }}", "Range too big"),
    ],
)
def test_a_fault_is_named_with_file_and_line_and_no_other_page_is_shown(templated, template, said):
    done = own(templated, template, code=1)
    assert said in done.err
    assert "templates/" in done.err
    assert done.out.startswith("## Plan failed\n")


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(a='aaaaaaaa') %}{% for i in range(40) %}{% set n.a = n.a ~ n.a %}{% endfor %}",
        "{{ 'a' * 10 ** 10 }}",
        "{% for i in range(90000) %}{{ 'x' * 1000 }}{% endfor %}",
        "{{ 9 ** (9 ** 9) }}",
    ],
)
def test_a_template_cannot_take_much_time_memory_or_output(templated, template, monkeypatch):
    monkeypatch.setattr(custom_pages, "SECONDS", 2)
    monkeypatch.setattr(custom_pages, "DEADLINE", 20)
    monkeypatch.setattr(custom_pages, "OUTPUT", 2_000_000)
    done = own(templated, template, code=1)
    assert "plan.md.j2: the template cannot be rendered: " in done.err
    assert done.out.startswith("## Plan failed\n")


def test_no_secret_and_no_variable_reaches_a_template(templated):
    secret = templated.env["BB_PASSWORD"]
    templated.session(description=f"x {secret} y")
    page = own(templated, "{{ plan }}").out
    assert "\\*\\*\\*" in page or "********" in page or "&#42;" in page
    assert secret not in page


def test_a_markdown_page_that_is_too_long_gives_way_to_the_built_in_one_and_says_so(templated):
    done = own(templated, "# own\n" + "{{ 'x' * 70000 }}")
    assert done.out.startswith("## Plan: 1 to create.")
    assert "templates/plan.md.j2 has 70006 bytes" in done.err


def test_a_failing_report_template_loses_no_report(templated):
    write(templated, "report.md.j2", "{{ report.nothing.more }}")
    done = templated.run("apply", "--yes", "--output", "r.md", code=1)
    assert "report.md.j2:1: the template cannot be rendered" in done.err
    assert "Applied 1" in done.err
    assert not (templated.folder / "r.md").exists()


def test_links_out_of_the_folder_are_refused(templated, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "plan.md.j2").write_text("stolen", encoding="utf-8")
    write(templated, "other.j2", "x")
    (templated.folder / "templates/plan.md.j2").symlink_to(outside / "plan.md.j2")
    done = templated.run("plan", "--format", "markdown", code=1)
    assert "leads out" in done.err
    assert "stolen" not in done.out
    shutil.rmtree(templated.folder / "templates")
    (templated.folder / "templates").symlink_to(outside)
    done = templated.run("plan", "--format", "markdown", code=1)
    assert "leads out" in done.err
    (templated.folder / "templates").unlink()
    (templated.folder / "templates").mkdir()
    os.mkfifo(templated.folder / "templates/plan.md.j2")
    assert "cannot be read" in templated.run("plan", "--format", "markdown", code=1).err


def test_a_trusted_file_decides_where_templates_come_from(templated, tmp_path_factory):
    trusted = tmp_path_factory.mktemp("trusted")
    shutil.copy(templated.folder / "reconciler.yaml", trusted / "reconciler.yaml")
    write(templated, "plan.md.j2", "nothing to see")
    env = {"RECONCILER_TRUSTED_CONFIG": str(trusted / "reconciler.yaml")}
    assert templated.run("plan", "--format", "markdown", code=0, **env).out.startswith("## Plan: 1 to create.")
    (trusted / "templates").mkdir()
    (trusted / "templates/plan.md.j2").write_text("trusted\n", encoding="utf-8")
    assert templated.run("plan", "--format", "markdown", code=0, **env).out == "trusted\n"


def test_a_command_in_the_headline_is_for_the_same_project(templated):
    write(templated, "drift.md.j2", "{{ headline }}\n")
    page = templated.run("drift", "--project", ".", "--format", "markdown", code=2).out
    assert "`reconciler plan --project .`" in page
