"""docs/configuration.md knows every key, and what it shows is right."""

from __future__ import annotations

import re
from textwrap import indent
from typing import Any

import pytest

from launch.configuration.reference import DOCUMENT, renewed
from launch.configuration.schema import environment_schema, launch_schema
from phases import verbs
from phases.gates.registry import GATES
from tests.launch.configuration.project import Project

TEXT = DOCUMENT.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def properties(schema: dict[str, Any]) -> set[str]:
    holders = [*schema["properties"].values(), *schema["definitions"].values()]
    return {key for holder in holders for key in holder.get("properties", {})}


@pytest.mark.parametrize("schema", [launch_schema(), environment_schema()], ids=["launch", "environment"])
def test_every_key_of_the_schemas_is_documented(schema: dict[str, Any]) -> None:
    undocumented = {key for key in properties(schema) if f"`{key}`" not in TEXT}
    assert undocumented == set()


def test_every_gate_and_every_verb_is_documented() -> None:
    assert [gate for gate in GATES if f"### `type: {gate}`" not in TEXT] == []
    assert [verb for verb in verbs.VERBS if f"`{verb}" not in TEXT] == []


def test_the_tables_are_those_of_the_code() -> None:
    assert renewed(TEXT) == TEXT, "run `python -m launch.configuration.reference`"


def test_a_document_without_a_place_for_the_tables_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        renewed("# Configuration")


def test_the_examples_are_right(project: Project) -> None:
    sequence, variables, environment, _ = EXAMPLES
    head = "launch:\n  tiers: {critical: {}}\n  flags: [{key: new_checkout}]\n"
    project.write("launch.yaml", sequence.replace("launch:\n", head, 1))
    project.write("Pulumi.dev.yaml", environment)
    spec = project.load(image="shop:2.0").spec
    assert [step.weight for step in spec.phases[3].steps] == [5, 100]
    project.write("Pulumi.dev.yaml", "")
    project.write("launch.yaml", f"launch:\n  phases:\n{indent(variables, '    ')}")
    (phase,) = project.load(image="shop:2.0").spec.phases
    assert phase.timeout_ms == 120_000
    assert phase.actions.execute == verbs.RunProgram(("sh", "-c", "echo ${HOME} shop:2.0"))
