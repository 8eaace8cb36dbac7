"""Each sandbox is one of its own: its name, its credentials and company, and its port."""

import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from reconciler.sandbox import Options, Sandbox, with_own_credentials

SECRETS = (
    "username", "password", "app_id", "app_key", "auth_token", "email", "admin_password", "checkfront_key",
    "checkfront_secret",
)  # fmt: skip
PATHS = ("/api/sessions.xml", "/api/v1/admin/37004/resources", "/api/3.0/item", "/nowhere", "/_sandbox")


def test_every_answer_names_its_sandbox():
    with Sandbox() as one, Sandbox(Options(name="blue")) as two:
        assert one.name != two.name == "blue"
        for box in (one, two):
            for path in PATHS:
                assert httpx.get(box.url + path).headers["x-sandbox"] == box.name
        assert httpx.get(two.url + "/_sandbox").json()["name"] == "blue"


def test_own_credentials_differ_in_every_part_and_stated_ones_stay():
    one, two = (with_own_credentials(Options(company_zone="Europe/Paris"), ()) for _ in range(2))
    for name in (*SECRETS, "company_id", "name"):
        assert len({getattr(one, name), getattr(two, name), getattr(Options(), name)}) == 3, name
    assert one.company_zone == "Europe/Paris"
    kept = with_own_credentials(Options(username="me", company_id=5), {"username", "company_id"})
    assert (kept.username, kept.company_id, kept.company_alias) == ("me", 5, 0)


def test_one_seed_gives_the_same_credentials():
    assert with_own_credentials(Options(), (), "ci") == with_own_credentials(Options(), (), "ci")
    assert with_own_credentials(Options(), (), "ci") != with_own_credentials(Options(), (), "ci2")


@pytest.mark.parametrize("path", PATHS[:3])
def test_a_refusal_of_anothers_credentials_says_which_sandbox_it_is(path):
    mine, theirs = (with_own_credentials(Options(), (), seed) for seed in ("mine", "theirs"))
    headers = {"App-Id": theirs.app_id, "App-Key": theirs.app_key, "Auth-Token": theirs.auth_token}
    with Sandbox(mine) as box:
        user = (
            (theirs.checkfront_key, theirs.checkfront_secret) if "3.0" in path else (theirs.username, theirs.password)
        )
        answer = httpx.get(box.url + path, headers=headers, auth=user)
        assert answer.status_code == 401
        assert mine.name in answer.text
        assert str(mine.company_id) in answer.text
        right = {"App-Id": mine.app_id, "Auth-Token": mine.auth_token}
        assert httpx.get(f"{box.url}/api/v1/admin/{mine.company_id}/resources", headers=right).status_code == 200
        assert httpx.get(f"{box.url}/api/v1/admin/12/resources", headers=right).status_code == 403


def test_the_documented_company_works_beside_the_own_one():
    mine = with_own_credentials(Options(), ())
    headers = {"App-Id": mine.app_id, "Auth-Token": mine.auth_token}
    with Sandbox(mine, seed="samples") as box:
        for company in (37004, mine.company_id):
            listed = httpx.get(f"{box.url}/api/v1/admin/{company}/resources", headers=headers).json()
            assert listed["total_entries"] == 1
            assert f"/admin/{company}/" in listed["_links"]["self"]["href"]


def _listening(family, address, *, reuse=False):
    other = socket.socket(family, socket.SOCK_STREAM)
    if reuse:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::"))
    other.bind((address, 0))
    other.listen()
    return other


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_a_port_that_any_program_of_this_machine_has_is_in_use(address, reuse):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        other = _listening(family, address, reuse=reuse)
    except OSError:
        pytest.skip("this machine has no such address")
    with other, pytest.raises(OSError, match="in use"):
        Sandbox(port=other.getsockname()[1]).start()


def _start(*arguments):
    command = [sys.executable, "-P", "-m", "reconciler", "sandbox", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _welcome(process):
    """Return the port, the company and the variables that a started sandbox prints."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "/_sandbox/log" in line:
            break
    text = "".join(lines)
    port, company = re.search(r"http://127\.0\.0\.1:(\d+), company (\d+)", text).groups()
    return int(port), int(company), dict(re.findall(r"export (\w+)=(\S+)", text))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a child there")
def test_the_command_prints_what_to_export_and_says_when_it_did_not_start(tmp_path):
    with _start("--port", "0", "--seed", "samples") as first, _start("--port", "0") as second:
        try:
            port, company, variables = _welcome(first)
            _, other_company, others = _welcome(second)
            assert not set(variables.values()) & set(others.values())
            assert company != other_company
            auth = (variables["BB_USERNAME"], variables["BB_PASSWORD"])
            assert httpx.get(f"http://127.0.0.1:{port}/api/sessions.xml", auth=auth).status_code == 200
            with _start("--port", str(port)) as third:
                out, err = third.communicate(timeout=60)
            assert (third.returncode, out) == (1, "")
            assert f"the sandbox did not start: port {port} is in use by another sandbox, sandbox-" in err
            assert "--port 0" in err

            (tmp_path / "manifests").mkdir()
            (tmp_path / "manifests" / "room.yaml").write_text(
                "apiVersion: reconciler/v1\nkind: Resource\nmetadata: {name: room}\nspec: {name: Room}\n"
            )
            for number in (37004, company):
                (tmp_path / "reconciler.yaml").write_text(
                    "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: acme}\nspec:\n"
                    f"  connections:\n    admin:\n      provider: bookingbug-admin\n      company_id: {number}\n"
                    f"      base_url: http://127.0.0.1:{port}\n"
                    "      auth: {app_id: {env: BB_APP_ID}, email: {env: BB_EMAIL}, "
                    "password: {env: BB_ADMIN_PASSWORD}}\n  manifests: [manifests]\n"
                )
                command = [sys.executable, "-P", "-m", "reconciler", "plan"]
                for known, code in ((variables, 0), (others, 1)):
                    done = subprocess.run(
                        command, cwd=tmp_path, env={**os.environ, **known}, capture_output=True, text=True, check=False
                    )
                    assert done.returncode == code, done
                    assert code == 0 or re.search(
                        r"Use the credentials of reconciler sandbox sandbox-\w+, company \d+\.", done.stderr
                    )
        finally:
            for process in (first, second):
                process.send_signal(signal.SIGINT)


def test_a_database_that_cannot_be_opened_is_said(tmp_path):
    with _start("--port", "0", "--db", str(tmp_path / "missing" / "x.db")) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cannot use the database" in err
