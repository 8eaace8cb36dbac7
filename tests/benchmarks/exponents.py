"""How the work of each stage grows with its input: CPU seconds at four sizes, and the exponent between them.

    python tests/benchmarks/exponents.py [WORD…]

prints one row for each stage whose name contains a WORD. An exponent of 1 is linear, of 2 quadratic. Each file in
`stages/` has a table `STAGES` of name → function(n) that prepares an input of size n and returns what is measured.
Another checkout is measured with PYTHONPATH=CHECKOUT.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

Stage = Callable[[int], Callable[[], object]]

SIZES = (250, 500, 1_000, 2_000)
LIMIT = 1.2
"""An exponent above this is worth a look. Memory and caches give linear work up to 1.1."""

LONG = 5.0
"""Seconds above which a measurement is not repeated."""

QUICK = 0.002
"""Seconds below which an exponent says nothing."""


def stages() -> dict[str, Stage]:
    """Return every stage by name."""
    found: dict[str, Stage] = {}
    for file in sorted((Path(__file__).parent / "stages").glob("*.py")):
        spec = spec_from_file_location(f"stages_{file.stem}", file)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        found |= {f"{file.stem}: {name}": stage for name, stage in module.STAGES.items()}
    return found


def seconds(stage: Stage, sizes: Sequence[int] = SIZES, repeats: int = 3) -> dict[int, float]:
    """Return the least CPU seconds for each size; the sizes take turns, so that a slow moment meets all of them."""
    ready = {size: stage(size) for size in sizes}
    ready[sizes[0]]()  # imports and caches
    least = dict.fromkeys(sizes, math.inf)
    for _ in range(repeats):
        for size, run in ready.items():
            if LONG < least[size] < math.inf:
                continue
            begin = time.process_time()
            run()
            least[size] = min(least[size], time.process_time() - begin)
    return least


def exponent(measured: Mapping[int, float]) -> float:
    """Return the slope of log(seconds) over log(size), by least squares."""
    points = [(math.log(size), math.log(max(spent, 1e-6))) for size, spent in measured.items()]
    middle_x, middle_y = (sum(side) / len(points) for side in zip(*points, strict=True))
    across = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / across


def main(words: Sequence[str]) -> None:
    """Print the table."""
    print(f"{'stage':<44}" + "".join(f"{f'{size:,}':>9}" for size in SIZES) + "  exponent")  # noqa: T201
    for name, stage in stages().items():
        if words and not any(word in name for word in words):
            continue
        measured = seconds(stage)
        slope = exponent(measured)
        remark = " (too quick to tell)" if measured[SIZES[-1]] < QUICK else " !" if slope > LIMIT else ""
        figures = "".join(f"{spent:9.3f}" for spent in measured.values())
        print(f"{name:<44}{figures}{slope:10.2f}{remark}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
