"""The commands that messages name: what the command line chose is added to them."""

from __future__ import annotations

import html
import io
from functools import partial

import pytest
import render_samples as samples
from msgspec.structs import replace
from rich.console import Console

from reconciler import commands, render
from reconciler.cli.main import run
from reconciler.model.change import FieldChange
from reconciler.render import phrases, text
from reconciler.render.console import Plain
from reconciler.render.escaping import prose
from reconciler.render.safe import visible

PROD = (("--env", "prod"),)


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        ("plan", ()),
        ("plan --env prod", PROD),
        ("plan --env=prod --out x", PROD),
        ("plan --env test --env prod", PROD),
        ("plan --allow-path a --allow-path=b", (("--allow-path", "a"), ("--allow-path", "b"))),
        ("state rm --project p -- --env", (("--project", "p"),)),
        ("plan --env", (("--env", ""),)),
        ("plan --environment prod", ()),
    ],
)
def test_what_a_command_line_chooses_is_read_from_its_words(typed, chosen):
    assert commands.chosen(typed.split()) == chosen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run: `reconciler plan`.", "run: `reconciler plan --env prod --project 'a b'`."),
        ("`reconciler state rm X`; `reconciler apply`", "`reconciler state rm X {}`; `reconciler apply {}`"),
        ("`reconciler plan --env test`", "`reconciler plan --env test --project 'a b'`"),
        ("`reconciler plan --env=test`", "`reconciler plan --env=test --project 'a b'`"),
        ("`reconciler explain RC0101` says more", "`reconciler explain RC0101` says more"),
        ("reconciler plan, not named", "reconciler plan, not named"),
        ("`reconciler` and `reconciler plan", "`reconciler` and `reconciler plan"),
    ],
)
def test_what_was_chosen_is_added_to_each_command_once(text, shown):
    shown = shown.replace("{}", "--env prod --project 'a b'")
    with commands.using(PROD), commands.using((("--project", "a b"),)):
        assert visible(text) == shown
        assert visible(visible(text)) == shown
    assert visible(text) == text


VALUE = "`reconciler plan` é"


def plan_with(field, **members):
    change = replace(samples.rich_plan().effective[0], action="update", fields=(field,), **members)
    return replace(samples.quiet_plan(), changes=(change,))


def text_of(write):
    file = io.StringIO()
    write(Plain(file=file))
    return file.getvalue()


@pytest.mark.parametrize(
    "page",
    [
        render.markdown.plan,
        lambda plan: html.unescape("".join(render.html.plan_pieces(plan, ""))),
        lambda plan: text_of(lambda console: text.plan(console, plan, text.Look(verbose=True))),
        lambda plan: text_of(lambda console: text.plan(console, plan, text.Look(compact=True))),
    ],
    ids=["Markdown", "HTML", "text", "one line for each object"],
)
def test_a_value_that_looks_like_a_command_is_shown_as_it_is(page):
    field = FieldChange(path="name", before="old", after=VALUE, origin="manifest")
    with commands.using(PROD):
        shown = page(plan_with(field, title=f'"{VALUE}"', reason="see `reconciler apply`"))
    assert f'"{VALUE}"' in shown
    assert f"old → {VALUE}" in shown or f'<del>old</del></td>\n<td class="after"><ins>{VALUE}</ins>' in shown
    assert "\ufdd0" not in shown
    assert "--env prod" not in shown.replace("reconciler apply --env prod", "")


@pytest.mark.parametrize("console", [Plain, partial(Console, width=1 << 20, force_terminal=True)])
def test_so_is_what_a_program_says_of_a_long_value(console):
    field = FieldChange(path="description", before="old\n", after=VALUE, origin="manifest")
    file = io.StringIO()
    with commands.using(PROD):
        text.plan(console(file=file), plan_with(field), text.Look(differ=lambda _path, _old, new: [f"+ {new}"]))
    assert f"+ {VALUE}" in file.getvalue()
    assert "\ufdd0" not in file.getvalue()


def test_so_is_what_a_report_says_of_a_value_in_its_document():
    field = FieldChange(path="name", before="old", after=VALUE, origin="manifest")
    change = plan_with(field).changes[0]
    assert phrases.not_converged(change) == f"name old → {VALUE}"


def test_so_is_the_line_of_a_file(tmp_path, capsys, monkeypatch):
    (tmp_path / "reconciler.yaml").write_text("kind: Project # `reconciler plan`\nkin: x\n")
    monkeypatch.chdir(tmp_path)
    assert run(["plan", "--env", "prod"]) == 1
    assert "# `reconciler plan`\n" in capsys.readouterr().err


def test_in_markdown_a_named_command_is_code_and_the_rest_is_escaped():
    with commands.using((("--project", "a_b"),)):
        assert prose("a_b: `reconciler plan`, `x`") == "a&#95;b: `reconciler plan --project a_b`, &#96;x&#96;"


def test_wrong_usage_names_commands_for_the_same_environment_and_the_next_command_line_does_not(capsys):
    assert run(["apply", "--env", "prod", "--dry-run"]) == 64
    assert "`reconciler plan --env prod` shows what would change" in capsys.readouterr().err
    assert run(["apply", "--dry-run"]) == 64
    assert "`reconciler plan` shows what would change" in capsys.readouterr().err
