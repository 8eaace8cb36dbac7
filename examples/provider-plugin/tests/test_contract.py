"""The contract of every provider, against the emulator of this package."""

import pytest
from tool_hire.emulator import DEPOT, TOKEN, ToolHireEmulator

from reconciler.testing import Declaration, Sample, contract_cases

DECLARATION = Declaration(
    provider="tool-hire",
    emulator=ToolHireEmulator,
    auth={"token": TOKEN},
    settings={"depot": DEPOT},
    live=lambda emulator: list(emulator.tools.values()),
    foreign=lambda emulator: emulator.add(name="Their ladder", category="access"),
    methods=("POST", "PATCH"),
    samples=(
        Sample(
            kind="Tool",
            name="drill",
            spec={"name": "Cordless drill", "category": "drilling", "day_rate": 12.5},
            edits=(
                {"day_rate": "13.00", "quantity": 4, "serviced_on": "2027-03-01"},
                {"name": "Drill", "retired": True, "quantity": None},
            ),
        ),
        Sample(
            kind="Tool",
            name="saw",
            spec={"name": "Säge & Co", "category": "cutting", "quantity": 2},
            edits=({"quantity": 3},),
        ),
    ),
)


@pytest.mark.parametrize("case", contract_cases(DECLARATION), ids=str)
def test_contract(case, tmp_path):
    case.run(tmp_path)
