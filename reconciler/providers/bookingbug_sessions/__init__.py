"""The sessions API: XML over HTTP Basic (seed 000)."""

from reconciler.providers.base import BUILT_IN, ProviderSpec, late

SPEC = ProviderSpec(
    name="bookingbug-sessions",
    schema=BUILT_IN,
    calls=late(f"{__name__}.wire", "calls"),
    open=late(f"{__name__}.provider", "Sessions"),
    identified_by=("username",),
)
