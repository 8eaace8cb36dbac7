"""`validate --untrusted`: files of a stranger are checked in a process that has nothing to take and cannot run away."""

from __future__ import annotations

import subprocess

import pytest
from desk import Desk

from reconciler.operations import untrusted

HEAD = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: acme}\nspec:\n"
CONNECTION = (
    "  connections:\n    admin:\n      provider: bookingbug-admin\n      company_id: 1\n"
    "      base_url: https://h.example\n      auth: {app_id: {env: I}, auth_token: {env: T}}\n"
)
RESOURCE = "apiVersion: reconciler/v1\nkind: Resource\nmetadata: {name: court}\nspec: {name: Court}\n"


class Nowhere:
    url = "http://127.0.0.1:9"


@pytest.fixture
def desk(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / ".git").mkdir()
    desk = Desk(folder, Nowhere())
    desk.manifest("court.yaml", RESOURCE)
    desk.project(f"{HEAD}  manifests: [manifests]\n{CONNECTION}")
    return desk


def stopped(desk, why):
    done = desk.run("validate", "--untrusted", code=1)
    assert done.err.startswith(f"error[RC0701]: the check was stopped: {why}")
    return done


def test_sound_files_are_valid_and_problems_are_the_same(desk):
    assert "Valid: 1 object in 1 file" in desk.run("validate", "--untrusted", code=0).out
    desk.manifest("b.yaml", RESOURCE.replace("{name: Court}", "{nmae: Court, count: x}"))
    for more in ([], ["--format", "json"], ["manifests/b.yaml"]):
        plain, careful = (desk.run("validate", *more, *option, code=1) for option in ([], ["--untrusted"]))
        assert careful == plain
    desk.project(f"{HEAD}  manifests: [manifests]\n  mystery: 1\n{CONNECTION}")
    assert desk.run("validate", "--untrusted", code=1) == desk.run("validate", code=1)
    assert desk.run("validate", "--untrusted", "--env", "x", code=1) == desk.run("validate", "--env", "x", code=1)
    assert desk.run("validate", "--untrusted", "--project", "no", code=1) == desk.run(
        "validate", "--project", "no", code=1
    )


@pytest.mark.slow
def test_the_result_does_not_depend_on_the_hash_seed(desk):
    for number in range(40):
        desk.manifest(f"{number}.yaml", RESOURCE.replace("{name: Court}", "{nmae: Court, count: x, labels: {a: 1}}"))
    outputs = set()
    for seed in ("0", "1", "77"):
        desk.env["PYTHONHASHSEED"] = seed
        outputs.add(desk.run("validate", "--untrusted", "--format", "json", code=1).out)
    assert len(outputs) == 1


@pytest.mark.parametrize("place", ["manifests: [../out.yaml]", "manifests: [manifests]\n  values: [../out.yaml]"])
def test_nothing_outside_is_read_whatever_allows_it(desk, place):
    (desk.folder.parent / "out.yaml").write_text(RESOURCE)
    desk.project(f"{HEAD}  {place}\n{CONNECTION}")
    desk.env["RECONCILER_ALLOW_PATH"] = str(desk.folder.parent)
    done = desk.run("validate", "--untrusted", code=1)
    assert "is outside the repository" in done.out + done.err
    done = desk.run("validate", "--untrusted", "--allow-path", "..", code=64)
    assert "cannot be used with --untrusted" in done.err


@pytest.mark.parametrize("folder", ["", "manifests"])
def test_a_typed_path_outside_is_refused_too(desk, folder):
    (desk.folder.parent / "out.yaml").write_text(RESOURCE)
    out = str(desk.folder.parent / "out.yaml")
    assert "is outside the repository" in desk.run("validate", "--untrusted", out, code=1).out
    (desk.folder / "reconciler.yaml").unlink()
    assert "is outside the repository" in desk.run("validate", "--untrusted", out, code=1).out
    assert "1 object" in desk.run("validate", "--untrusted", "manifests/court.yaml", code=0).out


def test_the_number_of_problems_shown_and_their_length_are_limited(desk):
    line = "  " + "k" * 900 + "{}: 1\n"
    desk.manifest("court.yaml", RESOURCE.replace(" {name: Court}", "\n" + "".join(line.format(n) for n in range(600))))
    done = desk.run("validate", "--untrusted", "-v", code=1)
    assert done.out.count("unknown field") == untrusted.SHOWN - 1  # and the name, which is missing
    assert "and 401 more problems" in done.out
    assert len(done.out) < untrusted.OUTPUT


@pytest.mark.parametrize(
    ("files", "why"),
    [
        pytest.param(
            {f"{n}.yaml": "x" * 9_000_000 for n in range(6)}, "it reads more than 50 MB", marks=pytest.mark.slow
        ),
        pytest.param(
            {f"{n}.json": "[]\n" for n in range(10_001)}, "it reads more than 10,000 files", marks=pytest.mark.slow
        ),
        ({f"{number}.yaml": "---\na: 1\n" * 9_000 for number in range(3)}, "it reads more than 20,000 documents"),
    ],
    ids=["bytes", "files", "documents"],
)
def test_what_is_read_is_limited(desk, files, why):
    for name, text in files.items():
        desk.manifest(name, text)
    stopped(desk, why)


def inside(monkeypatch, code):
    """Run a line of Python in the confined process instead of the check."""
    real = subprocess.Popen

    def start(command, **options):
        line = f"import reconciler.operations.untrusted as here; here._checked = lambda _: {code}; here.answer()"
        return real([*command[:4], line, *command[5:]], **options)

    monkeypatch.setattr(untrusted.subprocess, "Popen", start)


@pytest.mark.parametrize(
    "code",
    [
        "__import__('socket').create_connection(('127.0.0.1', 9))",
        "__import__('socket').getaddrinfo('example.org', 80)",
        "__import__('urllib.request').request.urlopen('http://127.0.0.1:9')",
        "__import__('subprocess').run(['true'])",
        "__import__('os').system('true')",
        "__import__('os').fork()",
        "__import__('os').execv('/bin/true', ['true'])",
        "__import__('os').posix_spawn('/bin/true', ['true'], {})",
        "open('written', 'w')",
        "open('manifests/court.yaml', 'a')",
        "__import__('os').remove('manifests/court.yaml')",
        "__import__('os').mkdir('written')",
        "__import__('sqlite3').connect('written')",
    ],
)
def test_network_programs_and_writing_end_the_check(desk, monkeypatch, code):
    inside(monkeypatch, code)
    done = desk.run("validate", "--untrusted", code=1)
    assert done.err.startswith("error[RC0701]: the check was stopped: ")
    assert not (desk.folder / "written").exists()
    assert (desk.folder / "manifests/court.yaml").read_text() == RESOURCE


def test_no_variable_of_the_job_reaches_the_process(desk, monkeypatch):
    desk.env["SECRET_TOKEN"] = "the-jobs-own-token"
    inside(
        monkeypatch, "{'error': ' '.join(sorted(__import__('os').environ)), 'hint': None, 'kind': '', 'problems': []}"
    )
    names = set(desk.run("validate", "--untrusted", code=1).err.removeprefix("error[RC0701]: ").split())
    assert "PATH" in names
    assert names <= set(untrusted.PASSED)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("bytearray(2 << 30)", "it took more than 1024 MB of memory"),
        ("__import__('os').abort()", "it took more than 1024 MB of memory"),
        ("print('x' * 2_000_000)", "its result is larger than 1 MB"),
    ],
)
def test_memory_and_output_are_limited(desk, monkeypatch, code, why):
    inside(monkeypatch, code)
    stopped(desk, why)


def test_computing_and_waiting_are_limited(desk, monkeypatch):
    inside(monkeypatch, "__import__('re').match(r'(a+)+b', 'a' * 60)")  # in C, for years
    monkeypatch.setattr(untrusted, "SECONDS", 1)
    stopped(desk, "it took more than 1 s of computing")
    inside(monkeypatch, "__import__('time').sleep(600)")
    monkeypatch.setattr(untrusted, "SECONDS", 60)
    monkeypatch.setattr(untrusted, "DEADLINE", 2.0)
    stopped(desk, "it took more than 2 s")


def test_a_project_file_that_is_a_link_to_elsewhere_is_not_read(desk):
    outside = desk.folder.parent / "hosts.yml"
    outside.write_text("the-token: x\n")
    (desk.folder / "reconciler.yaml").unlink()
    (desk.folder / "reconciler.yaml").symlink_to(outside)
    for line in (["validate"], ["validate", "--untrusted"], ["plan"], ["validate", "--project", "reconciler.yaml"]):
        done = desk.run(*line, code=1)
        assert "is a symbolic link to a place outside the project" in done.err
        assert "the-token" not in done.out + done.err
