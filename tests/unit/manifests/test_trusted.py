"""A trusted file decides on connections, state and policy, and what it overrules is said without its values."""

from __future__ import annotations

import pytest

from reconciler import registry
from reconciler.errors import InvalidInput
from reconciler.manifests.project import load_project

BASE = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: acme}
spec:
  manifests: [manifests]
  state: postgresql://ci@db.example/state
  connections:
    admin:
      provider: bookingbug-admin
      base_url: https://acme.bookingbug.com
      company_id: 37004
      ca_file: ca.pem
      auth: {app_id: {env: ID}, app_key: {env: KEY}, auth_token: {file: secrets/token}}
  policy: {max_deletes: 3, risks: {booked-slot-lost: block}}
  environments:
    prod:
      connections: {admin: {base_url: https://prod.bookingbug.com}}
      policy: {max_deletes: 1}
"""


@pytest.fixture
def load(tmp_path):
    trusted, mine = tmp_path / "trusted.yaml", tmp_path / "mine"
    mine.mkdir()
    trusted.write_text(BASE, encoding="utf-8")

    def loaded(*edits, environment=None, file=trusted):
        text = BASE
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        (mine / "reconciler.yaml").write_text(text, encoding="utf-8")
        return load_project(mine, environment, providers=registry.providers(), trusted=file)

    return loaded


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("//acme.booking", "//evil.booking", "spec.connections.admin.base_url is ignored: it differs"),
        (
            "//prod.booking",
            "//evil.booking",
            "spec.environments.prod.connections.admin.base_url is ignored: it differs",
        ),
        ("env: KEY", "env: GITHUB_TOKEN", "spec.connections.admin.auth.app_key.env is ignored: it differs"),
        ("{env: KEY}", "{command: [sh]}", "spec.connections.admin.auth.app_key.command is ignored: the trusted file"),
        ("company_id: 37004", "company_id: 9", "spec.connections.admin.company_id is ignored: it differs"),
        ("ca_file: ca.pem", "ca_file: evil.pem", "spec.connections.admin.ca_file is ignored: it differs"),
        ("ca_file: ca.pem", "allow_http: true", "spec.connections.admin.allow_http is ignored: the trusted file"),
        ("@db.example", "@evil.example", "spec.state is ignored: it differs"),
        ("max_deletes: 3", "max_deletes: 999", "spec.policy.max_deletes is ignored: it differs"),
        ("booked-slot-lost: block", "booked-slot-lost: warn", "spec.policy.risks.booked-slot-lost is ignored: it"),
        ("max_deletes: 1", "max_deletes: 99", "spec.environments.prod.policy.max_deletes is ignored: it differs"),
        ("      policy: {max_deletes: 1}\n", "", "spec.environments.prod.policy is missing; the trusted file sets it"),
        ("name: acme", "name: other", "metadata.name is ignored: it differs"),
    ],
)
@pytest.mark.parametrize("environment", [None, "prod"])
def test_the_trusted_file_decides_and_the_difference_is_said(load, old, new, said, environment):
    plain, changed = load(environment=environment), load((old, new), environment=environment)
    for part in ("name", "connections", "state", "policy"):
        assert getattr(changed, part) == getattr(plain, part)
    assert any(problem.summary.startswith(said) for problem in changed.warnings), changed.warnings
    assert {problem.severity for problem in changed.warnings} == {"warning"}
    assert all(problem.where.path == "reconciler.yaml" for problem in changed.warnings)
    assert "evil" not in str(changed.warnings)
    assert plain.warnings == ()


def test_a_connection_or_environment_that_it_does_not_have_does_not_exist(load):
    evil = (
        "    evil: {provider: checkfront, base_url: 'https://evil.example', auth: {key: {env: A}, secret: {env: B}}}\n"
    )
    made = load(("  policy: {max_deletes: 3", f"{evil}  policy: {{max_deletes: 3"))
    assert set(made.connections) == {"admin"}
    with pytest.raises(InvalidInput) as error:
        load(("    prod:", "    staging:"), environment="staging")
    assert "unknown environment" in str(error.value.problems)


def test_manifests_and_values_come_from_the_project(load, tmp_path):
    made = load(("manifests: [manifests]", "manifests: [others]\n  currency: EUR"))
    assert (made.manifests, made.currency, made.root, made.warnings) == (("others",), "EUR", tmp_path / "mine", ())


def test_files_are_beside_the_file_that_names_them_but_a_file_of_the_state_is_in_the_project(load, tmp_path):
    admin = load().connections["admin"]
    assert (admin.ca_file, admin.auth["auth_token"].name) == (f"{tmp_path}/ca.pem", f"{tmp_path}/secrets/token")
    sqlite = tmp_path / "sqlite.yaml"
    sqlite.write_text(BASE.replace("postgresql://ci@db.example/state", "sqlite:///s.db"), encoding="utf-8")
    assert load(file=sqlite).state == f"sqlite:///{tmp_path}/mine/s.db"


@pytest.mark.parametrize("file", ["", "missing.yaml", "."])
def test_a_trusted_file_that_cannot_be_read_never_leaves_the_decision_to_the_project(load, file):
    with pytest.raises(InvalidInput, match="--trusted-config"):
        load(file=file)


def test_what_is_wrong_with_the_trusted_file_is_an_error(load, tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text(BASE.replace("https://acme", "ftp://acme"), encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"broken\.yaml has problems"):
        load(file=broken)


def test_many_differences_are_counted(load):
    made = load(("    prod:", "".join(f"    e{n}: {{policy: {{max_deletes: 1}}}}\n" for n in range(30)) + "    prod:"))
    assert made.warnings[-1].summary.startswith("10 more settings are ignored")


@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
def test_the_project_file_does_not_check_itself(load, tmp_path, link):
    load()
    file = tmp_path / "mine" / "reconciler.yaml"
    if link is not None:
        other = tmp_path / "linked.yaml"
        getattr(other, link)(file)
        file = other
    with pytest.raises(InvalidInput, match="is the project file itself"):
        load(file=file)
