"""Workflow commands, read as GitHub's runner reads them."""

from __future__ import annotations

import re
from urllib.parse import unquote


def parsed(command):
    """Read a workflow command as the runner does."""
    kind, properties, words = re.fullmatch(r"::(\w+) ([^\r\n]*?)::([^\r\n]*)", command).groups()

    def plain(text, *codes):
        for code in (*codes, "%0D", "%0A", "%25"):
            text = text.replace(code, unquote(code))
        return text

    pairs = dict(pair.split("=", 1) for pair in properties.split(","))
    return kind, {key: plain(value, "%3A", "%2C") for key, value in pairs.items()}, plain(words)
