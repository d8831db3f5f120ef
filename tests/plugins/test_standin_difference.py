"""The stand-in plugin shows what a program changes, and nothing that only the cluster filled in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.kubernetes_standin.difference import differences, not_ignored, parsed, path_text, pruned
from tests.plugins.kubernetes_standin.immutable import immutable_paths
from tests.plugins.kubernetes_standin.normal import normalized, quantity
from tests.plugins.kubernetes_standin.values import UNKNOWN, Object


def shown(old: Object, new: Object, immutable: tuple[str, ...] = (), *, built_in: bool = False) -> dict[str, str]:
    found = differences(old, new, immutable, built_in=built_in)
    return {one.text: one.change.value + ("-replace" if one.replaces else "") for one in found}


def test_the_cluster_s_own_fields_are_no_difference() -> None:
    live = {"spec": {"replicas": 2, "paused": False, "rules": [{"name": "a", "uid": 1}, {"name": "b"}]}, "status": {}}
    inputs = {"spec": {"replicas": 2, "rules": [{"name": "a"}]}}
    assert pruned(live, inputs) == inputs


def test_every_change_is_named_by_its_path() -> None:
    old = {"spec": {"weight": 1, "hosts": ["a", "b"], "gone": 1, "same": [1]}}
    new = {"spec": {"weight": 9, "hosts": ["a", "c", "d"], "more": {"x": 1}, "same": [1]}}
    assert shown(old, new) == {
        "spec.weight": "update",
        "spec.hosts[1]": "update",
        "spec.hosts[2]": "add",
        "spec.gone": "delete",
        "spec.more": "add",
    }
    assert shown({"hosts": ["a", "b"]}, {"hosts": ["a"]}) == {"hosts[1]": "delete"}


def test_a_boolean_is_no_number_and_a_number_is_one_however_written() -> None:
    assert shown({"a": 1, "b": 1}, {"a": True, "b": 1.0}) == {"a": "update"}


def test_what_is_not_known_yet_may_differ() -> None:
    assert shown({"a": "x"}, {"a": UNKNOWN, "b": UNKNOWN}) == {"a": "update", "b": "add"}


def test_empty_fields_of_built_in_kinds_are_as_good_as_absent() -> None:
    assert shown({}, {"annotations": {}, "hosts": [], "name": ""}, built_in=True) == {}
    assert shown({}, {"annotations": {}}) == {"annotations": "add"}


@pytest.mark.parametrize(
    ("kind", "old", "new", "expected"),
    [
        ("v1/ConfigMap", {"data": {"a": "1"}}, {"data": {"a": "2"}}, {"data.a": "update-replace"}),
        ("v1/ConfigMap", {}, {"data": {"a": "2"}}, {"data": "add-replace"}),
        ("v1/Secret", {"data": {"a": "1"}}, {"data": {}}, {"data.a": "delete-replace"}),
        (
            "apps/v1/Deployment",
            {"spec": {"selector": {"matchLabels": {"a": "1"}}, "replicas": 1}},
            {"spec": {"selector": {"matchLabels": {"a": "2"}}, "replicas": 2}},
            {"spec.selector.matchLabels.a": "update-replace", "spec.replicas": "update"},
        ),
        ("apps/v1/Deployment", {}, {"spec": {"selector": {}}}, {"spec": "add-replace"}),
        (
            "batch/v1/Job",
            {"spec": {"template": {"x": 1}}},
            {"spec": {"template": {}}},
            {"spec.template.x": "delete-replace"},
        ),
        (
            "v1/Pod",
            {"spec": {"containers": [{"image": "a"}]}},
            {"spec": {"containers": [{"image": "b"}]}},
            {"spec.containers[0].image": "update-replace"},
        ),
        (
            "v1/Service",
            {"spec": {"clusterIP": "a"}},
            {"spec": {"clusterIP": "b"}},
            {"spec.clusterIP": "update-replace"},
        ),
        ("v1/Service", {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}, {"metadata.name": "update-replace"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_immutable_properties_replace(kind: str, old: Object, new: Object, expected: dict[str, str]) -> None:
    api_version, _, name = kind.rpartition("/")
    immutable = immutable_paths({**new, "apiVersion": api_version, "kind": name})
    assert shown(old, new, immutable) == expected


def test_data_is_changed_in_place_where_the_provider_may_and_the_object_is_not_immutable() -> None:
    config_map: Object = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "2"}}
    assert "data" not in immutable_paths(config_map, config_map_mutable=True)
    assert "data" in immutable_paths({**config_map, "immutable": True}, config_map_mutable=True)
    assert "data" in immutable_paths({**config_map, "kind": "Secret"}, config_map_mutable=True)
    assert "data" not in immutable_paths({**config_map, "kind": "Secret"}, secret_mutable=True)
    assert immutable_paths(config_map, patch=True) == ("metadata.name", "metadata.namespace")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("spec.replicas", ("spec", "replicas")),
        ('metadata.labels["app.kubernetes.io/name"]', ("metadata", "labels", "app.kubernetes.io/name")),
        ("spec.rules[0].backendRefs[1]", ("spec", "rules", 0, "backendRefs", 1)),
        ("spec.rules[*].name", ("spec", "rules", "*", "name")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_paths_are_read_and_written_as_pulumi_does(text: str, path: tuple[str | int, ...]) -> None:
    assert parsed(text) == path
    if "*" not in path:
        assert path_text(path) == text


def test_ignored_changes_do_not_count() -> None:
    found = differences({"spec": {"a": 1, "r": [{"w": 1}]}}, {"spec": {"a": 2, "r": [{"w": 2}]}}, ())
    assert [one.text for one in not_ignored(found, ["spec.a"])] == ["spec.r[0].w"]
    assert [one.text for one in not_ignored(found, ["spec.r[*].w"])] == ["spec.a"]
    assert not_ignored(found, ["spec"]) == []


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("0.5", "500m"), ("1000m", "1"), ("1024Mi", "1Gi"), ("100m", "100m"), ("128Mi", "128Mi"), ("1.5Gi", "1536Mi"),
        ("1000M", "1G"), ("2", "2"), (2, "2"), (0.25, "250m"), ("0", "0"), ("100k", "100k"), ("nonsense", "nonsense"),
    ],
    ids=str,
)  # fmt: skip
def test_quantities_are_written_as_kubernetes_writes_them(given: Any, canonical: str) -> None:  # noqa: ANN401
    assert quantity(given) == canonical


def test_inputs_are_sent_as_they_come_back() -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "resourceVersion": "7", "uid": "x"},
        "spec": {
            "template": {"spec": {"hostNetwork": False, "containers": [{"resources": {"limits": {"cpu": "0.5"}}}]}}
        },
    }
    assert normalized(deployment) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [{"resources": {"limits": {"cpu": "500m"}}}]}}},
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "aGk="}, "stringData": {"b": "hi"}}
    assert normalized(secret) == {"apiVersion": "v1", "kind": "Secret", "data": {"a": "aGk=", "b": "aGk="}}
    custom = {"apiVersion": "example.com/v1", "kind": "Thing", "spec": {"limits": {"cpu": "0.5"}, "readOnly": False}}
    assert normalized(dict(custom)) == custom
