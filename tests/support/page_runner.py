"""Run a page of the documentation as a reader would: its files are written, its commands run in order.

A console block runs line by line: `$ ` starts a command, the lines up to the next one are what it prints, and a line
`…` stands for any lines. `cd`, `export` and `echo $?` work as in a shell. A block that starts with `# PATH` is a file,
and a diff block that starts with `--- PATH` edits one. `reconciler sandbox` starts a sandbox that the later commands
reach. A comment `<!-- not-run: REASON -->` before a block says why it cannot run here.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from reconciler.cli.commands.sandbox import sandbox
from reconciler.cli.demo.stage import recorded
from reconciler.sandbox import Options, Sandbox, credentials, with_own_credentials

FENCE = re.compile(
    r"(?:^<!-- (?P<why>[\w-]+: [^>]+) -->\n\n?)?^```(?P<language>[\w-]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
FILE = re.compile(r"\A# ([\w./-]+\.\w+)\n")
URL = "http://127.0.0.1:8700"
"""Where the pages expect the sandbox."""

SERVER = "/srv/"
"""A folder of a server that a team shares."""

SHELL = {"console", "bash", "sh", "shell"}
VARYING = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z"), "TIME"),
    (re.compile(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"(\(id |\bslot |/(?:sessions|slots|resources)/)\d+"), r"\1ID"),
    (re.compile(r" on [\w.-]+, TIME to TIME \(.*?\)| by \S+ on [\w.-]+"), " on MACHINE"),
    (re.compile(r"\(id \w{4}…"), "(id ID"),
    (re.compile(r" +$"), ""),
]
"""What differs from run to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int
    not_run: str = ""


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    for found in FENCE.finditer(text):
        reason = (found["why"] or "").partition("not-run: ")[2]
        line = text.count("\n", 0, found.start("language")) + 1
        yield Block(language=found["language"], text=found["text"], line=line, not_run=reason)


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console block, with the lines that it prints."""
    assert block.text.startswith("$ "), f"line {block.line}: a console block starts with `$ `"
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *shown = part.replace("\\\n", "").splitlines()
        yield command, shown


SETTINGS = {
    **{f"GIT_{who}_{what}": f"ann@{who}.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "init.defaultBranch",
    "GIT_CONFIG_VALUE_0": "main",
    "NO_COLOR": "1",
    "RECONCILER_TODAY": "2027-01-11",  # before the dates of the pages, whenever they are followed
    "COLUMNS": "120",
    "LC_ALL": "C.UTF-8",
}


@dataclass
class Reader:
    """Someone who follows a page in a folder, with two terminals."""

    home: Path
    stack: ExitStack
    env: dict[str, str] = field(default_factory=lambda: {**os.environ, **SETTINGS})
    box: Sandbox | None = None
    code: int = 0
    ran: int = 0
    printed: str = ""
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.home / "here"
        self.folder.mkdir()

    def follow(self, text: str) -> None:
        """Write the files and run the commands of a page; AssertionError where it is not as the page says."""
        for block in blocks(text):
            if block.not_run:
                continue
            if block.language == "diff":
                self._edit(block)
            elif block.language in SHELL:
                for command, shown in commands(block):
                    self._command(command, shown, f"line {block.line}: $ {command}")
            elif named := FILE.match(block.text):
                file = self.folder / named[1]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(self._local(block.text[named.end() :]), encoding="utf-8")
        assert self.code == 0, f"the page ends with exit code {self.code} and no `echo $?`\n{self.printed}"

    def _command(self, command: str, shown: list[str], where: str) -> None:
        words = shlex.split(re.sub(r"\s#\s.*$", "", command))  # not `comments=True`: a URL can contain `#`
        if words == ["echo", "$?"]:
            printed, self.code = f"{self.code}\n", 0
        else:
            assert self.code == 0, f"before {where}: exit code {self.code} and no `echo $?`\n{self.printed}"
            self._point()
            printed = self._run(self._local(command), [self._local(word) for word in words])
        self.ran += 1
        if shown:
            for name, place in self._places().items():
                printed = printed.replace(place, name)
            matches(shown, printed, where)
        self.printed = printed

    def _places(self) -> dict[str, str]:
        """Return what stands here for the places that a page names."""
        return {URL: self.box.url if self.box else URL, SERVER: f"{self.home}/srv/"}

    def _local(self, text: str) -> str:
        for name, place in self._places().items():
            text = text.replace(name, place)
        return text

    def _run(self, command: str, words: list[str]) -> str:
        if words[0] == "cd":
            self.folder = (self.folder / words[1]).resolve()
        elif words[0] == "export":
            self.env |= dict(word.split("=", 1) for word in words[1:])
        elif words[:2] == ["reconciler", "sandbox"]:
            return self._serve(words[2:])
        elif words[0] == "reconciler" and not re.search(r"[|>&;*$]", re.sub(r'"[^"$]*"|#.*', "", command)):
            return self._reconciler(words[1:])
        else:
            return self._shell(command)
        return ""

    def _reconciler(self, arguments: list[str]) -> str:
        """Run a command in this process; a reader answers yes."""
        asks = arguments[0] in {"apply", "destroy"} and not {"--yes", "--help"} & set(arguments)
        with chdir(self.folder), patch.dict(os.environ, self.env, clear=True):
            self.code, printed = recorded([*arguments, *(["--yes"] if asks else [])], terminal=False)
        assert "Traceback" not in printed, printed
        return printed

    def _shell(self, command: str) -> str:
        tools = self.home / ".tools"
        if not tools.exists():
            tools.mkdir()
            (tools / "reconciler").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m reconciler "$@"\n')
            (tools / "reconciler").chmod(0o755)
        path = os.pathsep.join((str(tools), str(Path(sys.executable).parent), self.env["PATH"]))
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**self.env, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=100,
            check=False,
        )
        self.code = done.returncode
        return done.stdout

    def _serve(self, arguments: list[str]) -> str:
        """Start a sandbox with the options of the command, on a free port; its credentials are exported."""
        asked = sandbox.make_context("sandbox", list(arguments)).params
        stated = Options.parse([*asked["choices"], *([f"name={asked['name']}"] if asked["name"] else ())])
        self.box = self.stack.enter_context(
            Sandbox(with_own_credentials(stated, set(), asked["name"]), seed=asked["seed"])
        )
        self.env |= credentials(self.box.options)
        return ""

    def _point(self) -> None:
        """Let the project file name the sandbox of this test instead of the default port."""
        file = self.folder / "reconciler.yaml"
        if self.box and file.exists() and URL in (text := file.read_text(encoding="utf-8")):
            file.write_text(text.replace(URL, self.box.url), encoding="utf-8")

    def _edit(self, block: Block) -> None:
        head, *lines = block.text.splitlines()
        file = self.folder / head.removeprefix("--- ")
        before = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
        after = self._local("".join(f"{line[1:]}\n" for line in lines if line[:1] != "-"))
        text = file.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"line {block.line}: the edit does not fit {head}:\n{text}"
        file.write_text(text.replace(before, after), encoding="utf-8")


def matches(shown: list[str], printed: str, where: str) -> None:
    """Compare what a page shows with what was printed."""
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "…" else re.escape(_constant(line)) + r"\n" for line in shown)
    actual = "".join(f"{_constant(line)}\n" for line in printed.strip("\n").splitlines())
    assert re.fullmatch(pattern, actual), f"{where} prints\n{printed}"


def _constant(line: str) -> str:
    for pattern, word in VARYING:
        line = pattern.sub(word, line)
    return line.rstrip()
