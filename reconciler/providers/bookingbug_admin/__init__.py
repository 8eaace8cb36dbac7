"""The admin API: JSON (seed 002)."""

from reconciler.providers.base import BUILT_IN, ProviderSpec, late
from reconciler.providers.bookingbug_admin.settings import AdminSettings

SPEC = ProviderSpec(
    name="bookingbug-admin",
    schema=BUILT_IN,
    calls=late(f"{__name__}.handlers", "calls"),
    open=late(f"{__name__}.provider", "Admin"),
    settings=AdminSettings,
    login_path=late(f"{__name__}.wire", "login_path"),
)
