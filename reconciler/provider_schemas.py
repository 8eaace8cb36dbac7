"""The schema of the project file, with the connection settings that providers of other packages bring."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

_AUTH = "auth"
_NOTES = ("title", "description", "examples")


def with_connections(project: Schema, parts: Mapping[str, Schema]) -> dict[str, Any]:
    """Return the project's schema with one part for each provider: what its connections state, `auth` included.

    ValueError where a part names a setting that the project's schema has.
    """
    schema = copy.deepcopy({key: value for key, value in project.items() if key != "$id"})
    fields, rules = schema["$defs"]["connection"]["properties"], schema["$defs"]["complete_connection"]["allOf"]
    common = frozenset(fields)
    built_in = sorted({name for rule in rules for name in rule["then"]["properties"]} - {_AUTH})
    owners: dict[str, list[str]] = {}
    for provider, part in parts.items():
        own = {name: rule for name, rule in part["properties"].items() if name != _AUTH}
        taken = sorted(common & own.keys())
        if taken:
            message = f"provider {provider} defines {taken[0]}, which is a setting of reconciler; choose another name"
            raise ValueError(message)
        _describe(fields, provider, part)
        for name, rule in own.items():
            owners.setdefault(name, []).append(provider)
            fields[name] = {key: rule[key] for key in _NOTES if key in rule} if name in fields else rule
        needed = [name for name in part.get("required", ()) if name in part["properties"]]
        refused = {name: _refusal(f"{name} is not for provider {provider}; remove it") for name in built_in}
        then = {"required": needed, "properties": {_AUTH: _credentials(part), **own, **refused}}
        rules.append({"if": _provider({"const": provider}), "then": then})
    for name, providers in owners.items():
        refusal = _refusal(f"{name} is only for provider {_one_of(providers)}; remove it")
        rules.append({"if": _provider({"not": {"enum": providers}}), "then": {"properties": {name: refusal}}})
    return schema


def _describe(fields: dict[str, Any], provider: str, part: Schema) -> None:
    """Add a provider to what explain and editors show."""
    fields["provider"]["description"] += f" {provider}: {part['title']}."
    fields["provider"]["examples"].append(provider)
    stated = part["properties"].get(_AUTH, {}).get("properties", {})
    fields[_AUTH]["description"] += f" {provider}: {', '.join(stated) or 'none'}."
    for name, notes in stated.items():
        fields[_AUTH]["properties"].setdefault(name, {**notes, "$ref": "#/$defs/credential"})


def _credentials(part: Schema) -> dict[str, Any]:
    """Return the rule for the credentials of one provider; their sources are checked as those of every provider."""
    stated = part["properties"].get(_AUTH, {})
    names = dict.fromkeys(stated.get("properties", {}), True)
    expected = _one_of(list(names)) if names else "no credentials"
    return {"errorMessage": expected, **stated, "additionalProperties": False, "properties": names}


def _provider(rule: Schema) -> dict[str, Any]:
    return {"required": ["provider"], "properties": {"provider": rule}}


def _refusal(sentence: str) -> dict[str, Any]:
    return {"not": {}, "wholeSentence": True, "errorMessage": sentence}


def _one_of(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
