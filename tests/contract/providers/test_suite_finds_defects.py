"""The suite for providers fails where a provider is wrong: the example of another package, spoilt in one place each."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from values import replace

from reconciler import registry
from reconciler.errors import RemoteError
from reconciler.model.change import Receipt
from reconciler.testing import contract_cases

PLUGIN = Path(__file__).parents[3] / "examples" / "provider-plugin"
POINTS = {"reconciler.kinds": "tool_hire.kind:KIND", "reconciler.providers": "tool_hire.provider:SPEC"}


@pytest.fixture
def plugin(monkeypatch):
    """The modules of the example, whose kind and provider are installed for one test."""
    monkeypatch.syspath_prepend(PLUGIN / "tests")
    monkeypatch.syspath_prepend(PLUGIN / "src")
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [EntryPoint(name="tool", value=POINTS[group], group=group)]
    )
    for name in [name for name in sys.modules if name.partition(".")[0] in {"tool_hire", "test_contract"}]:
        monkeypatch.delitem(sys.modules, name)
    import test_contract  # noqa: PLC0415 - a module of the example
    import tool_hire.kind  # noqa: PLC0415 - as above
    import tool_hire.provider  # noqa: PLC0415 - as above

    registry.kinds.cache_clear()
    registry.providers.cache_clear()
    yield test_contract, tool_hire
    registry.kinds.cache_clear()
    registry.providers.cache_clear()


def failed_read_is_absent(_, tool_hire, monkeypatch):
    listed, shown = tool_hire.provider.ToolHire._list, tool_hire.provider.ToolHire._show

    def show(self, remote_id):
        try:
            return shown(self, remote_id)
        except RemoteError:
            return None

    monkeypatch.setattr(tool_hire.provider.ToolHire, "_list", lambda self: (listed(self)[0] or {}, None))
    monkeypatch.setattr(tool_hire.provider.ToolHire, "_show", show)


def no_natural_key(_, tool_hire, monkeypatch):
    monkeypatch.setattr(tool_hire.kind, "KIND", replace(tool_hire.kind.KIND, identities=lambda _: ()))


def field_never_sent(_, tool_hire, monkeypatch):
    monkeypatch.setattr(
        tool_hire.wire, "encode", lambda body, right=tool_hire.wire.encode: right({**body, "quantity": 1})
    )


def nothing_sent(_, tool_hire, monkeypatch):
    monkeypatch.setattr(tool_hire.provider.ToolHire, "send", lambda *_: Receipt())


def objects_of_others_changed(test_contract, tool_hire, monkeypatch):
    def send(self, call, right=tool_hire.provider.ToolHire.send):
        return right(self, replace(call, path=call.path[:-3] + "101") if call.effect == "update" else call)

    monkeypatch.setattr(tool_hire.provider.ToolHire, "send", send)


def field_without_sample(test_contract, _, monkeypatch):
    drill, saw = test_contract.DECLARATION.samples
    less = (replace(drill, edits=()), saw)
    monkeypatch.setattr(test_contract, "DECLARATION", replace(test_contract.DECLARATION, samples=less))


def method_never_sent(test_contract, _, monkeypatch):
    monkeypatch.setattr(test_contract, "DECLARATION", replace(test_contract.DECLARATION, methods=("PUT",)))


@pytest.mark.parametrize(
    ("spoil", "case", "words"),
    [
        (failed_read_is_absent, "reads: 500", "plan --format json: exit code 0; expected {1}"),
        (no_natural_key, "adoption: objects are found again without the state", "Adopted 0 objects; 2 not adopted"),
        (field_never_sent, "life: each step converges", "exit code 3; expected {0}"),
        (nothing_sent, "life: each step converges", "exit code 3; expected {0}"),
        (objects_of_others_changed, "life: each step converges", "exit code 3; expected {0}"),
        (method_never_sent, "writes: PUT drop_after", "no PUT call was sent"),
        (field_without_sample, "declaration: every field of every kind is created or edited", "no sample of kind Tool"),
    ],
)
def test_a_wrong_provider_fails(plugin, monkeypatch, tmp_path, spoil, case, words):
    test_contract, tool_hire = plugin
    spoil(test_contract, tool_hire, monkeypatch)
    (chosen,) = [each for each in contract_cases(test_contract.DECLARATION) if str(each) == case]
    with pytest.raises(AssertionError) as caught:
        chosen.run(tmp_path)
    assert words in str(caught.value)
