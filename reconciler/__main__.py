"""The command's entry: what answers without click is printed before click is imported."""

from __future__ import annotations

import os
import sys

from reconciler.cli.quick import help_printed, words_offered, written

_NEW_OBJECTS = 100_000
"""New objects after which Python looks for unused cycles. A command keeps nearly all that it makes: by the default of
700, looking through it again and again took a fifth of the time of a plan. To start a plan takes fewer objects."""

_COMMAND_LINE_OF_HTTPX = "httpx._main"
"""httpx imports it wherever it can, and with it most of rich and pygments: a twentieth of the start of a plan."""


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] == ["--version"] and _version_printed():
        return
    _reserve()
    if "_RECONCILER_COMPLETE" in os.environ:
        if words_offered(os.environ):
            return
        from reconciler.cli.main import complete  # noqa: PLC0415 - as below

        complete()
    if help_printed(sys.argv[1:]):
        return
    import gc  # noqa: PLC0415 - only a command that runs needs it

    gc.set_threshold(_NEW_OBJECTS)
    sys.modules.setdefault(_COMMAND_LINE_OF_HTTPX, None)  # type: ignore[arg-type] # as if it were not installed
    from reconciler.cli.main import run  # noqa: PLC0415 - click is not needed above

    code = run(sys.argv[1:])
    gc.freeze()  # the process ends: nothing of it needs to be looked through once more
    sys.exit(code)


def _version_printed() -> bool:
    from reconciler.version import __version__  # noqa: PLC0415 - nothing else is needed

    try:
        return written(f"reconciler {__version__}\n".encode())
    except (OSError, ValueError):
        return False  # the command line says why


def _reserve() -> None:
    """Open the null device in place of a standard stream that is closed: a file must not get its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # so that a write to it fails, as it does without this
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open until the process ends


if __name__ == "__main__":
    main()
