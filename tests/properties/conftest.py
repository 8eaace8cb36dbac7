"""How many examples a property is tried with, and how a failure is shown."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "reconciler", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("reconciler")
