"""What a test needs so that a user without rights can reach its files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a new folder that every user may enter; those of pytest are closed whenever a session of it starts."""
    with tempfile.TemporaryDirectory(prefix="reconciler-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
