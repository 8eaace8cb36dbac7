"""What loading costs at least: python yaml_load.py FOLDER loads every file with `yaml.load(CSafeLoader)`."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

for file in sorted(Path(sys.argv[1]).glob("*.yaml")):
    yaml.load(file.read_bytes(), yaml.CSafeLoader)
