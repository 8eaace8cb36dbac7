"""A state on a branch: what is pushed, what a refused or unanswered push does, and what the branch may hold."""

import json
import subprocess
import threading
import time
from contextlib import ExitStack, closing

import pytest
from git_server import Remote, served
from repository import git
from values import replace

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Intent, Record
from reconciler.state import schema
from reconciler.state.git import command, database
from reconciler.state.git.branch import Branch
from reconciler.state.git.command import Git
from reconciler.state.holder import myself
from reconciler.state.lease import hold
from reconciler.state.store import Store

YOGA, ZUMBA = Address("Session", "yoga"), Address("Session", "zumba")
FILE = "acme/_default/objects/Session/yoga.json"
LOCK = "refs/heads/reconciler-state-lock/acme/_default"
CONTEXT = {"run_url": "https://ci.example/runs/7", "actor": "ann\nRun: forged"}


def record(address=YOGA, **more):
    return Record(**{"connection": "c", "target": "t", "remote_id": "12", "fields": {}, "address": address, **more})


def intent(address=YOGA, run_id="r1"):
    sent = {"connection": "c", "target": "t", "effect": "create", "started_at": "2027-01-01T00:00:00Z"}
    return Intent(run_id=run_id, address=address, fields={}, **sent)


@pytest.fixture
def remote(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "AGE", 0.0)
    monkeypatch.setattr(database, "PATIENCE", 60.0)
    return Remote.made(tmp_path / "remote" / "state.git")


@pytest.fixture
def open_store(remote):
    with ExitStack() as stores:
        yield lambda url=remote.url, **more: stores.enter_context(closing(Store(url, **{"project": "acme", **more})))


@pytest.fixture
def calls(monkeypatch):
    """Return the commands of git that are run."""
    seen, real = [], Git.run

    def run(self, *arguments, **more):
        seen.append(arguments)
        return real(self, *arguments, **more)

    monkeypatch.setattr(Git, "run", run)
    return seen


def test_each_write_is_a_commit_that_says_who_wrote_what_and_why(open_store, remote):
    store = open_store()
    with hold(store, "r1"):
        store.begin_run("r1", "apply", plan_digest="sha256:1", context=CONTEXT)
        number = store.begin(intent(), fenced=True)
        store.save(record(), ends=number)
    subjects = remote.log(form="%s")
    assert subjects == [
        "apply: end Session/yoga; record Session/yoga",
        "apply: begin Session/yoga",
        "apply: note the run",
    ]
    body = git(remote.folder, "log", "-1", "--format=%an%n%b", "reconciler-state")
    for line in ("Run: r1", "Command: apply", "Plan: sha256:1", "Run url: https://ci.example/runs/7", f"  {FILE}"):
        assert f"\n{line}\n" in f"{body}\n"
    assert body.startswith("reconciler\n")
    assert "\nRun: forged" not in body
    assert remote.log(LOCK, "%s")[::4] == ["release the lease of run r1", "take the lease for run r1"]


def test_the_branch_has_one_readable_file_for_each_record_and_its_version(open_store, remote):
    open_store().save(record(fields={"name": "Yóga"}))
    open_store(environment="prod").save(record())
    assert remote.files() == [FILE, "acme/prod/objects/Session/yoga.json", "format.json"]
    assert '    "name": "Yóga"\n' in remote.text(FILE)
    assert json.loads(remote.text("format.json")) == {"format": "reconciler-state", "schema_version": schema.VERSION}


def test_reading_pushes_and_creates_nothing(open_store, remote, calls):
    store = open_store()
    assert (store.records(), store.open_intents(), store.run_count()) == ({}, (), 0)
    assert remote.heads == {}
    assert "push" not in {arguments[0] for arguments in calls}


def test_the_reads_of_one_plan_ask_the_remote_once(open_store, calls, monkeypatch):
    open_store().save(record())
    monkeypatch.setattr(database, "AGE", 60.0)
    calls.clear()
    store = open_store()
    for _ in range(3):
        assert list(store.records()) == [YOGA]
        assert store.open_intents() == ()
    assert [arguments[0] for arguments in calls].count("ls-remote") == 1


def test_a_run_that_holds_the_lease_reads_without_asking_and_pushes_once_a_write(open_store, calls, monkeypatch):
    monkeypatch.setattr(database, "AGE", 60.0)
    store = open_store()
    with hold(store, "r1"):
        store.records()
        calls.clear()
        for number in range(3):
            store.save(record(remote_id=str(number)))
            assert store.records()[YOGA].remote_id == str(number)
        assert [arguments[0] for arguments in calls] == ["fast-import", "push"] * 3
        pushed = [arguments for arguments in calls if arguments[0] == "push"]
        assert all(
            "--atomic" in arguments and len([a for a in arguments if ":refs/heads/" in a]) == 2 for arguments in pushed
        )


def test_nothing_is_ever_forced_and_no_other_ref_is_touched(open_store, remote, calls):
    remote.commit("README.md", "The website\n", ref="main")
    before = remote.heads
    with hold(open_store(), "r1"):
        open_store(project="other").save(record())
    with hold(open_store(), "r2"):
        pass
    pushes = [arguments for arguments in calls if arguments[0] == "push"]
    assert pushes
    for arguments in pushes:
        assert not any(part.startswith(("+", "-f", "--force", "--delete", "--mirror", "--prune")) for part in arguments)
    after = remote.heads
    assert {ref: after[ref] for ref in before} == before
    assert set(after) - set(before) == {"refs/heads/reconciler-state", LOCK}


def test_a_write_on_rows_that_are_behind_runs_again_on_the_facts(open_store, remote):
    first, second = open_store(), open_store()
    first.records(), second.records()
    numbers = {first.begin(intent()), second.begin(intent(ZUMBA))}
    assert len(numbers) == 2
    assert first.remove(YOGA) is False
    second.save(record())
    assert first.remove(YOGA) is True
    assert len(remote.log()) == 4
    assert git(remote.folder, "rev-list", "--merges", "reconciler-state") == ""


def test_writes_of_other_threads_gather_while_a_push_is_in_flight(open_store, remote, monkeypatch):
    store, real, pushed = open_store(), Branch.push, []
    store.records()

    def slow(self, commits):
        """Let the first one take until every thread wants to write."""
        writers = store._database
        while sum(pushed) + writers._together[-1] + len(writers._writes._waiting) < 12:
            time.sleep(0.01)
        pushed.append(writers._together[-1])
        return real(self, commits)

    monkeypatch.setattr(Branch, "push", slow)
    threads = [threading.Thread(target=store.save, args=(record(Address("Session", f"s{n}")),)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.records()) == 12
    assert len(remote.log()) <= 4


def test_of_writes_that_are_pushed_together_a_failing_one_fails_alone(open_store):
    store = open_store()
    good, bad = database.Job(work=lambda _: 1, as_is=False), database.Job(work=lambda _: 1, as_is=False)
    store.save(record())
    good.work = lambda connection: connection.update(schema.objects, {}, {"remote_id": "13"})

    def failing(connection):
        connection.delete(schema.objects, {})
        raise ReconcilerError("no")

    bad.work = failing
    store._database._lead([bad, good])
    assert (good.result, good.error, bad.error.message) == (1, None, "no")
    assert open_store().records()[YOGA].remote_id == "13"


def test_a_run_whose_lease_another_one_took_cannot_write_however_late_its_push_comes(open_store, remote):
    first, second = open_store(), open_store()
    assert first.claim(myself("r1")) is None
    first.save(record())
    assert second.release("r1") is True
    assert second.claim(myself("r2")) is None
    head = remote.heads
    for write in (lambda: first.save(record(remote_id="13")), lambda: first.begin(intent(), fenced=True)):
        with pytest.raises(ReconcilerError, match="no longer holds the state lock"):
            write()
    assert remote.heads == head
    assert first.beat("r1") is False
    assert second.beat("r2") is True


def test_a_lock_branch_that_a_person_deleted_ends_the_lease(open_store, remote):
    first = open_store()
    first.claim(myself("r1"))
    git(remote.folder, "update-ref", "-d", LOCK)
    assert open_store().claim(myself("r2")) is None
    with pytest.raises(ReconcilerError, match="no longer holds"):
        first.save(record())


@pytest.mark.parametrize("lost", ["git-receive-pack", "info/refs"])
def test_a_push_whose_answer_was_lost_is_found_again_and_never_doubled(open_store, remote, lost):
    with served(remote) as server:
        store = open_store(server.url)
        with hold(store, "r1"):
            for number in range(3):
                cut = iter([True])
                server.lose = lambda path, cut=cut: path.endswith(lost) and next(cut, False)
                assert store.begin(intent(Address("Session", f"s{number}")), fenced=True) == number + 1
                assert next(cut, None) is None
        assert [item.address.name for item in open_store(server.url).open_intents()] == ["s0", "s1", "s2"]
    assert len(remote.log()) == 3


def test_a_push_whose_answer_came_too_late_is_tried_again_so_that_its_lease_is_fresh(open_store, remote, monkeypatch):
    store, real = open_store(), Branch.push
    store.claim(myself("r1"))
    answers = []

    def slow(self, commits):
        done = real(self, commits)
        answers.append(done)
        return replace(done, outcome="unclear") if len(answers) == 1 else done

    monkeypatch.setattr(Branch, "push", slow)
    monkeypatch.setattr(database, "PATIENCE", 0.0)
    with pytest.raises(ReconcilerError, match="could not be written within"):
        store.begin(intent(), fenced=True)
    monkeypatch.setattr(database, "PATIENCE", 60.0)
    assert len(store.open_intents()) == 1


def test_a_server_that_is_lost_during_a_run_is_waited_for_and_then_named(open_store, remote, monkeypatch):
    store = open_store()
    store.save(record())
    away = remote.folder.with_name("away")
    remote.folder.rename(away)
    back = threading.Timer(0.5, away.rename, [remote.folder])
    back.start()
    store.save(record(ZUMBA))
    back.join()
    remote.folder.rename(away)
    monkeypatch.setattr(database, "PATIENCE", 0.3)
    with pytest.raises(ReconcilerError, match="cannot read the branch") as caught:
        store.save(record(remote_id="14"))
    assert "check that the repository exists" in caught.value.hint


REFUSING = {
    "a hook of the forge": ("update", "echo 'GH006: protected branch' >&2; exit 1", "rules of the forge"),
    "a hook for one branch": ("pre-receive", "exit 1", "rules of the forge"),
}


@pytest.mark.parametrize("rule", REFUSING)
def test_a_branch_that_the_remote_protects_is_an_error_that_says_which_rule_to_change(open_store, remote, rule):
    name, script, hint = REFUSING[rule]
    remote.hook(name, script)
    began = time.monotonic()
    for store in (open_store(), open_store()):
        with pytest.raises(
            ReconcilerError, match=r"cannot write the branch reconciler-state: .*hook declined"
        ) as caught:
            store.claim(myself("r1"))
        assert hint in caught.value.hint
    assert time.monotonic() - began < 2 * database.PATIENCE
    assert remote.heads == {}


def test_a_remote_without_atomic_pushes_is_refused(open_store, remote):
    git(remote.folder, "config", "receive.advertiseAtomic", "false")
    store = open_store()
    with pytest.raises(ReconcilerError, match="--atomic") as caught:
        store.claim(myself("r1"))
    assert "must support atomic pushes" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "words", "hint"),
    [
        ("git+file:///nosuchfolder/state.git", "does not appear to be a git repository", "git init --bare"),
        ("git+http://127.0.0.1:1/state.git", "[Cc]onnect", "that the server is reachable"),
    ],
)
def test_a_remote_that_cannot_be_reached_is_an_error_at_once(open_store, url, words, hint):
    began = time.monotonic()
    for use in (lambda store: store.records(), lambda store: store.save(record())):
        with pytest.raises(ReconcilerError, match=words) as caught:
            use(open_store(url))
        assert hint in caught.value.hint
        assert caught.value.message.startswith(f"state {url}: cannot read the branch")
    assert time.monotonic() - began < database.PATIENCE


@pytest.mark.parametrize(
    ("status", "words", "hint"),
    [
        (401, "could not read Username", "credential helper"),
        (403, "403", "may only read the repository"),
        (404, "not found", "check that the repository exists"),
        (301, "301", "the address that the server redirects to"),
        (503, "503", "that the server is reachable"),
    ],
)
def test_a_server_that_refuses_is_an_error_with_the_way_on_and_no_question(open_store, remote, status, words, hint):
    with served(remote) as server:
        server.status = status
        for url in (server.url, server.url.replace("/state.git", "/denied-403/read-only/redirect.git")):
            with pytest.raises(ReconcilerError, match=words) as caught:
                open_store(url).records()
            assert hint in caught.value.hint


def test_a_server_that_hangs_is_left_after_the_time_limit(open_store, remote, monkeypatch):
    for name in ("LIMIT", "FIRST_LIMIT"):
        monkeypatch.setattr(command, name, 1.0)
    monkeypatch.setattr(Git.run, "__kwdefaults__", {"given": b"", "limit": 1.0})
    with served(remote) as server:
        server.lose = lambda _: time.sleep(3) or False
        with pytest.raises(ReconcilerError, match="no answer within 1 s"):
            open_store(server.url).records()


def test_a_branch_that_holds_other_things_is_never_written(open_store, remote):
    remote.commit("README.md", "The website\n")
    before = remote.heads
    for use in (
        lambda store: store.records(),
        lambda store: store.save(record()),
        lambda store: store.claim(myself("r")),
    ):
        with pytest.raises(ReconcilerError, match="holds other things than a state") as caught:
            use(open_store())
        assert "a branch that does not exist yet" in caught.value.hint
    assert remote.heads == before


def test_a_file_that_a_person_adds_is_kept(open_store, remote):
    open_store().save(record())
    remote.commit("README.md", "Do not edit.\n")
    open_store().save(record(ZUMBA))
    assert "README.md" in remote.files()


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        (FILE, "{", f"the file {FILE} is not valid JSON"),
        (FILE, None, None),
        ("acme/_default/objects/Session/other.json", "same", "belongs to"),
        ("acme/_default/objects/notes.txt", "x", "is not a plain file of a record"),
        ("format.json", "{}", "is not the one of a state"),
        ("format.json", '{"format": "reconciler-state", "schema_version": 99}', "schema version 99"),
    ],
)
def test_what_a_person_commits_is_taken_over_or_refused_with_the_file_and_the_way_back(
    open_store, remote, path, content, words
):
    store = open_store()
    store.save(record())
    remote.commit(path, remote.text(FILE) if content == "same" else content)
    if words is None:
        assert store.records() == open_store().records() == {}
        return
    for other in (store, open_store()):
        for use in (lambda store: store.records(), lambda store: store.save(record(ZUMBA))):
            with pytest.raises(ReconcilerError, match=words) as caught:
                use(other)
            assert "a commit" in caught.value.hint or "newer one" in caught.value.hint
    if path == FILE:
        remote.commit(FILE, None)
        assert store.records() == {}


def test_an_older_version_is_read_and_its_first_write_migrates_it(open_store, remote, monkeypatch):
    open_store().save(record())
    older = json.loads(remote.text(FILE))
    del older["written_by"]
    remote.commit(FILE, json.dumps(older, indent=2))
    remote.commit("format.json", '{"format": "reconciler-state", "schema_version": 3}')
    said = []
    reader = open_store(notice=said.append)
    assert reader.records()[YOGA].written_by is None
    assert said == []
    with hold(reader, "r1"):
        assert said == [f"Migrated the state from version 3 to {schema.VERSION}"]
    assert json.loads(remote.text("format.json"))["schema_version"] == schema.VERSION


def test_a_run_of_an_older_version_is_not_migrated_away(open_store, remote):
    first = open_store()
    first.claim(myself("r1"))
    first.save(record())
    remote.commit("format.json", '{"format": "reconciler-state", "schema_version": 3}')
    assert open_store(project="other").claim(myself("r2")).run_id == "r1"
    assert json.loads(remote.text("format.json"))["schema_version"] == 3


def test_a_repository_in_the_checkout_is_refused_because_a_pull_request_can_bring_it(tmp_path):
    project = tmp_path / "checkout"
    remote = Remote.made(project / "state.git")
    subprocess.run(["git", "init", "--quiet", project], check=True, timeout=30)
    (tmp_path / "link").symlink_to(project / "state.git")
    for url in (remote.url, f"git+file://{project}", f"git+file://{tmp_path}/link"):
        with pytest.raises(ReconcilerError, match="is in the checkout"):
            Store(url, project="acme", root=project)
    with closing(Store(f"git+file://{project}/.git", project="acme", root=project)) as store:
        store.save(record())
        assert list(store.records()) == [YOGA]


def test_a_backup_can_be_restored(open_store, tmp_path):
    store = open_store(folder=tmp_path / "project" / ".reconciler" / "backups")
    store.save(record())
    kept = store.backup("rm")
    store.remove(YOGA)
    store.restore(kept)
    assert list(open_store().records()) == [YOGA]


def test_a_killed_run_of_this_machine_is_dead_at_once(open_store, tmp_path):
    folder = tmp_path / "project" / ".reconciler" / "backups"
    first, second = open_store(folder=folder), open_store(folder=folder)
    first.claim(replace(myself("r1"), pid=2**22 + 1))
    assert second.claim(myself("r2")).run_id == "r1"
    lock = first.lock_beside.with_name(f"{first.lock_beside.name}-r1.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    assert second.claim(myself("r2")) is None


def test_leases_live_at_the_pace_of_pushes():
    assert database.PACE * 5.0 >= 10.0  # a forge asks for no more than six pushes a minute
