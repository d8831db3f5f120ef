"""The JSON schemas of `launch.yaml` and `Pulumi.ENV.yaml`, for editors: `python -m launch.configuration.schema`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic.json_schema import JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema

from launch.configuration.environment import NAMESPACE, EnvironmentSettings
from phases import durations
from phases.described import Described
from phases.spec import LaunchSpec

LAUNCH_SCHEMA = "launch.schema.json"
ENVIRONMENT_SCHEMA = "environment.schema.json"

_HERE = Path(__file__).parents[1]
_DIALECT = "http://json-schema.org/draft-07/schema#"  # the one that editors' YAML support knows best
_VARIABLE = {
    "type": "string",
    "pattern": r"^\$\{[^}]+\}$",
    "description": "A variable, filled in before it is checked.",
}
_BY_NAME = frozenset({"properties", "patternProperties", "definitions"})
_NOT_TEXT = frozenset({"integer", "number", "boolean"})
_SECURE = {
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
    "description": "A value encrypted by `pulumi config set --secret`.",
}


class _Generator(Described):
    """Pydantic's generator without what would puzzle a reader: titles made of names, and durations as seconds."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401
        del schema
        return False

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        made = super().generate(schema, mode=mode)
        made["definitions"] = made.pop("$defs", {})
        for model in (made, *made["definitions"].values()):
            model.pop("title", None)
        cleaned: JsonSchemaValue = _cleaned(made)
        return cleaned


def launch_schema() -> dict[str, Any]:
    """Return the schema of `launch.yaml`."""
    spec = LaunchSpec.model_json_schema(schema_generator=_Generator)
    definitions = spec.pop("definitions")
    phase = definitions["PhaseSpec"]
    phase["required"] = ["id"]
    phase["if"] = {"properties": {"id": {"enum": definitions["PhaseKind"]["enum"]}}}
    phase["else"] = {"required": ["kind"]}
    return {
        "$schema": _DIALECT,
        "title": "launch.yaml",
        "description": "The phases that take a release to its users.",
        "type": "object",
        "properties": {"launch": _with_variables(spec)},
        "patternProperties": {"^x-": {"description": "Anything, for anchors to name."}},
        "required": ["launch"],
        "additionalProperties": False,
        "definitions": {name: _with_variables(definition) for name, definition in definitions.items()},
    }


def environment_schema() -> dict[str, Any]:
    """Return the schema of `Pulumi.ENV.yaml`; what is Pulumi's own, or another's, is left alone."""
    settings = EnvironmentSettings.model_json_schema(schema_generator=_Generator)
    definitions = settings.pop("definitions")
    properties = {f"{NAMESPACE}:{key}": value for key, value in _with_secrets(settings)["properties"].items()}
    return {
        "$schema": _DIALECT,
        "title": "Pulumi.ENV.yaml",
        "description": "Pulumi's configuration of an environment, with the settings of a launch.",
        "type": "object",
        "properties": {
            "config": {
                "type": ["object", "null"],
                "properties": properties,
                "patternProperties": {f"^(?!{NAMESPACE}:)": {}},
                "additionalProperties": False,
            }
        },
        "definitions": {name: _with_secrets(definition) for name, definition in definitions.items()},
    }


def text(schema: dict[str, Any]) -> str:
    """Return a schema as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def files() -> dict[Path, str]:
    """Return the schema files and what should be in them."""
    return {
        _HERE / LAUNCH_SCHEMA: text(launch_schema()),
        _HERE / ENVIRONMENT_SCHEMA: text(environment_schema()),
    }


def _cleaned(node: Any) -> Any:  # noqa: ANN401
    """Fit pydantic's schema to draft 7, drop what says nothing, and let durations be text in their defaults too."""
    if isinstance(node, list):
        return [_cleaned(item) for item in node]
    if not isinstance(node, dict):
        return node
    made: dict[str, Any] = {
        # The names of properties are the user's words: one of ours is called `default`.
        key: {name: _cleaned(item) for name, item in value.items()} if key in _BY_NAME else _cleaned(value)
        for key, value in node.items()
        if key != "discriminator"
    }
    if isinstance(reference := made.get("$ref"), str):
        made["$ref"] = reference.replace("#/$defs/", "#/definitions/")
        if len(made) > 1:  # draft 7 ignores what stands beside a reference
            made = {"allOf": [{"$ref": made.pop("$ref")}], **made}
    if isinstance(made.get("description"), str):
        made["description"] = re.sub(r"\s+", " ", made["description"])
    if "default" in made and (made["default"] is None or isinstance(made["default"], list | dict)):
        del made["default"]  # the keys inside say their own
    elif isinstance(made.get("default"), float) and any("patternErrorMessage" in item for item in _branches(made)):
        made["default"] = durations.show(made["default"])
    return made


def _branches(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *node.get("anyOf", ())]


def _with_variables(node: Any) -> Any:  # noqa: ANN401
    """Let a variable stand for a number, a truth value, or text of which only some is right."""
    return _or_else(node, _VARIABLE, lambda it: it["type"] in _NOT_TEXT or bool({"enum", "pattern"} & set(it)))


def _with_secrets(node: Any) -> Any:  # noqa: ANN401
    """Let an encrypted value stand for a scalar."""
    return _or_else(node, _SECURE, lambda it: it["type"] in {"string", *_NOT_TEXT})


def _or_else(node: dict[str, Any], other: dict[str, Any], wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Add an alternative to every scalar in a schema that is wanted."""

    def inside(item: Any) -> Any:  # noqa: ANN401
        return _or_else(item, other, wanted) if isinstance(item, dict) else item

    def is_wanted(item: dict[str, Any]) -> bool:
        return isinstance(item.get("type"), str) and "const" not in item and wanted(item)

    made = dict(node)
    if "properties" in made:
        made["properties"] = {name: inside(item) for name, item in made["properties"].items()}
    for key in ("items", "additionalProperties"):
        made |= {key: inside(made[key])} if key in made else {}
    for key in ("anyOf", "oneOf"):
        if key in made:
            branches = [inside(item) if item.get("type") in ("object", "array") else item for item in made[key]]
            made[key] = [*branches, other] if any(map(is_wanted, branches)) else branches
    if is_wanted(made):
        inner = {key: value for key, value in made.items() if key not in ("description", "default")}
        made = {key: value for key, value in made.items() if key not in inner} | {"anyOf": [inner, other]}
    return made


def main() -> None:
    """Write the schema files."""
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
