"""Whatever is written, it is a launch or a list of problems with lines; and what is a launch stays one."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from launch.config import Config
from launch.configuration.located import Keys
from launch.configuration.schema import environment_schema, launch_schema
from launch.configuration.yaml_source import Loader
from phases.errors import ConfigurationError
from phases.spec import LaunchSpec
from tests.launch.configuration.project import TEMPLATE, Project

PLACE = re.compile(r"(launch|Pulumi\.dev)\.yaml:[1-9]\d*: ")

LAUNCH_SCHEMA = jsonschema.Draft7Validator(launch_schema())
ENVIRONMENT_SCHEMA = jsonschema.Draft7Validator(environment_schema())

durations = st.sampled_from(["0s", "250ms", "1s", "1.5s", "1m", "1m30s"])
lengths = st.sampled_from(["250ms", "1s", "1.5s", "1m", "1m30s"])
names = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).map(
    lambda text: text.replace("${", "")
)


def optional(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


thresholds = optional(
    error_rate=st.floats(0, 1) | st.none(),
    latency_p99_ms=st.integers(1, 10_000),
    health_check_failures=st.integers(1, 9),
    max_ratio=st.floats(0.5, 10),
    min_requests=st.integers(1, 1000),
    window=lengths,
    interval=lengths,
    on_inconclusive=st.sampled_from(["hold", "rollback", "continue"]),
)

validators = st.lists(
    st.sampled_from(
        [
            {"type": "schema_compatibility", "config": {"backward_compatible": True}},
            {"type": "image_digest", "config": {"registry": "ecr"}},
            {"type": "http_status", "config": {"endpoint": "/health", "expected": 200, "retries": 3}},
            {"type": "feature_flag_evaluation", "config": {"flags": ["new_checkout", {"key": "new_checkout"}]}},
            {"type": "command", "config": {"run": ["true"], "timeout": "5s"}, "when": "exit"},
            {"type": "rollback_ready"},
        ]
    ),
    max_size=3,
)

RUN: Any = {"run": ["echo", "$${literal} and words"]}
ACTIONS: dict[str, tuple[list[Any], list[Any]]] = {
    "migration": (["run_migration --direction up", RUN], ["run_migration --direction down", RUN]),
    "deploy": (["deploy --image ${IMAGE_TAG}", RUN], ["deploy --image ${PREVIOUS_IMAGE_TAG}", RUN]),
    "health": (["run_synthetic_tests", RUN], ["disable_traffic"]),
    "traffic": (["shift_traffic --percent 100"], ["shift_traffic --percent=0", "disable_traffic"]),
    "post_launch": ([RUN], ["disable_traffic"]),
    "custom": ([RUN], [RUN]),
}


@st.composite
def phases(draw: st.DrawFn) -> list[dict[str, Any]]:
    made = []
    for number, kind in enumerate(draw(st.lists(st.sampled_from(sorted(ACTIONS)), min_size=1, max_size=4))):
        executes, undoes = ACTIONS[kind]
        phase = {
            "id": f"{kind}-{number}",
            "kind": kind,
            **draw(
                optional(
                    name=names,
                    timeout_ms=st.integers(600_000, 10_000_000),
                    rollback_on_failure=st.booleans(),
                    validators=validators,
                    actions=optional(execute=st.sampled_from(executes), rollback=st.sampled_from(undoes)),
                    thresholds=thresholds,
                    on_inconclusive=st.sampled_from(["hold", "rollback", "continue"]),
                )
            ),
        }
        if kind == "traffic":
            weights = sorted(draw(st.sets(st.integers(0, 99), max_size=3)))
            phase["steps"] = [{"weight": weight, "bake": draw(durations)} for weight in weights] + [{"weight": 100}]
        if kind == "post_launch":
            phase["window"] = draw(durations)
        made.append(phase)
    return made


@st.composite
def launches(draw: st.DrawFn) -> dict[str, Any]:
    tiers = draw(st.dictionaries(st.sampled_from(["gold", "silver"]), thresholds))
    launch: dict[str, Any] = {
        **draw(
            optional(
                environment=names,
                rollback_threshold=thresholds,
                keep_previous=st.booleans(),
                rollback_timeout_ms=st.integers(1, 10_000),
                flags=st.just([{"key": "beta", "kind": "experiment", "default": "off"}]),
            )
        ),
        "tiers": tiers,
        "phases": draw(phases()),
    }
    if tiers:
        launch["tier"] = draw(st.sampled_from(sorted(tiers)))
    return {"launch": launch}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("project"))
    project.write("Pulumi.yaml", "name: shop\n")
    return project


ENVIRONMENT: dict[str, Any] = {
    "config": {
        "launch:platform": "local",
        "launch:service": {"name": "shop", "environment": {"A": "b"}, "readiness": {"timeout": "5s"}},
        "launch:database": {"url": "sqlite:///shop.db", "snapshot": True},
        "launch:flags": [{"key": "new_checkout"}],
        "launch:registry": {"aliases": ["ecr"]},
        "launch:router": {"port": 0, "sticky": {"cookie": "slot"}},
        "launch:rollback_threshold": {"error_rate": 0.5},
        "launch:phases": {},
        "launch:variables": {"A": "b"},
        "other:thing": {"secure": "v1:x"},
    }
}


class Dumper(yaml.SafeDumper):
    """Quotes what is a number to YAML 1.2, too."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way
        first: [
            *yaml.SafeDumper.yaml_implicit_resolvers.get(first, []),
            *Loader.yaml_implicit_resolvers.get(first, []),
        ]
        for first in {**yaml.SafeDumper.yaml_implicit_resolvers, **Loader.yaml_implicit_resolvers}
    }


def written(document: Any) -> str:  # noqa: ANN401
    text: str = yaml.dump(document, Dumper=Dumper, allow_unicode=True, sort_keys=False)
    return text


def load(project: Project, launch: Any, environment: Any = ENVIRONMENT) -> Config:  # noqa: ANN401
    project.write("launch.yaml", written(launch))
    project.write("Pulumi.dev.yaml", written(environment))
    return project.load(image="shop:2.0", previous_image="shop:1.0")


def whole(text: str) -> float | int:
    return int(float(text)) if float(text).is_integer() else float(text)


@given(launches())
def test_a_launch_that_is_right_is_read_recorded_and_read_again_the_same(
    directory: Project, launch: dict[str, Any]
) -> None:
    spec = load(directory, launch).spec
    assert LaunchSpec.model_validate(spec.model_dump(mode="json")) == spec
    assert LaunchSpec.model_validate_json(spec.model_dump_json()) == spec
    # A record may pass through Pulumi, where every number is a float and a whole one comes back as an integer.
    numbers = json.loads(
        spec.model_dump_json(), parse_float=lambda text: float(text) if float(text) % 1 else int(float(text))
    )
    assert LaunchSpec.model_validate(numbers) == spec


@given(launches())
def test_what_can_be_launched_is_what_editors_accept(directory: Project, launch: dict[str, Any]) -> None:
    load(directory, launch)
    LAUNCH_SCHEMA.validate(launch)
    ENVIRONMENT_SCHEMA.validate(ENVIRONMENT)


FULL: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
FULL["launch"] |= {
    "tiers": {"gold": {"error_rate": 0.01, "window": "5s"}},
    "tier": "gold",
    "flags": [{"key": "beta", "variants": {"on": 1, "off": 0}, "expires": "2030-01-01"}],
}
FULL["launch"]["phases"] += [
    {"id": "post_launch", "window": "1m", "thresholds": {"max_ratio": 2}},
    {"id": "own", "kind": "custom", "program": "a.b:c", "validators": [{"type": "command", "config": {"run": ["x"]}}]},
    {"id": "more", "kind": "traffic", "steps": [{"weight": 5, "bake": "1s", "flags": ["beta"]}, {"weight": 100}]},
]

JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 101, 1.5, 10**30, float("inf"), float("nan"), "", "zzz", "5", "5s", "on", "${A}", "${",
    "${UNSET}", "deploy --image", "shift_traffic --percent 5", "'", "\x85 é 😀", [], {}, [[]], [None], {"secure": "x"},
    {"type": "command"}, {"run": []}, {"a": {"b": 1}},
)  # fmt: skip


def places(node: Any, keys: Keys = ()) -> Iterator[Keys]:  # noqa: ANN401
    yield keys
    for key, item in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from places(item, (*keys, key))


def changed(document: Any, keys: Keys, change: str, junk: Any) -> Any:  # noqa: ANN401
    """Return the document with one thing at one place done to it."""
    document = copy.deepcopy(document)
    if not keys:
        return junk
    holder: Any = document
    for key in keys[:-1]:
        holder = holder[key]
    last: Any = keys[-1]
    match change:
        case "replace":
            holder[last] = junk
        case "remove":
            del holder[last]
        case "repeat" if isinstance(holder, list):
            holder.append(holder[last])
        case "rename" if isinstance(holder, dict):
            holder[f"{last}x"] = holder.pop(last)
        case "add" if isinstance(holder, dict):
            holder["unheard_of"] = junk
    return document


changes = st.tuples(st.sampled_from(["replace", "remove", "repeat", "rename", "add"]), st.sampled_from(JUNK))


def said(project: Project, launch: Any, environment: Any) -> list[str]:  # noqa: ANN401
    try:
        load(project, launch, environment)
    except ConfigurationError as error:
        return str(error).splitlines()
    return []


@given(st.sampled_from(list(places(FULL))), changes)
@example((), ("replace", []))
@example(("launch", "phases", 0, "id"), ("replace", []))
def test_a_changed_launch_is_a_launch_or_a_list_of_problems_with_lines(
    directory: Project, keys: Keys, change: tuple[str, Any]
) -> None:
    for line in said(directory, changed(FULL, keys, *change), ENVIRONMENT):
        assert PLACE.match(line), line


@given(st.sampled_from(list(places(ENVIRONMENT))), changes)
def test_a_changed_environment_is_one_or_a_list_of_problems_with_lines(
    directory: Project, keys: Keys, change: tuple[str, Any]
) -> None:
    for line in said(directory, FULL, changed(ENVIRONMENT, keys, *change)):
        assert PLACE.match(line), line


@given(st.sampled_from([keys for keys in places(FULL) if keys and isinstance(keys[-1], str)]))
def test_a_key_that_is_misspelt_is_always_found_on_its_line(directory: Project, keys: Keys) -> None:
    free = keys[:2] == ("launch", "tiers") or "variants" in keys[:-1]  # names that the user makes up
    problems = said(directory, changed(FULL, keys, "rename", None), ENVIRONMENT)
    if keys[-1] == "type":
        assert any("type: this key is missing; it says which gate this is" in line for line in problems)
    else:
        assert free or any(f"{keys[-1]}x: there is no such key" in line for line in problems), problems


def test_the_full_document_is_right(directory: Project) -> None:
    assert said(directory, FULL, ENVIRONMENT) == []
    LAUNCH_SCHEMA.validate(FULL)


@given(st.binary(max_size=200) | st.text(alphabet="launch: \n\t-{}[]phases*&!|>#'\"", max_size=200).map(str.encode))
def test_any_file_is_a_launch_or_a_problem(directory: Project, content: bytes) -> None:
    directory.write("Pulumi.dev.yaml", "")
    Path(directory.root / "launch.yaml").write_bytes(content)
    with pytest.raises(ConfigurationError):
        directory.load()
