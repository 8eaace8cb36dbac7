"""A network link that fails: two network namespaces, joined by a program that passes packets on or drops them.

Run as a program, in a user and a network namespace of its own (`unshare -rn`), so that it needs no rights and nothing
on this machine changes. It prints what happened as JSON, one line for each round.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SERVER, CLIENT = "10.9.0.1", "10.9.0.2"
_TUNSETIFF, _TUN, _NO_PACKET_INFO = 0x400454CA, 0x0001, 0x1000
UNSHARE = ["unshare", "-r", "-n"]
PATIENCE = 60


def available() -> bool:
    """Whether this machine allows all of this."""
    tools = all(shutil.which(name) for name in ("unshare", "nsenter", "ip"))
    test = "import lossy_link; lossy_link.interface('probe', '10.9.0.1')"
    if not (tools and sys.platform == "linux"):
        return False
    command = [*UNSHARE, sys.executable, "-c", test]
    return subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, check=False).returncode == 0


def interface(name: str, address: str) -> int:
    """Make a network interface of this namespace whose packets a program reads and writes; return its file."""
    file = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(file, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TUN | _NO_PACKET_INFO))
    for command in (
        ["link", "set", "lo", "up"],
        ["addr", "add", f"{address}/24", "dev", name],
        ["link", "set", name, "up"],
    ):
        subprocess.run(["ip", *command], check=True)
    return file


def payload(packet: bytes) -> bytes:
    """Return what a TCP packet carries; empty for any other packet."""
    if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
        return b""
    tcp = (packet[0] & 15) * 4
    return packet[tcp + (packet[tcp + 12] >> 4) * 4 :]


class Link:
    """The two namespaces. While `down`, all packets are lost; `trap` takes it down with a packet that starts so."""

    def __init__(self) -> None:
        self.down, self.trap = False, b""
        self.lost = 0
        """Packets with data of the client that were lost."""
        self.late = 0
        """Packets with data of the client that came after the link was up again."""
        self._healed = False
        self._near = interface("srv", SERVER)
        mine, theirs = socket.socketpair()
        body = (
            "import socket, sys, lossy_link\n"
            f"file = lossy_link.interface('cli', {CLIENT!r})\n"
            f"socket.send_fds(socket.socket(fileno={theirs.fileno()}), [b'x'], [file])\n"
            "sys.stdin.read()"
        )
        self.far = subprocess.Popen(
            ["unshare", "-n", sys.executable, "-c", body],
            cwd=Path(__file__).parent,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.PIPE,
        )
        theirs.close()
        _, (self._far,), _, _ = socket.recv_fds(mine, 1, 1)
        threading.Thread(target=self._pass_on, daemon=True).start()

    def heal(self) -> None:
        """Pass packets on again."""
        self._healed, self.trap, self.down = True, b"", False

    def _pass_on(self) -> None:
        while True:
            for file in select.select([self._near, self._far], [], [])[0]:
                packet = os.read(file, 65536)
                content = payload(packet) if file == self._far else b""
                if self.trap and content.startswith(self.trap):
                    self.down = True
                if self.down:
                    self.lost += bool(content)
                    continue
                self.late += bool(content) and self._healed
                with contextlib.suppress(OSError):
                    os.write(self._near if file == self._far else self._far, packet)

    def start(self, *command: str, **given: object) -> subprocess.Popen[str]:
        """Start a program at the client's end."""
        within = ["nsenter", "-t", str(self.far.pid), "-n", *command]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(within, text=True, **{**pipes, **given})


def until(condition, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.005)


# -- one call, and what the link sees of it

_CALLER = """
import logging, sys
from reconciler.errors import OutcomeUnknown
from reconciler.model.objects import SourceRef
from reconciler.providers.http import HttpClient
from reconciler.settings import Connection
url, timeout, ca, size = sys.argv[1], float(sys.argv[2]), sys.argv[3] or None, int(sys.argv[4])
given = {"name": "x", "provider": "x", "where": SourceRef("x", 1), "allow_http": True}
http = HttpClient(Connection(base_url=url, timeout=timeout, ca_file=ca, **given), writes=True, secrets={})
http.write("PUT", "/first")
print("open", flush=True)
sys.stdin.readline()
try:
    http.write("POST", "/second", content=b"x" * size)
except OutcomeUnknown:
    print("unknown", flush=True)
sys.stdin.readline()
"""
WAYS = ("exits", "lives on", "is killed", "is stopped")


class Server:
    """An HTTP server that counts the requests which came whole; with TLS where it has a certificate."""

    def __init__(self, certificate: str = "") -> None:
        self.seen: list[bytes] = []
        self._tls = None
        if certificate:
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.load_cert_chain(certificate)
        listener = socket.create_server((SERVER, 0))
        self.url = f"http{'s' if certificate else ''}://{SERVER}:{listener.getsockname()[1]}"
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            peer = self._tls.wrap_socket(peer, server_side=True) if self._tls else peer
            file = peer.makefile("rb")
            while line := file.readline():
                length = 0
                while (header := file.readline()).strip():
                    name, _, value = header.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                if len(file.read(length)) == length:
                    self.seen.append(line)
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def one_call(way: str, *, tls: bool, size: int) -> dict[str, object]:
    """Send a call over a link that fails, end its client in some `way`, and heal the link."""
    link = Link()
    with tempfile.TemporaryDirectory() as folder:
        key, ca = "", ""
        if tls:
            import trustme  # noqa: PLC0415 - only here

            authority, ca, key = trustme.CA(), f"{folder}/ca.pem", f"{folder}/key.pem"
            authority.cert_pem.write_to_path(ca)
            authority.issue_cert(SERVER).private_key_and_cert_chain_pem.write_to_path(key)
        server = Server(key)
        timeout = 2.0 if way != "is killed" else PATIENCE
        caller = link.start(sys.executable, "-c", _CALLER, server.url, str(timeout), ca, str(size))
        said = caller.stdout.readline()
        link.down = True
        caller.stdin.write("\n")
        caller.stdin.flush()
        until(lambda: link.lost, "nothing was sent")
        began = time.monotonic()
        if way == "is killed":
            caller.kill()
        elif way == "is stopped":
            time.sleep(0.2)
            caller.send_signal(signal.SIGSTOP)
            time.sleep(2 * timeout)
        else:
            said += caller.stdout.readline()
        if way in {"exits", "is killed"}:
            caller.stdin.close()
            caller.wait(PATIENCE)
        time.sleep(0.2)
        lost = link.lost
        link.heal()
        # The kernel sends again after pauses that double: the next one would be shorter than this.
        time.sleep(max(3.0, 1.5 * (time.monotonic() - began)))
        seen = [line.split()[0].decode() for line in server.seen]
        if caller.poll() is None:
            caller.kill()
        link.far.kill()
    return {"way": way, "said": said.split(), "lost": lost, "late": link.late, "seen": seen}


# -- two runs of the command, and what the server has afterwards


def two_runs(way: str, settle_after: float) -> dict[str, object]:
    """Lose a create, heal the link once the next run looks, and count the objects some time later."""
    from desk import PROJECT, Desk  # noqa: PLC0415 - what is above needs no sandbox

    from reconciler.sandbox import Sandbox, server  # noqa: PLC0415

    link = Link()
    server._listen = lambda _: socket.create_server((SERVER, 0))
    with tempfile.TemporaryDirectory() as folder, Sandbox() as box:
        box.url = box.url.replace("127.0.0.1", SERVER).replace("localhost", SERVER)
        desk = Desk(Path(folder), box)

        def take_time(timeout: float) -> None:
            """Have every call take so many seconds at most."""
            more = f"timeout: {timeout:g}\n      allow_http: true"
            more += f"\n      settle_after: {settle_after:g}" if settle_after >= 0 else ""
            desk.project(PROJECT.format(url=box.url).replace("settle_after: 0", more))

        take_time(2 if way == "exits" else 3)
        swim = {"name": "Swim", "group": "Pool", "type": "event", "start_date": "2027-03-01", "time": "10:00"}
        desk.declare("Session", "swim", swim)

        def run(*arguments: str) -> subprocess.Popen[str]:
            command = (sys.executable, "-m", "reconciler", *arguments, "--trust-host", SERVER)
            return link.start(*command, cwd=folder, env=desk.env, stdin=subprocess.DEVNULL)

        link.trap = b"POST /api/sessions"
        first = run("apply", "--yes")
        until(lambda: link.lost or first.poll() is not None, "nothing was sent")
        began = time.monotonic()
        if way == "is killed":
            first.kill()
        first.communicate(timeout=PATIENCE)
        take_time(PATIENCE)
        # Sent again after 0.2, 0.6, 1.4, 3, 6.2 and 12.6 s: the next run falls between two of these.
        time.sleep(max(0.0, 6.6 - (time.monotonic() - began)))
        link.heal()
        second = run("apply", "--yes", "--wait", "--format", "json")
        second.communicate(timeout=PATIENCE)
        time.sleep(max(0.0, 14 - (time.monotonic() - began)))
        made = len(box.sessions())
        third = run("plan", "--detailed-exitcode")
        third.communicate(timeout=PATIENCE)
        link.far.kill()
    codes = [first.returncode, second.returncode, third.returncode]
    return {"way": way, "codes": codes, "lost": link.lost, "objects": made, "late": link.late}


def main() -> None:
    """Run the rounds that are asked for."""
    options = argparse.ArgumentParser()
    options.add_argument("scenario", choices=["call", "runs"])
    options.add_argument("--way", choices=WAYS, default="exits")
    options.add_argument("--tls", action="store_true")
    options.add_argument("--size", type=int, default=100)
    options.add_argument("--settle-after", type=float, default=0.0, help="below 0: not stated")
    given = options.parse_args()
    if given.scenario == "call":
        found = one_call(given.way, tls=given.tls, size=given.size)
    else:
        found = two_runs(given.way, given.settle_after)
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    os._exit(0)  # threads wait for packets


if __name__ == "__main__":
    main()
