"""Credentials in the place where their source belongs: refused in every spelling, and not repeated in any message."""

from __future__ import annotations

import pytest
from desk import Desk

HEAD = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: acme}\nspec:\n  manifests: [manifests]\n"
SOURCES = "{username: {env: U}, password: {env: P}}"
GOOD = "https://uk.example"
WORD = "hunter2-Sw0rdf1sh"

AUTH = [
    f'"bob:{WORD}"',
    WORD,
    f"[{WORD}]",
    f"{{username: bob, password: {WORD}}}",
    f"{{username: {{value: {WORD}}}, password: {{env: P}}}}",
    f"{{username: {{env: U, value: {WORD}}}, password: {{env: P}}}}",
    f"{{username: {{env: U}}, password: [{WORD}]}}",
    f'{{username: {{env: U}}, password: {{env: "{WORD}"}}}}',
    f"{{username: {{env: [{WORD}]}}, password: {{env: P}}}}",
    f"{{username: {{env: U}}, password: {{envv: {WORD}}}}}",
    f"{{username: {{env: U}}, password: {{env: P, file: {WORD}}}}}",
    f"{{username: {{env: U}}, password: {{command: {WORD}}}}}",
    f"{{username: {{env: U}}, password: {{command: [echo, {{a: {WORD}}}]}}}}",
    f"{{username: {{env: U}}, password: {{command: [echo, {WORD}], x: 1}}}}",
    f"{{username: {{env: U}}, password: {{vault: {{path: {WORD}}}}}}}",
    f"{{username: {{env: U}}, password: !vault {WORD}}}",
    f"{{username: {{env: U}}, passwrod: {WORD}}}",
    f"{{username: {{env: U}}, password: {{env: P}}, token: {WORD}}}",
    f"{{{WORD}: 1}}",
    f"{{username: {{env: U}}, password: {{{WORD}: x}}}}",
]
URLS = [
    f"https://bob:{WORD}@h.example",
    f"https://{WORD}@h.example",
    f"https://h.example?password={WORD}",
    f"https://h.example/#{WORD}",
    f"bob:{WORD}@h.example",
    f'"https://bob:{WORD} x@h.example"',
    f'["https://bob:{WORD}@h.example"]',
    f"https://bob:{WORD}@h.example:99999",
    f"http://bob:{WORD}@10.0.0.1",
    f"ftp://bob:{WORD}@h.example",
    f"https://bob:{WORD}@",
]
STATES = [
    f"postgresql://bob:{WORD}@h/db",
    f"postgresql://bob%3A{WORD}@h/db",
    f"postgresql://h/db?password={WORD}",
    f"postgresql://h/db?PASSWORD={WORD}",
    f"postgresql://h/db?pass%77ord={WORD}",
    f"postgresql://h/db?sslpassword={WORD}",
    f"postgresql://h/db?options=-c%20password={WORD}",
    f"postgresql://h/db;password={WORD}",
    f"postgres://bob:{WORD}@h/db",
    f"postgresql+asyncpg://bob:{WORD}@h/db",
    f"mysql://bob:{WORD}@h/db",
    f"postgresql://bob:{WORD}@h:99999/db",
    f'"postgresql://bob:{WORD} @h/db"',
    f'"host=h password={WORD}"',
    f"sqlite:///x.db?password={WORD}",
    f'{{url: "postgresql://bob:{WORD}@h/db"}}',
]
KEYS = ["password", "passwrod", "username", "token", "auth_token", "secret"]


def connection(auth=SOURCES, url=GOOD, more=""):
    return (
        "  connections:\n    sessions:\n      provider: bookingbug-sessions\n"
        f"      base_url: {url}\n      auth: {auth}\n{more}"
    )


def overlaid(field, value):
    """Return a sound project whose environment has the mistake."""
    return (
        f"{connection()}  environments:\n    prod:\n      connections:\n        sessions:\n          {field}: {value}\n"
    )


PROJECTS = {
    **{f"auth {auth}": connection(auth=auth) for auth in AUTH},
    **{f"env auth {auth}": overlaid("auth", auth) for auth in AUTH},
    **{f"url {url}": connection(url=url) for url in URLS},
    **{f"env url {url}": overlaid("base_url", url) for url in URLS},
    **{f"state {url}": f"{connection()}  state: {url}\n" for url in STATES},
    **{f"env state {url}": f"{connection()}  environments: {{prod: {{state: {url}}}}}\n" for url in STATES},
    **{f"connection {key}": connection(more=f"      {key}: {WORD}\n") for key in KEYS},
    **{f"project {key}": f"{connection()}  {key}: {WORD}\n" for key in KEYS},
    **{f"env {key}": f"{connection()}  environments: {{prod: {{{key}: {WORD}}}}}\n" for key in KEYS},
    **{f"policy {key}": f"{connection()}  policy: {{{key}: {WORD}}}\n" for key in KEYS},
}


class Nowhere:
    """There is nothing to connect to: every project here is refused before."""

    url = "http://127.0.0.1:9"


@pytest.mark.parametrize("project", PROJECTS)
def test_a_literal_is_refused_and_not_repeated(tmp_path, project):
    desk = Desk(tmp_path, Nowhere())
    desk.project(HEAD + PROJECTS[project])
    for environment in ([], ["--env", "prod"]) if project.startswith("env ") else ([],):
        for line in (["validate"], ["validate", "--format", "json"], ["plan"], ["plan", "--format", "json"]):
            done = desk.run(*line, *environment, code=1)
            assert "reconciler.yaml:" in done.err + done.out
            assert "hunter2" not in done.out + done.err, done


@pytest.mark.parametrize(
    "state", ["postgresql://bob@h/db?passfile=/x/.pgpass", "postgresql://h:5432/db", "sqlite:///a@b:c.db"]
)
def test_what_is_no_password_is_accepted(tmp_path, state):
    desk = Desk(tmp_path, Nowhere())
    desk.project(f"{HEAD}{connection()}  state: {state}\n")
    desk.run("validate", code=0)


def test_a_value_beside_a_mistake_is_known_by_its_place(tmp_path):
    desk = Desk(tmp_path, Nowhere())
    desk.project(HEAD + connection(auth=f"{{username: {{env: U}}, passwrod: {WORD}}}"))
    assert 'did you mean "password"' in desk.run("validate", code=1).err


def test_a_mistake_in_a_values_file_quotes_nothing_of_it(tmp_path):
    (tmp_path / "v.yaml").write_text(f"{WORD}\n", encoding="utf-8")
    desk = Desk(tmp_path, Nowhere())
    desk.project(HEAD + "  values: [v.yaml]\n" + connection())
    done = desk.run("validate", code=1)
    assert "v.yaml:1:1: the values file contains one value; expected a mapping" in done.err
    assert "hunter2" not in done.err
