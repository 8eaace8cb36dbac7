"""A kit for the tests of providers, and of programs that use reconciler. It needs the `sandbox` extra.

`contract_cases` is the suite that every provider passes against an emulator of its system. `sandbox` serves the three
built-in APIs for examples and tests. pytest is not needed, and fits.
"""

try:
    from reconciler.sandbox import Emulator, Fault
except ImportError as error:
    message = f"reconciler.testing needs {error.name}: pip install 'booking-reconciler[sandbox]'"
    raise ImportError(message, name=error.name) from error
from reconciler.testing.bench import Bench, Done
from reconciler.testing.contract import Case, contract_cases
from reconciler.testing.declaration import Declaration, Sample
from reconciler.testing.playground import Playground, sandbox
from reconciler.testing.waits import short_waits

__all__ = [
    "Bench",
    "Case",
    "Declaration",
    "Done",
    "Emulator",
    "Fault",
    "Playground",
    "Sample",
    "contract_cases",
    "sandbox",
    "short_waits",
]
