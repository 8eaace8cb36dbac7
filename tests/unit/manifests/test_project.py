"""The project file: the contract's own example, environments, and what is refused."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import make_dataclass

import pytest

from reconciler import registry
from reconciler.errors import InvalidInput, ReconcilerError
from reconciler.manifests.project import load_project
from reconciler.providers.base import ProviderSpec
from reconciler.providers.bookingbug_admin.settings import AdminSettings
from reconciler.settings import ProviderSettings

CONTRACT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: acme}
spec:
  manifests: [manifests]
  state: sqlite:///.reconciler/state.db
  connections:
    sessions:
      provider: bookingbug-sessions
      base_url: https://uk.bookingbug.com
      auth: {username: {env: BB_USERNAME}, password: {file: secrets/pw}}
    admin:
      provider: bookingbug-admin
      base_url: https://acme.bookingbug.com
      company_id: 37004
      auth: {app_id: {env: BB_APP_ID}, app_key: {env: BB_APP_KEY}, auth_token: {command: [pass, show, it]}}
    shop:
      provider: checkfront
      base_url: https://your-company.checkfront.com
      auth: {key: {env: CF_KEY}, secret: {env: CF_SECRET}}
  policy:
    max_deletes: 10
  values: [values/common.yaml]
  environments:
    prod:
      connections: {admin: {base_url: https://prod.bookingbug.com/, auth: {app_id: {file: id}}}}
      values: [values/prod.yaml]
      policy: {max_change_percent: 50}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "values").mkdir()
    (tmp_path / "values/common.yaml").write_text("a: 1\nb: {c: 1, d: 1}\n", encoding="utf-8")
    (tmp_path / "values/prod.yaml").write_text("b: {c: 2}\n", encoding="utf-8")
    return tmp_path


def load(folder, text=CONTRACT, environment=None, providers=None):
    (folder / "reconciler.yaml").write_text(text, encoding="utf-8")
    return load_project(None, environment, providers={**registry.providers(), **(providers or {})})


def faults(folder, text, environment=None, providers=None):
    with pytest.raises(InvalidInput) as caught:
        load(folder, text, environment, providers)
    return [str(problem) for problem in caught.value.problems]


def test_the_contracts_example(folder):
    project = load(folder)
    assert (project.name, project.root, project.manifests) == ("acme", folder, ("manifests",))
    assert project.state == f"sqlite:///{folder}/.reconciler/state.db"
    sessions, admin = project.connections["sessions"], project.connections["admin"]
    assert sessions.auth["password"].name == str(folder / "secrets/pw")
    assert str(sessions.auth["password"].where) == "reconciler.yaml:11:54"
    token = admin.auth["auth_token"]
    assert (token.command, token.folder) == (("pass", "show", "it"), str(folder))
    assert admin.settings == AdminSettings(company_id=37004)
    assert str(admin.where) == "reconciler.yaml:12:5"
    assert project.policy.max_deletes == 10
    assert str(project.policy.set_at["max_deletes"]) == "reconciler.yaml:22:18"
    assert "max_change_percent" not in project.policy.set_at
    assert project.values == {"a": 1, "b": {"c": 1, "d": 1}}


def test_an_environment_overrides_the_project(folder):
    project = load(folder, environment="prod")
    admin = project.connections["admin"]
    assert admin.base_url == "https://prod.bookingbug.com"
    assert admin.auth["app_id"].source == "file"
    assert admin.auth["app_key"].source == "env"
    assert str(admin.auth["app_id"].where) == "reconciler.yaml:26:84"
    assert project.policy.max_change_percent == 50
    assert str(project.policy.set_at["max_change_percent"]) == "reconciler.yaml:28:36"
    assert project.values == {"a": 1, "b": {"c": 2, "d": 1}}
    assert project.environment == "prod"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n"])
def test_a_values_file_may_be_empty_and_the_project_file_may_not(folder, text):
    (folder / "values/prod.yaml").write_text(text, encoding="utf-8")
    assert load(folder, environment="prod").values == {"a": 1, "b": {"c": 1, "d": 1}}
    assert faults(folder, text) == ["reconciler.yaml is empty; expected a mapping"]


def test_it_is_found_from_below_and_by_folder(folder, monkeypatch):
    load(folder)
    (folder / "deep/er").mkdir(parents=True)
    monkeypatch.chdir(folder / "deep/er")
    assert load_project(None, None, providers=registry.providers()).file == folder / "reconciler.yaml"
    assert load_project(folder, None, providers=registry.providers()).root == folder
    with pytest.raises(InvalidInput, match=r"does not exist"):
        load_project(folder / "deep", None, providers=registry.providers())


@pytest.mark.parametrize("spelling", ["1", "1.0", "1e0", "1.00", "1.5"])
def test_a_number_may_be_written_in_any_way(folder, spelling):
    text = CONTRACT.replace(
        "provider: bookingbug-sessions", f"timeout: {spelling}\n      provider: bookingbug-sessions"
    )
    assert load(folder, text).connections["sessions"].timeout == float(spelling)


@pytest.mark.parametrize("company", ["37004.0", "3.7004e4", "37004.00"])
def test_another_spelling_of_the_company_is_the_same_target(folder, company):
    text = CONTRACT.replace("company_id: 37004", f"company_id: {company}").replace(
        "max_deletes: 10", "max_deletes: 1e1"
    )
    over = text.replace("{admin: {base_url", f"{{admin: {{company_id: {company}, base_url")
    for project in (load(folder, text), load(folder, over, "prod")):
        admin = project.connections["admin"]
        assert admin.target.endswith(".bookingbug.com company 37004")
        assert (repr(admin.settings.company_id), repr(project.policy.max_deletes)) == ("37004", "10")


@pytest.mark.parametrize("here", ["values", ".."])
def test_places_are_relative_to_the_project_wherever_it_is_read(folder, monkeypatch, here):
    load(folder)
    (folder / "values/common.yaml").write_text("a: 1\na: 2\n", encoding="utf-8")
    monkeypatch.chdir(folder / here)
    with pytest.raises(InvalidInput) as caught:
        load_project(folder, None, providers=registry.providers())
    assert [str(problem.where) for problem in caught.value.problems] == ["values/common.yaml:2:1"]
    (folder / "values/common.yaml").write_text("a: 1\n", encoding="utf-8")
    project = load_project(folder / "values" / "..", None, providers=registry.providers())
    assert str(project.policy.set_at["max_deletes"]) == "reconciler.yaml:22:18"
    assert str(project.connections["admin"].where) == "reconciler.yaml:12:5"


def test_unknown_environment(folder):
    assert 'unknown environment "prd"; expected one of prod; did you mean "prod"?' in faults(folder, CONTRACT, "prd")[0]


@pytest.mark.parametrize("chosen", [None, "prod"])
def test_a_connection_of_an_environment_is_one_of_the_project_or_has_a_provider(folder, chosen):
    wrong = CONTRACT.replace("connections: {admin: {", "connections: {amdin: {")
    what = 'reconciler.yaml:26:21: environment "prod": connection "amdin" is not one of the project'
    expected = 'expected one of admin, sessions, shop, or a provider; did you mean "admin"?'
    assert faults(folder, wrong, chosen) == [f"{what}; {expected}"]
    more = "connections: {amdin: {provider: checkfront, auth: {key: {env: K}, secret: {env: S}}, "
    added = CONTRACT.replace("connections: {admin: {", more).replace(", auth: {app_id: {file: id}}}}", "}}")
    assert "amdin" in load(folder, added, "prod").connections


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "{env: BB_USERNAME}",
            "hunter2",
            "11:24: spec.connections.sessions.auth.username is a literal; expected exactly",
        ),
        ("{env: BB_USERNAME}", "{env: A, file: hunter2}", "names 2 sources; expected exactly one"),
        ("{env: BB_USERNAME}", "{env: hunter 2}", "username.env cannot be used; expected the name of an environment"),
        ("username: {env: BB_USERNAME}, ", "", "auth.username is missing"),
        ("{env: BB_USERNAME}", "!!int hunter2", "the value does not match its tag !!int"),
        ("auth_token:", "auth_tokn:", 'unknown field "auth_tokn" in auth; did you mean "auth_token"?'),
        (
            ", auth_token: {command: [pass, show, it]}",
            "",
            "auth has no login; expected auth_token, or email and password",
        ),
        ("auth_token:", "email:", "auth.password is missing"),
        ("      company_id: 37004\n", "", 'connection "admin": company_id is missing'),
        ("company_id: 37004", "acess: public", "did you mean"),
        ("bookingbug-sessions", "bookingbug-sesions", 'did you mean "bookingbug-sessions"?'),
        (
            "https://uk.bookingbug.com",
            "http://uk.bookingbug.com",
            "uses http, which sends credentials unencrypted",
        ),
        ("https://uk.bookingbug.com", "https://me:hunter2@uk.bookingbug.com", "base_url contains credentials"),
        ("https://uk.bookingbug.com", "https://uk.bookingbug.com/?x=1", "base_url contains a query"),
        ("https://uk.bookingbug.com", "ftp://uk.bookingbug.com", "base_url is not an http or https URL"),
        ("https://uk.bookingbug.com", "https://x:99999999", "base_url is not an http or https URL"),
        ("sqlite:///.reconciler/state.db", "postgresql://u:hunter2@db/x", "PGPASSWORD"),
        ("sqlite:///.reconciler/state.db", "postgresql://u@db/x?password=hunter2", "PGPASSWORD"),
        ("sqlite:///.reconciler/state.db", "postgresql://u@db/x?sslmode=require&sslpassword=hunter2", "PGPASSWORD"),
        ("sqlite:///.reconciler/state.db", "mysql://db", "6:10: state is not the URL of"),
        ("max_deletes: 10", "max_deletes: -1", "spec.policy.max_deletes is -1"),
        ("values/common.yaml", "values/none.yaml", 'values file "values/none.yaml" does not exist'),
        ("manifests: [manifests]", "manifests: manifests", "expected a list of files"),
        ("  policy:", "  polcy: 1\n  policy:", 'unknown field "polcy" in spec; did you mean "policy"?'),
    ],
)
def test_refused_with_one_sentence_and_no_secret(folder, old, new, sentence):
    assert old in CONTRACT
    found = faults(folder, CONTRACT.replace(old, new, 1))
    assert any(sentence in each for each in found), found
    assert not any("hunter" in each for each in found)


WINDOW = "{allow: nights, cron: 0 22 * * *, duration: 6h, timezone: Europe/London}"


def with_windows(*entries):
    return CONTRACT.replace("  policy:\n", f"  policy:\n    windows: [{', '.join(entries)}]\n", 1)


def test_windows_are_read_with_their_places_and_an_environment_replaces_them(folder):
    deny = "{deny: Christmas, from: 2027-12-20, until: 2028-01-03T09:00, timezone: Europe/London}"
    text = with_windows(WINDOW, deny)
    nights, christmas = load(folder, text).policy.windows
    assert (nights.name, nights.allows, nights.cron, str(nights.duration)) == ("nights", True, "0 22 * * *", "6:00:00")
    assert str(nights.where) == f"reconciler.yaml:22:{len('    windows: [') + 1}"
    assert (christmas.name, christmas.allows, christmas.last.isoformat()) == (
        "Christmas",
        False,
        "2028-01-03T09:00:00+00:00",
    )
    over = text.replace("policy: {max_change_percent: 50}", "policy: {windows: []}")
    assert load(folder, over, environment="prod").policy.windows == ()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("allow: nights, ", "", "allow or deny is missing"),
        ("allow: nights", "allow: a, deny: b", "spec.policy.windows[0]: deny is given together with allow"),
        ("allow: nights", "allow: ''", "expected 1 to 100 characters"),
        ("cron: 0 22 * * *", "cron: hourly", "expected five fields such as '0 22 * * MON-FRI'"),
        ("cron: 0 22 * * *", "cron: 0 0 22 * * *", "expected five fields"),
        ("cron: 0 22 * * *", "cron: 0 24 * * *", "22:15: policy.windows: cron '0 24 * * *' cannot be read (Bad hour)"),
        ("cron: 0 22 * * *, duration: 6h, ", "", "cron is missing; expected cron and duration, or from and until"),
        (", duration: 6h", "", "cron has no duration"),
        ("cron: 0 22 * * *, ", "from: 2027-01-01, ", "duration has no cron"),
        ("duration: 6h", "duration: 6 hours", "expected a length of time such as 6h, 90m or 1d12h"),
        ("duration: 6h", "duration: 6h, from: 2027-01-01", "from is given together with cron"),
        ("duration: 6h", "duration: 6h, until: 2027-01-01", "until is given together with cron"),
        ("Europe/London", "BST", "expected an IANA time zone such as Europe/London"),
        (", timezone: Europe/London", "", "timezone is missing"),
        ("duration: 6h", "duration: 6h, days: 2", 'unknown field "days" in spec.policy.windows[0]'),
    ],
)
def test_a_window_is_refused_with_one_sentence(folder, old, new, sentence):
    assert old in WINDOW
    found = faults(folder, with_windows(WINDOW.replace(old, new, 1)))
    assert len(found) == 1, found
    assert sentence in found[0]


def test_an_empty_setting_may_be_left_out(folder):
    text = CONTRACT.replace("max_deletes: 10", "max_deletes: ~").replace("company_id: 37004", "timeout: ")
    with pytest.raises(InvalidInput) as caught:
        load(folder, text)
    hints = {each.hint for each in caught.value.problems if "is empty" in each.summary}
    assert hints == {"leave the field out to use its default"}


def test_all_problems_are_reported_together(folder):
    text = CONTRACT.replace("{env: CF_KEY}", "x").replace("max_deletes: 10", "max_deletes: x").replace("37004", "x")
    assert len(faults(folder, text)) == 3


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9"])
def test_http_to_this_machine(folder, url):
    text = CONTRACT.replace("https://uk.bookingbug.com", url)
    assert load(folder, text).connections["sessions"].base_url == url


def test_http_elsewhere_when_allowed(folder):
    text = CONTRACT.replace("base_url: https://uk.bookingbug.com", "base_url: http://x.test\n      allow_http: true")
    assert load(folder, text).connections["sessions"].allow_http is True


def test_public_access_needs_no_login(folder):
    text = CONTRACT.replace(", auth_token: {command: [pass, show, it]}", "").replace(
        "company_id: 37004", "company_id: 37004\n      access: public"
    )
    assert load(folder, text).connections["admin"].settings.reads_only


DEPOT = {"title": "Depot", "description": "Where tools are.", "type": "string", "errorMessage": "the name of a depot"}
NUMBERS = itertools.count()
"""A package is imported, and its schema read, once for all tests."""
TOKEN = {"title": "Token", "description": "API token.", "examples": [{"env": "T"}]}


@pytest.fixture
def other_provider(tmp_path, monkeypatch):
    """Make a provider of another package, with the given part of the schema."""

    def make(name="tool-hire", **part):
        package = f"package_{next(NUMBERS)}"
        (tmp_path / "packages" / package).mkdir(parents=True)
        (tmp_path / "packages" / package / "__init__.py").touch()
        text = json.dumps({"title": f"The API {name}", "description": "", **part})
        (tmp_path / "packages" / package / "connection.schema.json").write_text(text, encoding="utf-8")
        fields = [(key, str) for key in part["properties"] if key != "auth"]
        settings = make_dataclass("Settings", fields, bases=(ProviderSettings,), frozen=True, kw_only=True)
        opened = {"calls": lambda *_: (), "open": lambda *_: None, "settings": settings}
        return {name: ProviderSpec(name=name, schema=f"{package}:connection", **opened)}

    monkeypatch.syspath_prepend(tmp_path / "packages")
    return make


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        ("depot: lds\n      auth: {token: {env: T}}", []),
        ("auth: {token: {env: T}}", ['18:7: connection "shop": depot is missing; expected the name of a depot']),
        ("depot: lds", ['18:7: connection "shop": auth is missing; expected token']),
        ("depot: lds\n      auth: {}", ['21:13: connection "shop": auth.token is missing; it is required']),
        (
            "depot: lds\n      auth: {tokn: {env: T}}",
            ['21:14: connection "shop": unknown field "tokn" in auth; did you mean "token"?'],
        ),
        (
            "depot: lds\n      auth: {token: {env: T}, key: {env: K}}",
            ['21:31: connection "shop": unknown field in auth; expected token'],
        ),
        (
            "depot: lds\n      auth: {token: hunter2}",
            ["21:21: spec.connections.shop.auth.token is a literal; expected exactly one of {env: NAME}"],
        ),
        (
            "depot: 5\n      auth: {token: {env: T}}",
            ["20:14: spec.connections.shop.depot is 5; expected the name of a depot"],
        ),
        (
            "depo: lds\n      auth: {token: {env: T}}",
            ['20:7: unknown field "depo" in spec.connections.shop; did you mean "depot"?'],
        ),
        (
            "depot: lds\n      on_behalf: x\n      auth: {token: {env: T}}",
            ['21:7: connection "shop": on_behalf is not for provider tool-hire; remove it'],
        ),
    ],
)
def test_a_provider_of_another_package_describes_its_settings_and_credentials(
    folder, other_provider, connection, expected
):
    spec = other_provider(
        required=["depot", "auth"],
        properties={"depot": DEPOT, "auth": {"required": ["token"], "properties": {"token": TOKEN}}},
    )
    text = CONTRACT.replace("checkfront\n", "tool-hire\n").replace(
        "auth: {key: {env: CF_KEY}, secret: {env: CF_SECRET}}", connection
    )
    if expected:
        found = [each.removeprefix("reconciler.yaml:") for each in faults(folder, text, providers=spec)]
        assert [any(each.startswith(start) for each in found) for start in expected] == [True] * len(expected), found
    else:
        shop = load(folder, text, providers=spec).connections["shop"]
        assert (shop.provider, shop.settings.depot, list(shop.auth)) == ("tool-hire", "lds", ["token"])


def test_settings_of_two_other_packages_do_not_meet(folder, other_provider):
    number = {"title": "Depot", "description": "Its number.", "type": "integer", "errorMessage": "a number"}
    specs = other_provider(properties={"depot": DEPOT}) | other_provider("skip-hire", properties={"depot": number})
    extra = "\n    tools: {provider: tool-hire, base_url: https://t.test, depot: lds}"
    extra += "\n    skips: {provider: skip-hire, base_url: https://s.test, depot: 7}"
    text = CONTRACT.replace("  connections:", "  connections:" + extra, 1)
    assert load(folder, text, providers=specs).connections["skips"].settings.depot == 7
    assert "skips.depot" not in str(faults(folder, text.replace("lds}", "7}"), providers=specs))
    wrong = text.replace("provider: checkfront", "provider: checkfront\n      depot: x")
    (fault,) = faults(folder, wrong, providers=specs)
    assert fault.endswith("depot is only for provider tool-hire or skip-hire; remove it")


def test_a_provider_of_another_package_cannot_change_a_common_setting(folder, other_provider):
    spec = other_provider(properties={"timeout": {"type": "string"}})
    with pytest.raises(ReconcilerError, match="defines timeout, which is a setting of reconciler") as refused:
        load(folder, providers=spec)
    assert spec["tool-hire"].schema.partition(":")[0] in refused.value.hint


@pytest.mark.parametrize(
    "text", ["", "- 1", "a: [", "spec: 3", "kind: Project\nspec: {connections: [1]}", "a: 1\n---\nb: 1"]
)
def test_odd_files_are_problems_and_not_exceptions(folder, text):
    assert faults(folder, text)


RISKY = CONTRACT.replace("    max_deletes: 10\n", "    risks: {booked-slot-changed: block, expired-or-booked: block}\n")


def test_levels_of_risks_are_read_with_their_places_and_an_environment_over_them(folder):
    over = RISKY.replace("policy: {max_change_percent: 50}", "policy: {risks: {booked-slot-changed: warn}}")
    policy = load(folder, over, environment="prod").policy
    assert policy.risks == {"booked-slot-changed": "warn", "expired-or-booked": "block"}
    assert {code: where.line for code, where in policy.risks_at.items()} == {
        "booked-slot-changed": 28,
        "expired-or-booked": 22,
    }


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("booked-slot-change: block", 'did you mean "booked-slot-changed"?'),
        ("already-exists: warn", 'unknown field "already-exists" in spec.policy.risks'),
        ("booked-slot-moved: ignore", 'is "ignore"; expected block or warn'),
    ],
)
def test_a_wrong_level_or_code_is_reported_with_its_place(folder, setting, sentence):
    (fault,) = faults(folder, RISKY.replace("booked-slot-changed: block", setting))
    assert fault.startswith("reconciler.yaml:22:")
    assert sentence in fault


def test_a_currency_is_one_of_iso_4217(folder):
    def stated(code):
        return CONTRACT.replace("  policy:\n", f"  currency: {code}\n  policy:\n", 1)

    assert load(folder, stated("GBP")).currency == "GBP"
    over = stated("GBP").replace("policy: {max_change", "currency: EUR\n      policy: {max_change")
    assert load(folder, over, environment="prod").currency == "EUR"
    assert load(folder).currency is None
    for wrong, sentence in (
        ("GBB", "currency GBB is not a current ISO 4217 code; expected"),
        ("gbp", "expected an ISO 4217 code such as"),
    ):
        (fault,) = faults(folder, stated(wrong))
        assert sentence in fault


def test_values_with_characters_that_cannot_be_sent_are_refused(folder):
    (folder / "odd.yaml").write_text('a: {b: ["x", "y\\0"]}\n"k\\v": 1\n', encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        load(folder, re.sub("values: .*yaml]", "values: [odd.yaml]", CONTRACT, count=1))
    assert [str(problem).partition(",")[0] for problem in refused.value.problems] == [
        'odd.yaml:1:14: a.b[1] is "y\\x00"; it contains U+0000',
        'odd.yaml:2:1: the key "k\\x0b" contains U+000B',
    ]
