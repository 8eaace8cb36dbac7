"""Pages for pull requests: hostile texts are harmless, pages keep to their limit, and say first what matters."""

from __future__ import annotations

import re
import time

import hostile_words
import lxml.html
import pytest
import render_samples as samples
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from values import replace

from reconciler.model.change import Risk
from reconciler.model.objects import Address, Problem
from reconciler.model.report import Report
from reconciler.redaction import escape_commands
from reconciler.render import markdown
from reconciler.render.budget import LIMIT, SMALLEST
from reconciler.render.escaping import code, html_code, prose

HOSTILE = {
    "mention": "@octocat @org/team",
    "issue": "#123 org/repo#4 GH-77",
    "commit": "deadbeef 0123456789abcdef0123456789abcdef01234567 owner/repo@deadbee",
    "address": "https://evil.example www.evil.example me@evil.example <https://evil.example> mailto:me@evil.example",
    "GitLab": '!12 $34 %"milestone" ~label &5 ^alert#6',
    "quick action": "/close",
    "workflow command": "::error::evil",
    "agent command": "##[group]evil ##vso[task.complete]",
    "terminal": "\x1b[31mred\x1b]8;;http://evil.example/\x07link\x9b1m",
    "bidi": "\u202egnp.exe\u2066\u200b",
    "fence": "```\nevil\n~~~\n````",
    "ticks": "` `` ``` ````",
    "edges": "` x `",
    "pipe": "a | b || c",
    "trailing backslash": "evil\\",
    "footnote": "evil[^1] [^1]: evil",
    "link": "[l](javascript:alert(1)) ![i](http://evil.example/p.png) [r]: http://evil.example",
    "comment": "<!-- evil --> <!-- reconciler:plan -->",
    "HTML": "</details></summary></code><img src=x onerror=alert(1)><b>evil</b>&lt;i&gt;&#60;",
    "emoji": ":tada: :+1: 11:00:00",
    "blocks": "\n# evil\n- evil\n1. evil\n> evil\n---\n\n    evil\n",
    "math": "$x$ $$y$$ **b** _e_ ~~s~~ \\*",
    "many": "x" * 3000,
}


def rendered(text):
    """Return a page as GitHub's rules show it, raw HTML included."""
    parser = MarkdownIt("gfm-like", {"html": True})
    parser.linkify.set({"fuzzy_link": False})
    return lxml.html.fragment_fromstring(parser.render(text), create_parent="div")


def running_text(tree):
    """Return the text in which a host looks for mentions and references: all but code."""
    found = []
    for element in tree.iter():
        if element.tag not in {"code", "pre"}:
            found.append(element.text or "")
        found.append(element.tail or "" if element is not tree else "")
    return found


NOTIFIES = re.compile(
    r"(?<!\w)@\w|(?<![\w&])#\d|\bGH-\d|\w://|\bwww\.\w|\w@\w|(?<![\w/])[0-9a-f]{7,40}(?!\w)"
    r"|(?<![\w\[])[!$%~&^][\w\"]|:[a-z+][\w+-]*:"
)


def notifies(text):
    """Return what a host would act on: in running text, or at the start of a line (a quick action of GitLab)."""
    found = [words for words in running_text(rendered(text)) if NOTIFIES.search(words)]
    return [*found, *re.findall(r"(?m)^\s*/\w+", text)]


def test_the_rules_of_this_test_find_what_a_host_would_act_on():
    acting = ("mention", "issue", "commit", "GitLab", "emoji")
    assert all(notifies(HOSTILE[name]) for name in acting)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_notify_and_format_nothing_and_are_shown(name):
    text = HOSTILE[name]
    page = markdown.plan(plan_of(text))
    hostile_words.harmless(page, "markdown")
    assert notifies(page) == []
    report = replace(samples.rich_report(), outcomes=tuple(outcomes_of(text)))
    drift = replace(samples.rich_drift(), objects=tuple(drifted_of(text)), project=text)
    failed = markdown.failure("Plan failed", text, [problem_of(text)], [f"hint: {text}"])
    for other in (markdown.report(report, plan_of(text)), markdown.drift(drift), failed):
        hostile_words.harmless(other, "markdown")
        assert notifies(other) == []


def problem_of(text):
    return Problem(code="x", summary=f"evil: {text}", hint=text, address=Address("Session", "x"))


def plan_of(text):
    risk = Risk(code="booked-slot-lost", level="block", message=text, slots=("1",))
    changes = [
        samples.change(
            f"Session/s{number}",
            action,
            text,
            file=text.replace("\n", " ") or "x",
            title=f'"{text}" · Mondays 11:00',
            shown_id=text,
            fields=(samples.field(text or "x", text, f"{text}2"),),
            risks=(risk,) * (number == 0),
        )
        for number, action in enumerate(("delete", "replace", "update", "create", "unknown", "update"))
    ]
    context = replace(samples.CONTEXT, branch=text, author=text, actor=text)
    problems = (problem_of(text), replace(problem_of(text), severity="warning"))
    return replace(samples.rich_plan(), project=text, changes=tuple(changes), problems=problems, context=context)


def outcomes_of(text):
    for outcome, change in zip(samples.rich_report().outcomes, plan_of(text).changes, strict=False):
        yield replace(outcome.of(change), error=text, shown_id=text, address=change.address)


def drifted_of(text):
    for item in samples.rich_drift().objects:
        fields = tuple(replace(field, path=text or "x", after=text) for field in item.fields)
        yield replace(item, title=f'"{text}"', reason=text, fields=fields)


@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=40)
    | st.text(alphabet="`|\\*_<>&#@!$~[]()/: \naf019", max_size=30)
)
def test_any_text_notifies_and_formats_nothing(text):
    hostile_words.harmless(page := markdown.plan(plan_of(text)), "markdown")
    assert notifies(page) == []


@given(st.text(alphabet="`|\\*_<>&#@!$~[]()/: af019", min_size=1, max_size=30))
@example("##[")  # where a build agent reads the page as commands
def test_code_and_prose_render_as_the_text_they_were(text):
    shown = escape_commands(text)
    item = rendered(f"- x {code(text)}").find(".//li")
    if text.strip():
        assert item.find(".//code").text == shown
    assert "".join(rendered(f"- x {prose(text)}").itertext()).strip().replace("\u200b", "") == f"x {shown}".strip()
    summary = rendered(f"<details>\n<summary>{html_code(text)}</summary>\n\nx\n\n</details>").find(".//code")
    assert (summary.text or "") == shown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:1)",
        "**bold** _em_ ~~no~~ `code`",
        "a | b",
        "\\*",
        "&lt;",
        "<!-- hidden -->",
        "$x$",
    ],
)
def test_prose_renders_as_the_text_it_was(text):
    shown = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(f"- x {prose(text)}")
    inner = re.sub(r"</?(ul|li)>|\n", "", shown)
    assert "<" not in inner
    plain = inner.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    assert plain.replace("\u200b", "") == f"x {text}"


def test_a_value_cannot_close_its_fence():
    change = replace(samples.update(), fields=(samples.field("name", None, "````\n```"),))
    plan = replace(samples.rich_plan(), changes=(change,))
    assert "\n`````diff\n+ name: ````⏎```\n`````\n" in markdown.plan(plan)


WORDS = [re.sub(r"\s", " ", text)[:50] for text in HOSTILE.values()]


def large_plan(number=2000, deletions=3, equal=398):
    """Return a plan of many changes with hostile names: deletions, equal price changes, other updates, creations."""
    changes = []
    for index in range(number):
        address, name = f"Session/class-{index:04}", WORDS[index % len(WORDS)] or "x"
        more = {"title": f'"{name}" · Mondays 11:00', "name": name, "file": "manifests/classes.yaml"}
        price = (samples.field("price", "10.00", "12.00"),)
        if index < deletions:
            made = samples.change(address, "delete", "removed from the manifests", shown_id=str(index), **more)
        elif index < deletions + equal:
            made = samples.change(address, "update", "1 field differs", fields=price, **more)
        elif index % 2:
            fields = (samples.field("name", f"Old {index}", name), samples.field("spaces", index, index + 1))
            made = samples.change(address, "update", "2 fields differ", fields=fields, **more)
        else:
            made = samples.change(address, "create", "new", fields=(samples.field("name", None, name),), **more)
        changes.append(made)
    return replace(samples.quiet_plan(0), changes=tuple(changes))


def test_a_plan_of_two_thousand_changes_fits_and_names_every_deletion_and_object():
    plan = large_plan()
    started = time.process_time()
    page = markdown.plan(plan)
    assert time.process_time() - started < 10
    assert LIMIT - 2000 < len(page.encode()) <= LIMIT
    hostile_words.harmless(page, "markdown")
    assert notifies(page) == []
    listed = page.partition("### Details")[0]
    assert re.findall(r"- \*\*delete\*\* `+ ?(Session/class-\d+) ", listed) == [
        f"Session/class-{n:04}" for n in range(3)
    ]
    assert all(f"`Session/class-{number:04}`" in listed for number in range(3, 2000))
    assert "<summary><b>update</b> 398 sessions: <code>price 10.00 → 12.00</code></summary>" in listed
    assert page.index("### Deletions") < page.index("### Creations") < page.index("### Details")
    assert re.search(r"The details of \d+ objects are left out: the page has no room for them", page)
    assert len(re.findall("(?m)^<details>$", page)) == len(re.findall("(?m)^</details>$", page)) == 4


@pytest.mark.parametrize("limit", [SMALLEST, 32_768, 150_000])
def test_a_page_keeps_to_any_limit_and_names_the_deletions(limit):
    page = markdown.plan(large_plan(), limit)
    assert len(page.encode()) <= limit
    assert all(f"Session/class-{number:04}" in page for number in range(3))
    assert page.startswith("## Plan: ")
    hostile_words.harmless(page, "markdown")


@pytest.mark.parametrize("limit", [SMALLEST, 32_768])
def test_deletions_for_which_there_is_no_room_are_counted_first(limit):
    page = markdown.plan(large_plan(2500, deletions=2500, equal=0), limit)
    assert len(page.encode()) <= limit
    named = len(re.findall(r"- delete `Session/class-\d+`", page))
    missing = 2500 - named
    assert named > 0
    assert page.index(f"{missing} deletions and failures are not named") < page.index("- delete")


def test_risks_are_never_cut_and_a_head_without_room_says_so():
    risk = Risk(code="x", level="block", message="m" * 100)
    many = tuple(
        replace(samples.replace(), address=Address("Session", f"s{number}"), risks=(risk,), title=None)
        for number in range(300)
    )
    page = markdown.plan(replace(samples.rich_plan(), changes=many))
    assert len(page.encode()) <= LIMIT
    assert all(f"> - ! `Session/s{number}`: {'m' * 100}; allowed" in page for number in range(300))
    short = markdown.plan(replace(samples.rich_plan(), changes=many), SMALLEST)
    assert len(short.encode()) <= SMALLEST
    assert "This page has no room for everything" in short


def test_equal_changes_are_one_line_and_others_one_each():
    page = markdown.plan(large_plan(20, deletions=1, equal=9))
    assert "<summary><b>update</b> 9 sessions: <code>price 10.00 → 12.00</code></summary>" in page
    assert '- **delete** `Session/class-0000 "@octocat @org/team" · Mondays 11:00`: removed from the manifests' in page
    assert len(re.findall(r"(?m)^- \*\*update\*\* `+ ?Session/", page)) == 5


@pytest.mark.parametrize(
    ("problem", "heading"),
    [
        ({"code": "missing", "severity": "error"}, "## Plan failed: 1 error. Nothing can be applied."),
        ({"code": "guard-max-deletes", "severity": "warning"}, "## Plan: 1 to update. Apply would refuse it."),
        ({"code": "unused", "severity": "warning"}, "## Plan: 1 to update."),
    ],
)
def test_the_heading_says_whether_the_plan_failed(problem, heading):
    found = Problem(summary="evil", **problem)
    plan = replace(samples.quiet_plan(0), changes=(samples.update(),), problems=(found,))
    page = markdown.plan(plan)
    assert page.splitlines()[0] == heading
    assert ("What stops the apply" in page) == (found.code != "unused")


def test_a_page_of_a_failure_names_the_problems_and_counts_the_rest():
    problems = [replace(problem_of("evil"), summary=f"evil {number}") for number in range(80)]
    page = markdown.failure("Plan failed", "the manifests are invalid", problems, ["hint: fix them"])
    assert page.startswith(
        "## Plan failed\n\n**error:** the manifests are invalid\n\n- hint: fix them\n\n- **error:** Session/x: evil 0"
    )
    assert "… and 30 more problems" in page


def test_a_report_without_changes_has_no_empty_list():
    text = markdown.report(Report(plan_digest="", outcomes=()), samples.quiet_plan(0))
    assert text == "## Nothing to apply.\n\nProject acme\n"
