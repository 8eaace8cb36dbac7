"""The log: one line for each request with `-v`, otherwise only warnings."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

from reconciler.render.safe import harmless


class _OneLine(logging.Formatter):
    """Log lines as safe as every other output: one line each, no control character, no secret."""

    def format(self, record: logging.LogRecord) -> str:
        line = harmless(super().format(record))
        if record.name != "reconciler.http":
            return line
        return f"{self.formatTime(record, '%H:%M:%S')}.{record.msecs:03.0f} {line}"


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at that moment: above a progress line, not through it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def start_log(*, verbose: bool, quiet: bool) -> None:
    """Send the log to stderr: requests with `-v`, otherwise warnings, and nothing with `-q`."""
    logger = logging.getLogger("reconciler")
    logger.handlers.clear()
    handler = _Stderr()
    handler.setFormatter(_OneLine("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if verbose else logging.CRITICAL if quiet else logging.WARNING)
    logger.propagate = False
