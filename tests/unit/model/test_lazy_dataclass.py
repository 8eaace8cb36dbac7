"""A lazy data class behaves as one of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import FrozenInstanceError, field
from threading import Barrier, Thread

import pytest

from reconciler.model import lazy_dataclass

SHAPES = [
    {"frozen": frozen, "slots": slots, "kw_only": kw_only, "eq": eq}
    for frozen in (True, False)
    for slots in (True, False)
    for kw_only in (True, False)
    for eq in (True, False)
]


def _class_of(decorator, **options):
    @decorator(**options)
    class Shape:
        """A shape with every form of field."""

        a: int
        b: str = "b"
        c: list[int] = field(default_factory=list)
        d: int = field(default=1, compare=False, repr=False)
        e: dict[str, int] = field(default_factory=dict, init=False, hash=False)
        f: int = field(default=2, init=False)
        g: int = field(default=3, hash=True, compare=False, kw_only=True)

        def __post_init__(self) -> None:
            self.e["seen"] = self.a

    @decorator(**options)
    class Below(Shape):
        """A shape with one more field."""

        h: int = 4

        def __repr__(self) -> str:
            return "below"

    return Shape, Below


@pytest.fixture(params=SHAPES, ids=lambda options: ",".join(name for name, on in options.items() if on) or "none")
def both(request):
    made = [_class_of(decorator, **request.param) for decorator in (lazy_dataclass.dataclass, dataclasses.dataclass)]
    return tuple(zip(*made, strict=True))


def _answer(call):
    try:
        return call()
    except (TypeError, AttributeError) as error:
        return type(error), str(error)


def test_values_are_made_shown_compared_and_replaced_as_in_the_standard_library(both):
    uses = {
        "signature": lambda cls: str(inspect.signature(cls)),
        "fields": lambda cls: [str(spec) for spec in dataclasses.fields(cls)],
        "match": lambda cls: cls.__match_args__,
        "made": lambda cls: repr(cls(a=1, c=[2])),
        "filled": lambda cls: dataclasses.asdict(cls(a=1, g=5)),
        "nothing given": lambda cls: cls(),
        "not a field": lambda cls: cls(a=1, z=1),
        "not to be given": lambda cls: cls(a=1, f=1),
        "equal": lambda cls: cls(a=1, d=1, g=1) == cls(a=1, d=2, g=2),
        "unequal": lambda cls: cls(a=1) == cls(a=2),
        "another class": lambda cls: cls(a=1) == 1,
        "hashable": lambda cls: (cls.__hash__ is None, cls.__hash__ is object.__hash__),
        "replaced": lambda cls: dataclasses.asdict(dataclasses.replace(cls(a=1), a=3)),
        "shared default": lambda cls: cls(a=1).c is cls(a=1).c,
        "slots": lambda cls: (hasattr(cls(a=1), "__dict__"), vars(cls).get("__slots__")),
        "copied": lambda cls: dataclasses.asdict(copy.deepcopy(cls(a=1))),
        "name": lambda cls: cls.__init__.__qualname__,
    }
    for lazy, standard in both:
        for name, use in uses.items():
            assert _answer(lambda: use(lazy)) == _answer(lambda: use(standard)), (lazy, name)  # noqa: B023


def test_frozen_values_cannot_be_changed(both):
    for lazy, standard in both:
        frozen = standard.__dataclass_params__.frozen
        assert lazy.__dataclass_params__.frozen == frozen
        value = lazy(a=1)
        if not frozen:
            value.a = 2
            assert value.a == 2
            continue
        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'a'"):
            value.a = 2
        with pytest.raises(FrozenInstanceError, match="cannot delete field 'a'"):
            del value.a
        assert value.a == 1


@lazy_dataclass.dataclass(frozen=True, slots=True)
class Point:
    """A value of a module, which can be pickled."""

    x: int
    y: tuple[Point, ...] = ()


def test_equal_values_have_equal_hashes_and_survive_a_copy():
    assert {Point(1), Point(1), Point(2)} == {Point(2), Point(1)}
    nested = Point(1, (Point(2),))
    assert pickle.loads(pickle.dumps(nested)) == copy.copy(nested) == nested
    assert repr(nested) == "Point(x=1, y=(Point(x=2, y=()),))"


def test_a_method_is_compiled_when_it_is_first_used():
    @lazy_dataclass.dataclass(frozen=True, slots=True)
    class Late:
        """Not used yet."""

        a: int

    def compiled():
        return {name for name in ("__init__", "__eq__", "__hash__") if inspect.isfunction(vars(Late)[name])}

    assert compiled() == set()
    value = Late(1)
    assert compiled() == {"__init__"}
    assert value == Late(1)
    assert hash(value)
    assert compiled() == {"__init__", "__eq__", "__hash__"}


def test_several_threads_may_use_a_class_first():
    for _ in range(50):
        (first, _), *_ = [_class_of(lazy_dataclass.dataclass, frozen=True, slots=True)]
        together, made = Barrier(4), []

        def make(cls=first, together=together, made=made):
            together.wait()
            made.append(cls(1))

        threads = [Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [value.a for value in made] == [1] * 4


def test_a_class_of_the_standard_library_may_follow_a_lazy_one():
    @dataclasses.dataclass(frozen=True, slots=True)
    class More(Point):
        z: int = 0

    assert More(1, (), 2) == More(1, (), 2)
    assert dataclasses.is_dataclass(Point)


def test_a_method_of_the_class_itself_is_kept():
    @lazy_dataclass.dataclass(frozen=True, slots=True)
    class Own:
        a: int

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "own"

    assert Own(1) == Own(2)
    assert repr(Own(1)) == "own"
    assert hash(Own(1)) == 7
