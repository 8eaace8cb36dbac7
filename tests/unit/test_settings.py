import gc
import sys
import threading
import traceback
import warnings
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler import settings
from reconciler.errors import ReconcilerError
from reconciler.model.objects import SourceRef
from reconciler.providers.bookingbug_admin.settings import AdminSettings
from reconciler.settings import Connection, Credential, ProviderSettings, Secret, is_loopback

WHERE = SourceRef("reconciler.yaml", 9)
VALUE = "hunter2-Zauberwort"


def env(name="BB_PASSWORD"):
    return Credential(source="env", name=name, where=WHERE)


def file(path):
    return Credential(source="file", name=str(path), where=WHERE)


def command(*words):
    return Credential(source="command", name="pass show bb", command=words, where=WHERE)


def python(code):
    return command(sys.executable, "-c", code)


def refused(credential):
    with pytest.raises(ReconcilerError) as caught:
        credential.resolve()
    assert caught.value.hint
    assert VALUE not in f"{caught.value.message} {caught.value.hint}"
    return caught.value.message


@pytest.mark.parametrize("shown", [repr, str, "{}".format, "{0!r}".format, lambda secret: f"{[secret]}"])
def test_a_secret_shows_itself_in_no_representation(shown):
    assert VALUE not in shown(Secret(VALUE))


def test_a_variable_gives_its_value_as_it_is(monkeypatch):
    monkeypatch.setenv("BB_PASSWORD", f" {VALUE} ")
    assert env().resolve() == Secret(f" {VALUE} ")


def test_a_variable_that_is_unset_or_empty_is_named(monkeypatch):
    monkeypatch.delenv("BB_PASSWORD", raising=False)
    assert refused(env()) == "credential is not set: environment variable BB_PASSWORD"
    monkeypatch.setenv("BB_PASSWORD", "")
    assert refused(env()) == "credential is empty: environment variable BB_PASSWORD"


def test_a_file_gives_its_text_without_the_final_newline(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(f"{VALUE} ü\r\n".encode())
    assert file(path).resolve() == Secret(f"{VALUE} ü")


def test_a_file_that_cannot_be_used_is_named_with_the_reason(tmp_path):
    assert "No such file" in refused(file(tmp_path / "missing"))
    assert str(tmp_path / "missing") in refused(file(tmp_path / "missing"))
    assert "irectory" in refused(file(tmp_path))
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe" + VALUE.encode())
    assert "not UTF-8" in refused(file(binary))
    empty = tmp_path / "empty"
    empty.write_text("\n")
    assert "is empty" in refused(file(empty))


def test_a_command_gives_its_standard_output_without_the_final_newline():
    assert python(f"print('{VALUE}')").resolve() == Secret(VALUE)


def test_a_command_is_not_run_by_a_shell():
    assert command(sys.executable, "-c", "import sys; print(sys.argv[1])", "$HOME; `id`").resolve() == Secret(
        "$HOME; `id`"
    )


def test_a_command_that_fails_says_how_but_not_what_it_printed():
    message = refused(python(f"import sys; print('{VALUE}'); print('{VALUE}', file=sys.stderr); sys.exit(3)"))
    assert "pass show bb" in message
    assert "exit code 3" in message


def test_a_command_that_is_missing_or_says_nothing_is_named(tmp_path):
    assert "No such file" in refused(command(str(tmp_path / "nosuch")))
    assert "is empty" in refused(python("pass"))


def test_a_command_that_never_ends_times_out(monkeypatch):
    monkeypatch.setattr(settings, "COMMAND_TIMEOUT", 0.2)
    assert "did not finish within 0.2 s" in refused(python("import time; time.sleep(30)"))


def test_a_command_that_timed_out_leaves_no_open_file(monkeypatch):
    """The output outlives the command where a process that it started keeps it open for a while."""
    monkeypatch.setattr(settings, "COMMAND_TIMEOUT", 0.2)
    before = set(threading.enumerate())
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", ResourceWarning)
        refused(command("/bin/sh", "-c", "sleep 1 & exec sleep 30"))
        for reader in set(threading.enumerate()) - before:
            reader.join(timeout=60)
        gc.collect()
    assert [str(warning.message) for warning in seen] == []


def test_a_folder_that_is_no_credential_leaves_no_descriptor_open(tmp_path):
    before = len(list(Path("/dev/fd").iterdir()))
    refused(file(tmp_path))
    assert len(list(Path("/dev/fd").iterdir())) <= before


def test_a_command_runs_in_the_folder_of_the_project_file(tmp_path, monkeypatch):
    (tmp_path / "studio" / "bin").mkdir(parents=True)
    (tmp_path / "studio" / "pw").write_text(VALUE, encoding="utf-8")
    script = tmp_path / "studio" / "bin" / "read"
    script.write_text("#!/bin/sh\ncat pw\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    for words in (("cat", "pw"), ("bin/read",), ("./bin/read",)):
        assert replace(command(*words), folder=str(tmp_path / "studio")).resolve() == Secret(VALUE)


def test_a_failed_credential_leaves_no_value_in_a_traceback():
    try:
        python(f"import sys; print('{VALUE}'); sys.exit(1)").resolve()
    except ReconcilerError as error:
        shown = "".join(traceback.format_exception(error))
    assert VALUE not in shown


def target(base_url, company_id=None):
    settings = ProviderSettings() if company_id is None else AdminSettings(company_id=company_id)
    return Connection(name="c", provider="p", base_url=base_url, where=WHERE, settings=settings).target


def test_a_target_is_the_system_and_the_account_as_far_as_they_are_known():
    assert target("https://UK.bookingbug.com/") == "https://uk.bookingbug.com"
    assert target("https://acme.bookingbug.com:8443/x/", 37004) == "https://acme.bookingbug.com:8443/x company 37004"
    made = Connection(name="c", provider="p", base_url="https://uk.bookingbug.com", where=WHERE)
    assert made.with_user(()).target == made.target
    assert made.with_user(("desk",)).target.startswith("https://uk.bookingbug.com user ")
    assert made.with_user(("desk",)).target != made.with_user(("office",)).target


def test_another_host_or_company_is_another_target():
    assert target("https://a.example") != target("https://b.example")
    assert target("https://a.example", 1) != target("https://a.example", 2)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "api.localhost"])
def test_loopback_hosts(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.example", "notlocalhost", "0.0.0.0", "example.com"])
def test_other_hosts(host):
    assert not is_loopback(host)
