"""Modules that are imported when something of them is looked up, such as the type of a field that is mostly empty."""

from __future__ import annotations

from importlib import import_module


class LateModule:
    """A module, for annotations: those who ask for the types of a class import it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> object:
        found: object = getattr(import_module(self._name), name)
        return found
