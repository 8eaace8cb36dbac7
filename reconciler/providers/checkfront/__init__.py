"""The booking/session API (seed 004)."""

from reconciler.providers.base import BUILT_IN, ProviderSpec, late
from reconciler.providers.checkfront.settings import CheckfrontSettings

SPEC = ProviderSpec(
    name="checkfront",
    schema=BUILT_IN,
    calls=late(f"{__name__}.wire", "calls"),
    open=late(f"{__name__}.provider", "Checkfront"),
    settings=CheckfrontSettings,
)
