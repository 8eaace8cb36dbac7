"""`dataclasses.dataclass`, but a method is compiled when it is first used.

The standard library compiles up to six methods for each class at import, which took a quarter of a plan of one object.
Of most classes, a run needs one method or none. Fields, slots, and the order of parameters still come from the
standard library, and a type checker sees only its decorator. There is no `InitVar` and no `order=True` here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, fields
from functools import partial
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - exported
else:

    def dataclass(**options: bool) -> Callable[[type[Any]], type[Any]]:
        """Make a data class: `eq`, `frozen`, `slots` and `kw_only` are those of the standard library."""
        return partial(_made, **options)


def _made(
    cls: type[Any], *, eq: bool = True, frozen: bool = False, slots: bool = False, kw_only: bool = False
) -> type[Any]:
    own = dict(vars(cls))
    mixed = frozen and any(map(dataclasses.is_dataclass, cls.__bases__))  # a base that is frozen takes no other
    options = {"init": False, "repr": False, "eq": False, "frozen": mixed, "slots": slots, "kw_only": kw_only}
    made: type[Any] = dataclasses.dataclass(**options)(cls)
    made.__dataclass_params__.frozen = frozen
    methods: dict[str, object] = {"__init__": _Unwritten(made, "__init__", _init)}
    if "__repr__" not in own:
        methods["__repr__"] = _repr
    if eq and "__eq__" not in own:
        methods["__eq__"] = _Unwritten(made, "__eq__", _eq)
    if eq and own.get("__hash__") is None:
        methods["__hash__"] = _Unwritten(made, "__hash__", _hash) if frozen else None
    if frozen:
        methods |= {"__setattr__": _refuse_set, "__delattr__": _refuse_delete}
    if frozen and slots and not mixed:  # the standard library has one for `mixed`
        methods["__setstate__"] = _restore
    for name, method in methods.items():
        setattr(made, name, method)
    return made


class _Absent:
    """No argument, where the default is made for each instance; as the standard library shows it in a signature."""

    def __repr__(self) -> str:
        return "<factory>"


_ABSENT = _Absent()


class _Unwritten:
    """A method that replaces itself by its function when it is first looked up."""

    def __init__(self, cls: type[Any], name: str, write: Callable[[type[Any], dict[str, object]], str]) -> None:
        self.cls, self.name, self.write = cls, name, write

    def __get__(self, instance: object, owner: type[Any]) -> object:
        names: dict[str, object] = {"__name__": self.cls.__module__}
        exec(self.write(self.cls, names), names)  # noqa: S102 - the text comes from the functions below
        function: Any = names[self.name]
        function.__qualname__ = f"{self.cls.__qualname__}.{self.name}"
        if self.name == "__init__":
            function.__annotations__ = {spec.name: spec.type for spec in fields(self.cls) if spec.init} | {
                "return": None
            }
        setattr(self.cls, self.name, function)
        return function.__get__(instance, owner)


def _init(cls: type[Any], names: dict[str, object]) -> str:
    """Return the text of `__init__`, and put what it refers to into `names`."""
    frozen = cls.__dataclass_params__.frozen
    names |= {"__set": object.__setattr__, "__absent": _ABSENT}
    before: list[str] = []
    after: list[str] = []
    body: list[str] = []
    for spec in fields(cls):
        name, default, make = spec.name, f"__of_{spec.name}", spec.default_factory
        made = make is not MISSING
        names[default] = make if made else spec.default
        if spec.init:
            ending = "=__absent" if made else "" if spec.default is MISSING else f"={default}"
            (after if spec.kw_only else before).append(f"{name}{ending}")
            value = f"{default}() if {name} is __absent else {name}" if made else name
        elif made or spec.default is not MISSING:
            value = f"{default}()" if made else default
        else:
            continue
        body.append(f"__set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ["self", *before, *(["*", *after] if after else [])]
    return f"def __init__({', '.join(parameters)}):\n  " + "\n  ".join(body or ["pass"])


def _eq(cls: type[Any], _: dict[str, object]) -> str:
    compared = [spec.name for spec in fields(cls) if spec.compare]
    return (
        "def __eq__(self, other):\n  if other.__class__ is not self.__class__: return NotImplemented\n"
        f"  return {_values('self', compared)} == {_values('other', compared)}"
    )


def _hash(cls: type[Any], _: dict[str, object]) -> str:
    hashed = [spec.name for spec in fields(cls) if (spec.compare if spec.hash is None else spec.hash)]
    return f"def __hash__(self): return hash({_values('self', hashed)})"


def _values(instance: str, names: list[str]) -> str:
    return f"({''.join(f'{instance}.{name}, ' for name in names)})"


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{spec.name}={getattr(self, spec.name)!r}" for spec in fields(self) if spec.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_set(_: object, name: str, __: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(_: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _restore(self: object, state: tuple[None, dict[str, object]]) -> None:
    """Fill a copy, whose fields cannot be assigned."""
    for name, value in state[1].items():
        object.__setattr__(self, name, value)
