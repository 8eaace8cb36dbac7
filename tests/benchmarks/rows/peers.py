"""What a user would pick instead: octodns, measured beside a plan, and terraform, from figures that were recorded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from lab import ROOT, Lab
from measuring import Failed, Line, Sample, alternate, median, run

OCTODNS = ROOT / "build" / "octodns"
"""An environment of its own, which is kept."""

CONFIG = """\
providers:
  config: {class: octodns.provider.yaml.YamlProvider, directory: ./config, default_ttl: 300}
  target: {class: octodns.provider.yaml.YamlProvider, directory: ./target, default_ttl: 300}
zones:
  example.com.: {sources: [config], targets: [target]}
"""
RECORD = "name-{number:06}:\n  ttl: 300\n  type: A\n  values:\n    - 10.{high}.{middle}.{low}\n"

TERRAFORM: Mapping[int, tuple[float, float]] = {1_000: (24.0, 555.0), 10_000: (118.0, 843.0)}
"""CPU seconds and MB of a no-op plan of terraform 1.11 with a cloud provider over loopback HTTP, one block for each
object, which is its best form. Recorded on two cores; not measured here."""


def octodns(lab: Lab) -> Iterator[Line]:
    """Compare a no-op plan with octodns on as many records, from one YAML folder to another."""
    remark = "" if installed() else "octodns is not installed, and pip cannot install it"
    for size in lab.sizes[:2]:
        taken: dict[str, list[Sample]] = {}
        if not remark:
            folder = zone(lab.folder / f"octodns-{size}", size)
            command = [str(OCTODNS / "bin" / "octodns-sync"), "--config-file", "octodns.yaml", "--quiet"]
            contenders = {name: partial(lab.adopted(name, size).run, "plan") for name in lab.checkouts}
            taken = alternate(
                {"octodns": partial(run, command, folder, lab.env("now"), limit=lab.limit), **contenders}, lab.rounds
            )
        yield Line(
            what=f"no-op plan of {size:,} sessions, CPU, beside octodns",
            unit="times octodns",
            goal=1.0,
            figures={
                name: [one.cpu / other.cpu for one, other in zip(taken[name], taken["octodns"], strict=True)]
                for name in lab.checkouts
                if taken
            },
            reference=f"{median(taken['octodns'], 'cpu'):.2f} s" if taken else "",
            remark=remark,
            samples=taken,
        )


def installed() -> bool:
    """Install octodns where that is possible."""
    if (OCTODNS / "bin" / "octodns-sync").exists():
        return True
    try:
        subprocess.run([sys.executable, "-m", "venv", OCTODNS], check=True, capture_output=True, timeout=300)
        pip = [OCTODNS / "bin" / "pip", "install", "--quiet", "octodns"]
        subprocess.run(pip, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def zone(folder: Path, size: int) -> Path:
    """Write the same zone as a source and as a target."""
    text = "---\n" + "".join(
        RECORD.format(number=number, high=number >> 16, middle=number >> 8 & 255, low=number & 255)
        for number in range(size)
    )
    for name in ("config", "target"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "example.com.yaml").write_text(text, encoding="utf-8")
    (folder / "octodns.yaml").write_text(CONFIG, encoding="utf-8")
    return folder


def terraform(lab: Lab) -> Iterator[Line]:
    """Compare a no-op plan with the recorded figures of terraform."""
    for size in lab.sizes[:2]:
        if size not in TERRAFORM:
            raise Failed(f"no figures of terraform are recorded for {size:,} objects")
        cpu, rss = TERRAFORM[size]
        taken = lab.plans(size)
        for measure, reference, unit, share in (("cpu", cpu, "s", 15), ("rss", rss, "MB", 6)):
            yield Line(
                what=f"no-op plan of {size:,} sessions, {'CPU' if measure == 'cpu' else 'memory'}, beside terraform",
                unit="times terraform",
                goal=1 / share,
                figures={name: [getattr(each, measure) / reference for each in found] for name, found in taken.items()},
                reference=f"{reference:g} {unit}, recorded",
                samples=taken,
            )


ROWS = {"octodns": octodns, "terraform": terraform}
