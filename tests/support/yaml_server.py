"""The YAML language server that editors use (npm's `yaml-language-server`), spoken to over its pipes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "RECONCILER_TEST_YAML_SERVER"
CARET = "¦"
"""Where the cursor is in a text."""


def server_file() -> Path:
    """Return the server's program, for Node.js; skips the test if it is not installed."""
    found = os.environ.get(VARIABLE) or shutil.which("yaml-language-server")
    if found is None or shutil.which("node") is None:
        pytest.skip(f'no YAML language server: eval "$(.ci/editors install FOLDER)" sets {VARIABLE}')
    return Path(found)


class YamlServer:
    """One process that answers for any number of texts of one folder."""

    def __init__(self, root: Path, schemas: Mapping[str, list[str]]) -> None:
        """Start it. `schemas` are globs of files by schema, as `yaml.schemas` in the settings of VS Code."""
        self._root = root
        self._last = 0
        self._diagnostics: dict[str, list[dict[str, Any]]] = {}
        yaml = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
        self._settings = {"yaml": {**yaml, "schemas": dict(schemas)}}
        self._process = subprocess.Popen(
            ["node", str(server_file()), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root
        )
        item = {"snippetSupport": True, "documentationFormat": ["markdown"]}
        text = {"hover": {"contentFormat": ["markdown"]}, "completion": {"completionItem": item}}
        folder = {"uri": root.as_uri(), "name": "project"}
        capabilities = {"textDocument": text, "workspace": {"configuration": True}}
        self._ask(
            "initialize", processId=None, rootUri=root.as_uri(), workspaceFolders=[folder], capabilities=capabilities
        )
        self._send(method="initialized", params={})

    def stop(self) -> None:
        self._ask("shutdown")
        self._send(method="exit", params=None)
        self._process.communicate(timeout=30)

    def diagnostics(self, path: str, text: str) -> list[tuple[int, str]]:
        """Return what is marked as wrong in a file with this text: line (from 1) and message, in order."""
        uri = self._open(path, text)
        found = [(item["range"]["start"], item["message"]) for item in self._diagnostics[uri]]
        return [(place["line"] + 1, words) for place, words in sorted(found, key=lambda each: tuple(each[0].values()))]

    def completion(self, path: str, text: str) -> dict[str, dict[str, Any]]:
        """Return what is offered at the cursor, by its label, in the order of the answer."""
        answer = self._ask("textDocument/completion", **self._cursor(path, text))
        return {item["label"]: item for item in answer["items"]}

    def hover(self, path: str, text: str) -> str:
        """Return the documentation of what the cursor is on."""
        answer = self._ask("textDocument/hover", **self._cursor(path, text))
        words: str = answer["contents"]["value"] if answer else ""
        return words

    def _cursor(self, path: str, text: str) -> dict[str, Any]:
        before, _, after = text.partition(CARET)
        uri = self._open(path, before + after)
        place = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        return {"textDocument": {"uri": uri}, "position": place}

    def _open(self, path: str, text: str) -> str:
        """Open a text in place of any with the same path, and wait until it is checked. No file need exist."""
        uri = (self._root / path).as_uri()
        self._send(method="textDocument/didClose", params={"textDocument": {"uri": uri}})
        self._ask("workspace/symbol", query="")  # after it, what was said of the text before has been read
        self._diagnostics.pop(uri, None)
        self._last += 1
        opened = {"uri": uri, "languageId": "yaml", "version": self._last, "text": text}
        self._send(method="textDocument/didOpen", params={"textDocument": opened})
        while uri not in self._diagnostics:
            self._step()
        return uri

    def _ask(self, method: str, **params: Any) -> Any:
        self._last += 1
        number = self._last
        self._send(id=number, method=method, params=params)
        while True:
            message = self._step()
            if message.get("id") == number and "method" not in message:
                return message.get("result")

    def _send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _step(self) -> dict[str, Any]:
        """Read one message, and answer the server's own questions."""
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.decode().partition(":")
            length = int(value) if name.lower() == "content-length" else length
        assert length, f"the server ended: {self._process.poll()}"
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self._diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            wanted = message["params"].get("items", ()) if message["method"] == "workspace/configuration" else None
            result = None if wanted is None else [self._settings.get(each["section"]) for each in wanted]
            self._send(id=message["id"], result=result)
        return message
