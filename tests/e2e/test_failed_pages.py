"""A comment of a pull request is never that of an older run: a command that fails writes a page about that."""

from __future__ import annotations

from functools import partial

import pytest
import repository
from hostile_words import harmless

OLD = "## Plan: 1 to create.\n"


@pytest.fixture
def comment(desk):
    file = desk.folder / "comment.md"
    file.write_text(OLD, encoding="utf-8")
    return file


def run(desk, comment, *arguments, code=1):
    done = desk.run(*arguments, "--output", "comment.md", "--output", "-", code=code)
    page = comment.read_text(encoding="utf-8")
    harmless(page, "markdown")
    return page, done


def test_invalid_manifests_give_a_page_with_the_problems(desk, comment):
    desk.session(price="free @octocat #12", spaces="<b>many</b>")
    page, _ = run(desk, comment, "plan")
    assert page.startswith("## Plan failed: 2 errors. Nothing can be applied.")
    assert "What stops the apply** (2 reasons)" in page


def test_a_plan_that_could_not_read_everything_says_so_in_its_heading(desk, comment):
    desk.session()
    page, _ = run(desk, comment, "plan", "--timeout", "0.001")
    assert page.startswith("## Plan: 1 unknown. It is incomplete.\n")


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "destroy"])
def test_a_project_file_with_a_mistake_gives_a_page(desk, comment, command):
    desk.project("kind: Project\nspec: [@octocat]\n")
    page, _ = run(desk, comment, command, *(["--yes"] if command in {"apply", "destroy"} else []))
    assert page.startswith(f"## {command.capitalize()} failed\n")
    assert "**error:**" in page


def test_a_missing_credential_gives_a_page_and_no_value(desk, comment):
    desk.session()
    del desk.env["BB_PASSWORD"]
    page, _ = run(desk, comment, "plan")
    assert page.startswith("## Plan failed\n\n**error:** credentials are missing\n")
    assert "BB&#95;PASSWORD" in page


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "destroy"])
def test_a_page_in_html_is_not_an_older_one_either(desk, command):
    page = desk.folder / "page.html"
    page.write_text("Plan: 1 to create.", encoding="utf-8")
    desk.project("kind: <b>Project</b>\nspec: {}\n")
    yes = ["--yes"] if command in {"apply", "destroy"} else []
    desk.run(command, *yes, "--output", "page.html", code=1)
    text = page.read_text(encoding="utf-8")
    harmless(text, "html")
    assert f"<h1>{command.capitalize()} failed</h1>" in text
    assert "has problems" in text
    assert "&lt;b&gt;Project&lt;/b&gt;" in text


def test_a_stale_plan_gives_a_page_with_the_difference(desk, comment):
    desk.session()
    desk.run("plan", "--out", "saved.plan", code=0)
    desk.session(price=99)
    page, _ = run(desk, comment, "apply", "saved.plan", "--yes", code=5)
    assert page.startswith("## Apply failed\n")
    assert "Session/yoga" in page


def test_a_refused_apply_keeps_the_page_of_its_report(desk, comment):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.forget("Session", "yoga")
    page, _ = run(desk, comment, "apply", "--yes", "--max-deletes", "0", code=4)
    assert page.startswith("## Refused before the first write.")


def test_a_plan_that_apply_would_refuse_says_so_in_its_heading(desk, comment):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.session("other", name="Other", slots=[("2027-05-01", "10:00", 60)])
    desk.forget("Session", "yoga")
    page, _ = run(desk, comment, "plan", "--max-deletes", "0", code=0)
    assert "Apply would refuse it." in page.splitlines()[0]
    assert "What stops the apply" in page


def test_a_page_keeps_to_max_bytes(desk, comment):
    for number in range(60):
        desk.session(f"s{number}", name=f"Yoga {number}", spaces=9, slots=[("2027-05-01", "10:00", 60)])
    page, _ = run(desk, comment, "plan", "--max-bytes", "4096", code=0)
    assert len(page.encode()) <= 4096
    assert "`Session/s59 " in page
    assert "details of" in page
    assert desk.run("plan", "--max-bytes", "100").code == 64


def test_the_same_plan_at_two_commits_has_the_same_bytes_unless_it_is_stamped(desk):
    desk.session()
    git = partial(repository.git, desk.folder, GIT_AUTHOR_NAME="Ann")
    git("init", "-q", "-b", "main")
    (desk.folder / ".gitignore").write_text(".reconciler/\n", encoding="utf-8")
    documents, pages = [], []
    for message in ("first", "second"):
        git("add", ".")
        git("commit", "-q", "--allow-empty", "-m", message)
        documents.append(desk.run("plan", "--format", "json", code=0).out)
        pages.append(desk.run("plan", "--format", "markdown", code=0).out)
    assert documents[0] == documents[1]
    assert pages[0] != pages[1]
    assert "by Ann; branch main" in pages[1]
    stamped = desk.run("plan", "--format", "json", "--stamp", code=0).json
    assert (stamped["context"]["branch"], stamped["context"]["clean"]) == ("main", True)
    assert stamped["made_at"].endswith("Z")
    desk.run("plan", "--out", "stamped.plan", "--stamp", code=0)
    report = desk.run("apply", "stamped.plan", "--yes", "--format", "json", code=0).json
    assert report["context"]["author"] == "Ann"
