"""Each code of a problem or error has a stable number, a rule, a fix, and an example that has just that problem."""

import ast
import re
from fnmatch import filter as matching
from pathlib import Path

import click
import pytest

import reconciler.state.database  # its errors are among the subclasses below
from reconciler.cli.main import cli, run
from reconciler.errors import ReconcilerError
from reconciler.model import codes

PACKAGE = Path(codes.__file__).parents[2]
MAKERS = {"Problem", "problem", "_problem", "_warning", "_refused", "_note"}
SHAPE = re.compile(r"[a-z0-9*]+(-[a-z0-9*]+)*")
ELSEWHERE = {"sandbox", "forge"}
"""Rooms with other codes: HTTP statuses of emulators, and of a forge."""

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: example}
spec:
  manifests: [manifests]
  connections:
    sessions:
      provider: bookingbug-sessions
      base_url: https://uk.bookingbug.com
      auth: {username: {env: BB_USERNAME}, password: {env: BB_PASSWORD}}
    admin:
      provider: bookingbug-admin
      base_url: https://example.bookingbug.com
      company_id: 1
      auth: {app_id: {env: BB_APP_ID}, app_key: {env: BB_APP_KEY}, auth_token: {env: BB_TOKEN}}
    shop:
      provider: checkfront
      base_url: https://example.checkfront.com
      auth: {key: {env: CF_KEY}, secret: {env: CF_SECRET}}
"""
MANIFEST = "apiVersion: reconciler/v1\nkind: Session\nmetadata: {name: first}\nspec: {name: First, group: Fitness}\n"


def trees():
    for path in sorted(PACKAGE.rglob("*.py")):
        if not ELSEWHERE & set(path.relative_to(PACKAGE).parts):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def texts(node, constants):
    """Return the texts that an expression can be; `*` stands for what is computed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)]
    return [constants[node.id]] if isinstance(node, ast.Name) and node.id in constants else []


def used():
    found = {}
    for path, tree in trees():
        constants = {
            target.id: node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            stated = [word.value for word in node.keywords if word.arg == "code" and name != "BookingQuery"]
            stated += [argument for argument in node.args[:2] if name in MAKERS]
            for text in (text for value in stated for text in texts(value, constants)):
                if SHAPE.fullmatch(text):
                    found.setdefault(text, f"{path.name}:{node.lineno}")
    return found


def subclasses(kind):
    return {kind, *(deeper for below in kind.__subclasses__() for deeper in subclasses(below))}


def test_every_code_that_the_product_uses_is_registered():
    assert reconciler.state.database
    found = used() | {kind.code: kind.__name__ for kind in subclasses(ReconcilerError)}
    known = [item.code for item in codes.codes()]
    unknown = {code: place for code, place in found.items() if not codes.find(code) and not matching(known, code)}
    assert len(found) > 100
    assert unknown == {}, "add it to reconciler/model/codes/, with the next number of its theme"


def test_every_registered_code_is_used():
    written = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    stems = {item.code.removesuffix("-*").removesuffix("*-conflict") for item in codes.codes()}
    stems = {stem.removeprefix("guard-") if f'"{stem}"' not in written else stem for stem in stems}
    assert {stem for stem in stems if stem not in written} - {"apply-failed", "apply-blocked", "apply-unknown"} == set()


def test_numbers_are_unique_and_without_gaps_in_each_theme():
    numbers = [item.number for item in codes.codes()]
    themes = sorted({number[:4] for number in numbers})
    assert themes == [f"RC{theme:02}" for theme in range(1, len(themes) + 1)]
    assert numbers == [
        f"{theme}{rank:02}" for theme in themes for rank in range(1, sum(n.startswith(theme) for n in numbers) + 1)
    ], "a number is never used again: add codes at the end of their theme"
    assert len({item.code for item in codes.codes()}) == len(numbers)


@pytest.mark.parametrize("item", codes.codes(), ids=lambda item: item.number)
def test_a_code_is_explained_in_sentences(item):
    for text in (item.rule, item.about):
        assert text.endswith(".")
        assert "\n" not in text
    assert item.fix
    assert bool(item.wrong) != bool(item.unproven), "state an example, or why there is none"


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("BB_USERNAME", "BB_PASSWORD", "RECONCILER_TRUSTED_CONFIG"):
        monkeypatch.delenv(name, raising=False)

    def write(item, example):
        for name, text in {"reconciler.yaml": PROJECT, "manifests/first.yaml": MANIFEST, **item.files}.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        if not example.startswith("$"):
            (tmp_path / item.file).write_text(example, encoding="utf-8")
            if item.file.endswith(("example.yaml", "example.json")) and item.files:
                (tmp_path / "manifests/first.yaml").unlink()

    return write


def printed(capsys, command):
    *assigned, program, rest = re.fullmatch(r"\$ ((?:\w+=\S+ )*)(reconciler) (.*)", command).groups()
    assert program == "reconciler"
    assert not "".join(assigned)
    code = run(rest.split())
    taken = capsys.readouterr()
    return code, taken.err + taken.out


@pytest.mark.parametrize("item", [item for item in codes.codes() if item.wrong], ids=lambda item: item.number)
def test_an_example_has_just_the_problem_of_its_code(item, project, capsys):
    project(item, item.wrong)
    command = item.wrong if item.wrong.startswith("$") else "$ reconciler validate"
    code, words = printed(capsys, command.strip())
    found = set(re.findall(r"\[(RC\d{4})\]", words))
    ends = {"RC0707", "RC0703"} - {item.number}
    assert found - ends == {item.number}, words
    if item.right and not item.right.startswith("$"):
        project(item, item.right)
        code, words = printed(capsys, "$ reconciler validate")
        assert (code, re.findall(r"\[RC\d{4}\]", words)) == (0, []), words


def test_every_option_that_a_fix_names_exists():
    def options(command):
        names = {name for part in command.params for name in getattr(part, "opts", ())}
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                names |= options(command.get_command(context, name))
        return names

    named = {
        flag
        for item in codes.codes()
        for flag in re.findall(r"--[a-z][a-z-]+", f"{item.about} {item.fix} {item.wrong}")
    }
    assert named - options(cli) == {"--help"} & named


def test_a_code_is_found_by_number_by_code_and_by_its_risk():
    assert codes.find("rc0301") == codes.find("unknown-reference")
    assert codes.find("booked-slot-lost").number == "RC0511"
    assert codes.find("taken-api_ref").code == "taken-*"
    assert codes.number("guard-court-flooded") == "RC0521"


def test_a_code_of_a_plugin_is_described_by_its_words():
    assert codes.find("court-too-small") is None
    assert codes.rule("court-too-small") == "Problem of the kind court too small."
