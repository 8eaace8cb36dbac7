"""`--install-completion` and `--show-completion`: where a shell looks for its script, and what to do next."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from importlib import resources
from pathlib import Path

import click

from reconciler.cli.output import say
from reconciler.cli.shells import SHELLS
from reconciler.errors import OutputFailed, ReconcilerError, UsageError
from reconciler.files import read_regular, write_whole

_MARK = "# written by reconciler --install-completion"
_LARGEST = 10_000_000


def script(shell: str) -> str:
    """Return the script of a shell."""
    return resources.files("reconciler").joinpath(f"cli/completions/reconciler.{shell}").read_text(encoding="utf-8")


def show(shell: str) -> None:
    """Print the script of a shell."""
    click.echo(script(_named(shell)), nl=False)


def install(shell: str) -> None:
    """Write the script of a shell where it looks for it, and at most one line of its settings."""
    shell = _named(shell)
    file, settings = _places(shell)
    changed = _write(file, f"{script(shell)}{_MARK}\n", shell)
    say(f"{'Wrote' if changed else 'Already up to date:'} {file}")
    if settings is not None:
        quoted = shlex.quote(str(file))
        changed = _write_line(settings, f"if [ -r {quoted} ]; then . {quoted}; fi  {_MARK}")
        say(f"Wrote one line to {settings}" if changed else f"Already up to date: {settings}")
    say(
        "Completion works in every new terminal."
        + (f" In this one, run: . {shlex.quote(str(settings))}" if settings else "")
    )


def _named(shell: str) -> str:
    """Return the shell; for `auto` that of the parent process, or else the login shell."""
    if shell != "auto":
        return shell
    candidates = [os.environ.get("SHELL", "")]
    with suppress(OSError):
        candidates.insert(0, Path(f"/proc/{os.getppid()}/comm").read_text(encoding="utf-8", errors="replace"))
    names = [Path(each.strip().lstrip("-")).name for each in candidates]
    found = next((name for name in names if name in SHELLS), None)
    if found is None:
        raise UsageError("cannot tell which shell this is", hint=f"name it: --install-completion {'|'.join(SHELLS)}")
    return found


def _places(shell: str) -> tuple[Path, Path | None]:
    """Return the file of the script, and the settings that must name it where the shell does not find it by itself."""
    try:
        home = Path.home()
    except RuntimeError:
        raise ReconcilerError("the home folder is unknown", hint="set HOME") from None
    data = _folder("XDG_DATA_HOME", home / ".local/share")
    if shell == "bash":
        folder = _folder("BASH_COMPLETION_USER_DIR", data / "bash-completion")
        return folder / "completions/reconciler", home / ".bashrc"
    if shell == "zsh":
        return data / "reconciler/completion.zsh", _folder("ZDOTDIR", home) / ".zshrc"
    return _folder("XDG_CONFIG_HOME", home / ".config") / "fish/completions/reconciler.fish", None


def _folder(variable: str, default: Path) -> Path:
    """Return the folder that a variable names; a relative one does not count, as XDG says."""
    stated = Path(os.environ.get(variable, ""))
    return stated if stated.is_absolute() else default


def _write(file: Path, text: str, shell: str) -> bool:
    """Write our own file, and return whether it changed; OutputFailed where another file has that name."""
    before = _content(file)
    if before is not None and _MARK.encode() not in before:
        hint = f"move it away, or add the script yourself: reconciler --show-completion {shell}"
        raise OutputFailed(f"{file} already exists with different content", hint=hint)
    return _replaced(file, before, text.encode())


def _write_line(file: Path, line: str) -> bool:
    """Write our line of a file in the place where it is, or at the end; return whether the file changed."""
    before = _content(file)
    lines = (before or b"").split(b"\n")
    ours = next((number for number, each in enumerate(lines) if each.endswith(_MARK.encode())), None)
    if ours is not None:
        lines[ours] = line.encode()
    else:
        lines[-1:] = [*filter(None, lines[-1:]), line.encode(), b""]
    return _replaced(file, before, b"\n".join(lines))


def _content(file: Path) -> bytes | None:
    try:
        content, _ = read_regular(file, _LARGEST)
    except FileNotFoundError:
        return None
    return content


def _replaced(file: Path, before: bytes | None, content: bytes) -> bool:
    if before == content:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, content)
    return True
