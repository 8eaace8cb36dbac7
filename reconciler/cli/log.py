"""The log: one line for each request with `-v`, otherwise only warnings."""

from __future__ import annotations

import logging
import sys

from reconciler.render.safe import harmless


class _OneLine(logging.Formatter):
    """Log lines as safe as every other output: one line each, no control character, no secret."""

    def format(self, record: logging.LogRecord) -> str:
        return harmless(super().format(record))


def start_log(*, verbose: bool, quiet: bool) -> None:
    """Send the log to stderr: requests with `-v`, otherwise warnings, and nothing with `-q`."""
    logger = logging.getLogger("reconciler")
    logger.handlers.clear()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if verbose else logging.CRITICAL if quiet else logging.WARNING)
    logger.propagate = False
