"""The command's entry: `--version` is printed before anything else is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        from reconciler.version import __version__  # noqa: PLC0415 - nothing else is needed

        sys.stdout.write(f"reconciler {__version__}\n")
        return
    from reconciler.cli.main import run  # noqa: PLC0415 - click is not needed above

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
