"""A page in headless Chromium, controlled by its own protocol over two pipes: no driver and no port."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from typing import Any

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

_COMMAND = (
    *(PROGRAM or "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--remote-debugging-pipe", "--no-first-run"),
)


class Page:
    """One page. `evaluate` runs what the page's own policy would refuse: it is not part of the page."""

    def __init__(self, send: Any) -> None:
        self.send = send

    def evaluate(self, script: str) -> Any:
        found = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def size(self, width: int, height: int = 844) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    def dark(self, dark: bool) -> None:
        scheme = "dark" if dark else "light"
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, *, whole: bool = True) -> bytes:
        return base64.b64decode(self.send("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def pdf(self) -> bytes:
        return base64.b64decode(self.send("Page.printToPDF", printBackground=False, preferCSSPageSize=True)["data"])


@contextmanager
def opened(address: str, *, script: bool = True):
    """Open a page and wait until it is loaded; `script`: whether its scripts run."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:  # its children may still write there
        process = subprocess.Popen(
            # bash: the numbers of the pipes can have two digits, which other shells do not take
            [
                *("/bin/bash", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}', "bash"),
                *_COMMAND,
                f"--user-data-dir={profile}",
            ],
            pass_fds=(to_read, from_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        answers, number = os.fdopen(from_read, "rb"), 0
        rest = b""

        def message() -> dict[str, Any]:
            nonlocal rest
            while b"\0" not in rest:
                block = os.read(answers.fileno(), 1 << 20)
                assert block, "Chromium has ended"
                rest += block
            first, rest = rest.split(b"\0", 1)
            return json.loads(first)

        def send(method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
            nonlocal number
            number += 1
            asked = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
            data = json.dumps(asked).encode() + b"\0"
            while data:
                data = data[os.write(to_write, data) :]
            while (found := message()).get("id") != number:
                pass
            assert "error" not in found, (method, found)
            return found["result"]

        try:
            target = send("Target.createTarget", url="about:blank")["targetId"]
            session = send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            page = Page(lambda method, **params: send(method, session, **params))
            page.send("Page.enable")
            if not script:
                page.send("Emulation.setScriptExecutionDisabled", value=True)
            page.send("Page.navigate", url=address)
            while message().get("method") != "Page.loadEventFired":
                pass
            yield page
        finally:
            process.kill()
            process.wait()
            os.close(to_write)
            answers.close()
