"""What a person is asked before a plan is applied."""

import render_samples as samples
from msgspec.structs import replace

from reconciler.cli.applying import question


def test_a_destroy_asks_whether_to_delete():
    plan = samples.rich_plan()
    changes = len(plan.effective)
    assert question(plan, ["a.example", "b.example"]) == f"Apply {changes} changes to a.example, b.example?"
    assert question(replace(plan, purpose="destroy"), ["a.example"]) == f"Delete {changes} objects from a.example?"
    one = replace(plan, changes=plan.effective[:1])
    assert question(one, []) == "Apply 1 change to the state only, without calls?"
