#!/usr/bin/env python3
"""Turns the parts that cyclonedx-py found in an environment into those of reconciler, with the hashes that pip checks.

python .github/sbom.py PARTS REQUIREMENTS OUTPUT
"""

import json
import re
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

parts, requirements, output = map(Path, sys.argv[1:])

bom = json.loads(parts.read_text(encoding="utf-8"))
pins = {}
for line in requirements.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
    if pin := re.match(r"([\w.-]+)==([\w.]+)", line):
        pins[pin[1], pin[2]] = re.findall(r"--hash=sha256:([0-9a-f]{64})", line)

(root,) = (part for part in bom["components"] if part["name"] == "booking-reconciler")
bom["components"].remove(root)
bom["metadata"]["component"] = {**root, "type": "application"}
for part in bom["components"]:
    name = re.sub(r"[-_.]+", "-", part["name"]).lower()
    files = {
        "type": "distribution",
        "url": part["purl"],
        "comment": "every file of this version that pip may install",
        "hashes": [{"alg": "SHA-256", "content": each} for each in pins.pop((name, part["version"]))],
    }
    part.setdefault("externalReferences", []).append(files)
    if not part.get("licenses"):
        sys.exit(f"{name} states no licence")
if pins:
    sys.exit(f"not among the parts: {', '.join(name for name, _ in sorted(pins))}")

text = json.dumps(bom, indent=2, sort_keys=True) + "\n"
if problem := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
    sys.exit(f"not valid: {problem}")
output.write_text(text, encoding="utf-8")
