"""`plan --env prod --compare staging`: what differs between the environments, and what has not been promoted."""

from __future__ import annotations

import json

import pytest
from desk import PROJECT

from reconciler.sandbox import Sandbox

ENVIRONMENTS = """\
  currency: GBP
  policy: {{max_deletes: 5}}
  environments:
    staging:
      values: [values/staging.yaml]
      connections:
        sessions: {{base_url: {url}, auth: {{username: {{env: STAGING_USER}}, password: {{env: STAGING_PASSWORD}}}}}}
      policy: {{max_deletes: 50, max_change_percent: 30}}
    prod:
      values: [values/prod.yaml]
    broken: {{}}
"""


@pytest.fixture(scope="module")
def elsewhere():
    with Sandbox() as box:
        yield box


@pytest.fixture
def town(desk, elsewhere):
    """Return a desk with the environments staging and prod, each with its own system and values."""
    elsewhere.reset()
    desk.project(PROJECT.format(url=desk.box.url) + ENVIRONMENTS.format(url=elsewhere.url))
    (desk.folder / "values").mkdir()
    (desk.folder / "values" / "staging.yaml").write_text("price: 1\n", encoding="utf-8")
    (desk.folder / "values" / "prod.yaml").write_text("price: 12.50\n", encoding="utf-8")
    desk.session("yoga", price="{{ values.price }}")
    desk.session("swim", name="Swim")
    desk.env |= {"STAGING_USER": desk.env["BB_USERNAME"], "STAGING_PASSWORD": desk.env["BB_PASSWORD"]}
    return desk


def compared(town, *arguments, code=0):
    done = town.run("plan", "--env", "prod", "--compare", "staging", "--format", "json", *arguments, code=code)
    return done.json["comparison"]


def promotions(comparison):
    return {item["address"]: item["promotion"] for item in comparison["objects"]}


def test_what_values_and_settings_make_different_is_told_apart_from_what_should_be_equal(town):
    found = compared(town)
    assert found["environment"] == "staging"
    yoga = next(item for item in found["objects"] if item["address"] == "Session/yoga")
    assert yoga["fields"] == [{"path": "price", "here": "12.50", "there": "1.00"}]
    settings = {item["name"]: item for item in found["settings"]}
    assert {name: item["expected"] for name, item in settings.items()} == {
        "connections.sessions.base_url": True,
        "policy.max_change_percent": False,
        "policy.max_deletes": False,
        "values": True,
    }
    assert settings["policy.max_deletes"] == {
        "name": "policy.max_deletes",
        "here": "5",
        "there": "50",
        "expected": False,
    }
    percent = settings["policy.max_change_percent"]
    assert (percent["here"], percent["there"]) == ("30 above 10 updates", "30"), "a stated limit counts from the first"
    shown = town.run("plan", "--env", "prod", "--compare", "staging", code=0).out
    assert "Expected to differ" in shown
    assert "    Session/yoga price: 12.50 here, 1.00 in staging\n" in shown
    assert shown.index("Not expected to differ") < shown.index("policy.max_deletes: 5 here, 50 in staging")


def test_an_object_goes_from_not_tried_over_not_promoted_to_promoted(town):
    assert promotions(compared(town)) == {"Session/swim": "not-tried", "Session/yoga": "not-tried"}
    town.run("apply", "--env", "staging", "--yes", code=0)
    assert promotions(compared(town)) == {"Session/swim": "not-promoted", "Session/yoga": "not-promoted"}
    town.run("apply", "--env", "prod", "--yes", code=0)
    found = compared(town)
    assert promotions(found) == {"Session/yoga": "promoted"}  # it is named for its price
    assert found["promoted"] == 2
    shown = town.run("plan", "--env", "prod", "--compare", "staging", code=0).out
    assert "Everything that is applied to staging is applied to prod" in shown
    # A change: tried in neither, then in staging only; and one that was applied to prod without staging.
    town.session("swim", name="Swim", price=36, spaces=9)
    town.session("yoga", price="{{ values.price }}", spaces=3)
    assert promotions(compared(town)) == {"Session/swim": "not-tried", "Session/yoga": "not-tried"}
    town.run("apply", "--env", "staging", "--target", "Session/swim", "--yes", code=0)
    town.run("apply", "--env", "prod", "--target", "Session/yoga", "--yes", code=0)
    found = compared(town)
    assert promotions(found) == {"Session/swim": "not-promoted", "Session/yoga": "ahead"}
    swim = found["objects"][0]
    assert (swim["pending"], swim["fields"]) == (["price", "spaces"], [])


def test_a_deletion_is_promoted_like_any_other_change(town):
    town.run("apply", "--env", "staging", "--yes", code=0)
    town.run("apply", "--env", "prod", "--yes", code=0)
    town.forget("Session", "swim")
    assert promotions(compared(town))["Session/swim"] == "not-tried"
    town.run("apply", "--env", "staging", "--yes", code=0)
    item = compared(town)["objects"][0]
    assert (item["address"], item["promotion"], item["pending"], item["declared"]) == (
        "Session/swim",
        "not-promoted",
        [],
        "both",
    )
    town.run("apply", "--env", "prod", "--yes", code=0)
    assert "Session/swim" not in promotions(compared(town))


def test_an_object_that_only_one_environment_declares_is_not_expected(town):
    town.declare("Session", "{{ environment }}-only", {"name": "Only", "type": "course", "group": "x", "slots": None})
    path = next((town.folder / "manifests").glob("session-{{*"))
    document = json.loads(path.read_text(encoding="utf-8"))
    document["spec"] |= {"start_date": "2027-03-01", "time": "10:00"}
    path.unlink()
    town.manifest("only.json", json.dumps(document))
    found = {item["address"]: item["declared"] for item in compared(town)["objects"]}
    assert (found["Session/prod-only"], found["Session/staging-only"]) == ("here", "there")
    shown = town.run("plan", "--env", "prod", "--compare", "staging", code=0).out
    assert "Session/staging-only is declared only in staging" in shown


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_every_format_shows_the_comparison_and_the_selection_limits_it(town, form):
    shown = town.run("plan", "--env", "prod", "--compare", "staging", "--format", form, code=0).out
    assert "Compared with environment staging" in shown
    assert "Not tried: applied neither to staging nor to prod" in shown
    chosen = compared(town, "--target", "Session/swim")
    assert promotions(chosen) == {"Session/swim": "not-tried"}


def test_staging_is_not_asked_and_its_credentials_are_not_needed(town, elsewhere):
    town.run("apply", "--env", "staging", "--yes", code=0)
    elsewhere.clear_log()
    for name in ("STAGING_USER", "STAGING_PASSWORD"):
        del town.env[name]
    host = town.box.url.removeprefix("http://")
    done = town.run(
        *("plan", "--env", "prod", "--compare", "staging", "--detailed-exitcode", "--format", "json"),
        code=2,
        RECONCILER_HOSTS=host,
        RECONCILER_ENV="BB_*",
    )
    assert promotions(done.json["comparison"])["Session/swim"] == "not-promoted"
    assert elsewhere.log() == []


def test_a_plan_with_a_comparison_is_saved_and_applied_and_the_document_is_stable(town):
    first = town.run("plan", "--env", "prod", "--compare", "staging", "--out", "pr.plan", "--format", "json", code=0)
    again = town.run("plan", "--env", "prod", "--compare", "staging", "--format", "json", code=0)
    assert first.out == again.out
    assert town.run("show", "pr.plan", code=0).out.count("Compared with environment staging") == 1
    town.run("apply", "pr.plan", "--env", "prod", "--yes", code=0)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--env", "prod", "--compare", "prod"), 64, "is the environment itself"),
        (("--env", "prod", "--compare", "stagin"), 1, 'did you mean "staging"?'),
        (("--compare", "staging"), 1, "values.price is not defined"),
        (("--env", "prod", "--compare", "broken"), 1, "the manifests have problems in environment broken"),
    ],
)
def test_an_environment_that_cannot_be_compared_is_refused(town, arguments, code, words):
    assert words in town.run("plan", *arguments, code=code).err


def test_hostile_values_are_harmless_in_the_comparison(town):
    hostile = "@team #12 <b>x</b> ![](https://evil.example)"
    (town.folder / "values" / "staging.yaml").write_text(f"price: 1\nname: {hostile!r}\n", encoding="utf-8")
    (town.folder / "values" / "prod.yaml").write_text("price: 2\nname: Swim\n", encoding="utf-8")
    town.session("swim", name="{{ values.name }}")
    command = ("plan", "--env", "prod", "--compare", "staging", "--format")
    markdown = town.run(*command, "markdown", code=0).out
    assert "Session/swim name: " in markdown
    for harmful in ("@team", "#12", "<b>", "](https"):
        assert harmful not in markdown
    assert "<b>x" not in town.run(*command, "html", code=0).out
