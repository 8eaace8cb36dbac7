"""Start, stop, database files, and concurrent clients."""

import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from reconciler.sandbox import Options, Sandbox
from reconciler.sandbox.sessions import markup

SERVE = """
import sys
from reconciler.sandbox import Options, serve
serve(Options(), port=0, seed="samples", on_ready=lambda url: print(url, flush=True))
print("returned", flush=True)
"""


def test_a_sandbox_stops_with_its_block():
    with Sandbox(Options(create_answer="none"), port=0, seed="none") as box:
        url = box.url
        assert httpx.get(url + "/_sandbox").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(url + "/_sandbox")


def test_sandboxes_are_independent():
    with Sandbox(seed="samples") as one, Sandbox() as two:
        assert one.url != two.url
        assert (len(one.sessions()), len(two.sessions())) == (2, 0)


def test_port_in_use_is_an_error():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OSError, match="in use"):
            Sandbox(port=other.getsockname()[1]).start()


def test_an_unknown_seed_is_an_error():
    with pytest.raises(ValueError, match="seed must be one of none, samples, company, hostile"):
        Sandbox(seed="nonsense").start()


def test_database_file_keeps_the_company(tmp_path):
    path = tmp_path / "sandbox.db"
    with Sandbox(seed="samples", db=path) as box:
        box.add_session({"name": "New", "group": "G"})
        box.delete("session", 124)
    with Sandbox(seed="samples", db=path) as box:
        assert [session["id"] for session in box.sessions()] == [123, 125]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a child there")
def test_serve_returns_on_an_interrupt():
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        url = child.stdout.readline().strip()
        assert httpx.get(url + "/api/sessions.xml", auth=("demo", "demo-password")).status_code == 200
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert (out, err, child.returncode) == ("returned\n", "", 0)


def test_many_clients_at_once(box, xml, admin):
    body = "<session><name>{}</name><group>G</group></session>"

    def work(number):
        made = xml.post("/sessions.xml?type=event", content=body.format(number)).status_code
        return made, admin.post("/resources", json={"name": str(number)}).status_code

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(80)))
    assert set(results) == {(201, 201)}
    assert {session["name"] for session in box.sessions()} == {str(number) for number in range(80)}
    assert len({resource["id"] for resource in box.resources()}) == 80
    assert [entry.number for entry in box.log()] == list(range(1, 161))


def test_refused_request_changes_nothing(box, admin):
    box.add_resource({"name": "A", "api_ref": "a"})
    box.set_options(api_ref_unique="yes", address_wins="object")
    body = {"name": "B", "address": {"postcode": "E1"}, "api_ref": "a"}
    assert admin.post("/resources", json=body).status_code == 400
    assert admin.get("/addresses").json()["total_entries"] == 0


def test_the_hostile_seed_has_objects_enough(box, xml, admin):
    box.reset("hostile")
    assert xml.get("/sessions.xml").text.count("<session ") >= 100
    assert admin.get("/resources").json()["total_entries"] >= 100
    assert len(box.slots()) >= 100


def test_bugs_answer_500_and_log_a_traceback(box, xml, caplog, monkeypatch):
    monkeypatch.setattr(markup, "listing", lambda _rows: 1 / 0)
    assert xml.get("/sessions.xml").status_code == 500
    assert "ZeroDivisionError" in caplog.text
