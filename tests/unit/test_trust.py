"""What the environment lets a project file use, in every spelling of a host, a variable, a file or a program."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from reconciler.errors import InvalidInput
from reconciler.model.objects import SourceRef
from reconciler.settings import Connection, Credential, Project
from reconciler.trust import HOSTS, Bounds, HostPattern, Reached

AT = SourceRef("reconciler.yaml", 8, 7)


def project(*, url="https://uk.bookingbug.com", **auth):
    connection = Connection(name="admin", provider="x", base_url=url, base_url_at=AT, where=AT, auth=auth)
    return Project(name="acme", file=Path("f"), root=Path(), manifests=(), connections={"admin": connection})


def credential(source, name, *command):
    return Credential(source=source, name=name, command=command, where=AT)


def found(made, environ, reached=None):
    """Return the problems of a project under variables of the environment."""
    try:
        Bounds.of(environ).check(made, reached or Reached())
    except InvalidInput as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("uk.bookingbug.com", "https://uk.bookingbug.com"),
        ("uk.bookingbug.com", "https://UK.bookingbug.com.:443/path"),
        ("UK.BookingBug.com.", "https://uk.bookingbug.com:8443"),
        ("uk.bookingbug.com:443", "https://uk.bookingbug.com"),
        ("https://uk.bookingbug.com", "https://uk.bookingbug.com"),
        ("a.example, uk.bookingbug.com\n b.example", "https://uk.bookingbug.com"),
        ("*.bookingbug.com", "https://acme.uk.bookingbug.com"),
        ("*.bookingbug.com:443", "https://uk.bookingbug.com"),
        ("http://10.0.0.1", "http://10.0.0.1:8080"),
        ("127.0.0.1:8700", "http://127.0.0.1:8700"),
        ("[::1]:8700", "http://[0:0:0:0:0:0:0:1]:8700"),
        ("m\u00fcnchen.example", "https://xn--mnchen-3ya.example"),
    ],
)
def test_a_host_that_is_named_is_allowed_in_any_spelling(allowed, url):
    assert found(project(url=url), {HOSTS: allowed}) == ()


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("", "https://uk.bookingbug.com"),
        (" , ", "https://uk.bookingbug.com"),
        ("uk.bookingbug.com", "https://evil.example"),
        ("uk.bookingbug.com", "https://uk.bookingbug.com.evil.example"),
        ("uk.bookingbug.com", "https://evil-uk.bookingbug.com"),
        ("uk.bookingbug.com", "http://uk.bookingbug.com"),
        ("uk.bookingbug.com", "https://uk.bookingbug.com\\@evil.example"),
        ("uk.bookingbug.com", "https://uk.bookingbug.com@evil.example"),
        ("uk.bookingbug.com", "https://\u0443k.bookingbug.com"),
        ("uk.bookingbug.com:443", "https://uk.bookingbug.com:8443"),
        ("*.bookingbug.com", "https://bookingbug.com"),
        ("*.bookingbug.com", "https://evilbookingbug.com"),
        ("*.bookingbug.com", "https://evil.example\\.bookingbug.com"),
        ("*.bookingbug.com", "https://evil.example%2f.bookingbug.com"),
        ("127.0.0.1", "http://2130706433"),
        ("127.0.0.1", "http://127.1"),
        ("127.0.0.1", "http://0x7f000001"),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]"),
        ("127.0.0.1:1", "http://127.0.0.1:2"),
    ],
)
def test_any_other_host_is_not(allowed, url):
    (problem,) = found(project(url=url), {HOSTS: allowed})
    assert problem.summary.startswith("connections.admin.base_url: RECONCILER_HOSTS does not allow the host ")
    assert (problem.where, "to RECONCILER_HOSTS" in problem.hint) == (AT, True)


@pytest.mark.parametrize(
    "text", ["*", "*:443", "*.", "a*.example", "https://", "a/b", "u@a", "h:99999", "ftp://h", "://h", "-h"]
)
def test_what_names_no_host_is_an_error_and_not_ignored(text):
    with pytest.raises(InvalidInput) as error:
        Bounds.of({HOSTS: f"good.example {text}"})
    assert [HOSTS in problem.summary for problem in error.value.problems] == [True]


@pytest.mark.parametrize("text", ["*.example.com", "*"])
def test_an_option_takes_no_globs(text):
    with pytest.raises(ValueError, match=r"\*"):
        HostPattern.parse(text, globs=False)


def test_the_server_of_the_state_is_bounded_too():
    reached = Reached(origins=("postgresql://db.example:5432", "service x"))
    assert len(found(project(), {HOSTS: "uk.bookingbug.com"}, reached)) == 2
    assert len(found(project(), {HOSTS: "uk.bookingbug.com db.example"}, reached)) == 1


@pytest.mark.parametrize("allowed", ["BB_USER BB_KEY", "BB_*", "X,BB_KEY"])
def test_a_variable_that_is_named_may_be_read(allowed):
    assert found(project(key=credential("env", "BB_KEY")), {"RECONCILER_ENV": allowed}) == ()


@pytest.mark.parametrize("allowed", ["", "BB", "bb_key", "BB_KEY2", "*_BB"])
def test_another_variable_may_not(allowed):
    (problem,) = found(project(key=credential("env", "BB_KEY")), {"RECONCILER_ENV": allowed})
    assert problem.summary == "connections.admin.auth.key: RECONCILER_ENV does not allow the variable BB_KEY"


@pytest.mark.parametrize("environ", [{}, {"RECONCILER_ENV": "*"}, {"RECONCILER_ENV": "GITHUB_TOKEN"}])
@pytest.mark.parametrize(
    "name", ["RECONCILER_PLAN_KEY", "RECONCILER_HOSTS", "GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "PGPASSWORD"]
)
def test_what_belongs_to_the_tool_or_the_build_agent_is_no_credential(environ, name):
    (problem,) = found(project(key=credential("env", name)), environ)
    assert name in problem.summary


@pytest.mark.parametrize(
    ("environ", "allowed"),
    [
        ({}, True),
        ({"CI": "true"}, False),
        ({"CI": "1"}, False),
        ({"CI": "false"}, True),
        ({"CI": ""}, True),
        ({"RECONCILER_ALLOW_COMMANDS": ""}, False),
        ({"RECONCILER_ALLOW_COMMANDS": "0"}, False),
        ({"RECONCILER_ALLOW_COMMANDS": "1", "CI": "true"}, True),
        ({"RECONCILER_ALLOW_COMMANDS": "op, pass", "CI": "true"}, True),
        ({"RECONCILER_ALLOW_COMMANDS": "op"}, False),
        ({"RECONCILER_ALLOW_COMMANDS": "./pass /bin/pass"}, False),
    ],
)
def test_a_command_runs_only_where_it_is_allowed(environ, allowed):
    problems = found(project(key=credential("command", "pass …", "pass", "show")), environ)
    assert [problem.where for problem in problems] == ([] if allowed else [AT])
    assert all("RECONCILER_ALLOW_COMMANDS" in problem.hint for problem in problems)


def test_a_file_is_read_only_below_the_folders_that_are_allowed(tmp_path):
    inside, outside = tmp_path / "keys", tmp_path / "keys-of-others"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "key").write_text("k")
    (inside / "link").symlink_to(outside / "key")

    def problems(path, **environ):
        return len(found(project(key=credential("file", str(path))), environ))

    assert problems(outside / "key") == 0
    assert problems(outside / "key", CI="true") == 1
    for path, expected in {
        inside / "key": 0,
        outside / "key": 1,
        inside / "link": 1,
        inside / "../keys/key": 0,
    }.items():
        assert problems(path, CI="true", RECONCILER_FILES=str(inside)) == expected
    assert problems(inside / "key", RECONCILER_FILES=str(inside / "key")) == 0
    assert problems(inside / "key", RECONCILER_FILES="") == 1
    assert problems("/proc/self/environ") == 1
    assert problems("/proc/self/environ", RECONCILER_FILES="/") == 1


def test_certificates_and_files_of_the_state_are_bounded_once_files_are(tmp_path):
    made = project()
    admin = made.connections["admin"]
    msgspec.structs.force_setattr(admin, "ca_file", str(tmp_path / "ca.pem"))
    state = Reached(files=(str(tmp_path / "pass"),))
    assert found(made, {"CI": "true"}, state) == ()
    assert len(found(made, {"RECONCILER_FILES": ""}, state)) == 2
    assert found(made, {"RECONCILER_FILES": str(tmp_path)}, state) == ()


def test_everything_is_said_at_once():
    made = project(
        url="https://evil.example",
        one=credential("env", "AWS_KEY"),
        two=credential("file", "/etc/key"),
        three=credential("command", "sh …", "sh", "-c"),
    )
    assert len(found(made, {HOSTS: "", "RECONCILER_ENV": "", "CI": "true"})) == 4
