"""The log: one line for each request with `-v`, otherwise only warnings."""

from __future__ import annotations

import logging
import time

from reconciler.cli.output import say


class _Lines(logging.Handler):
    """Writes log lines as every other message: safe, wrapped on a screen, and above a progress line."""

    def emit(self, record: logging.LogRecord) -> None:
        words = record.getMessage()
        if record.name == "reconciler.http":
            words = f"{time.strftime('%H:%M:%S', time.localtime(record.created))}.{record.msecs:03.0f} {words}"
        say(words)


def start_log(*, verbose: bool, quiet: bool) -> None:
    """Send the log to stderr: requests with `-v`, otherwise warnings, and nothing with `-q`."""
    logger = logging.getLogger("reconciler")
    logger.handlers.clear()
    logger.addHandler(_Lines())
    logger.setLevel(logging.INFO if verbose else logging.CRITICAL if quiet else logging.WARNING)
    logger.propagate = False
