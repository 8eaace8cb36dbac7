"""Properties share the fakes of the engine's unit tests and the desk of the end-to-end tests."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

for shared in (Path("unit", "engine"), Path("e2e")):
    sys.path.insert(0, str(Path(__file__).parents[1] / shared))

settings.register_profile(
    "reconciler", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("reconciler")
