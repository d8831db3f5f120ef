"""The stand-in plugin owns the fields that it applies, and nobody else's."""

from __future__ import annotations

from tests.plugins.kubernetes_standin.managers import (
    conflict_text,
    forces,
    manager_of,
    takeover,
    without_ignored,
)
from tests.plugins.kubernetes_standin.values import Object

OURS = "pulumi-kubernetes-0123abcd"


def entry(manager: str, operation: str, *names: str, subresource: str = "") -> Object:
    fields: Object = {f"f:{name}": {} for name in names}
    made: Object = {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": fields}}
    return {**made, "subresource": subresource} if subresource else made


def live(*entries: Object, **spec: object) -> Object:
    return {"metadata": {"name": "it", "managedFields": list(entries)}, "spec": spec}


def test_a_manager_is_named_recorded_or_made_up() -> None:
    named = {"metadata": {"annotations": {"pulumi.com/patchFieldManager": "me"}}}
    assert manager_of(named, {"__fieldManager": OURS}) == "me"
    assert manager_of({}, {"__fieldManager": OURS}) == OURS
    made_up = {manager_of({}, {}) for _ in range(8)}
    assert len(made_up) == 8
    assert all(len(name) == len(OURS) and name.startswith("pulumi-kubernetes-") for name in made_up)


def test_what_the_creation_and_kubectl_own_becomes_ours() -> None:
    argo = entry("argo", "Apply", "a")
    status = entry("kubectl", "Update", "s", subresource="status")
    found = live(argo, entry("pulumi-kubernetes", "Update", "b"), entry("kubectl-edit", "Update", "c"), status)
    assert takeover(found, OURS) == [
        {
            "op": "replace",
            "path": "/metadata/managedFields",
            "value": [argo, status, entry(OURS, "Apply", "b", "c")],
        }
    ]


def test_it_joins_what_is_ours_already() -> None:
    found = live(entry(OURS, "Apply", "a"), entry("kubectl", "Apply", "b"))
    assert takeover(found, OURS)[0]["value"] == [entry(OURS, "Apply", "a", "b")]


def test_nothing_is_taken_from_others() -> None:
    assert takeover(live(entry(OURS, "Apply", "a"), entry("argo", "Update", "b")), OURS) == []


def test_force_is_by_annotation_or_provider_or_where_nobody_owns_anything() -> None:
    patient: Object = {}
    pushy = {"metadata": {"annotations": {"pulumi.com/patchForce": "true"}}}
    owned = live(entry("argo", "Apply", "a"))
    assert not forces(patient, owned, always=False, preview=False)
    assert not forces(patient, owned, always=False, preview=True)
    assert not forces(patient, None, always=False, preview=False)
    assert forces(patient, None, always=False, preview=True)
    assert forces(pushy, owned, always=False, preview=False)
    assert forces(patient, owned, always=True, preview=False)
    assert forces(patient, live(), always=False, preview=False)
    assert forces(patient, live(entry("pulumi-kubernetes", "Update", "a")), always=False, preview=True)


def test_a_conflict_says_whose_fields_and_where_to_read_on() -> None:
    text = conflict_text(OURS, 'Apply failed with 1 conflict: conflict with "argo": .spec.rules')
    assert 'conflict with "argo": .spec.rules' in text
    assert f'The resource managed by field manager "{OURS}" had an apply conflict' in text
    assert "handle-field-conflicts-on-existing-resources" in text


def test_ignored_properties_stay_as_they_are() -> None:
    found = live(entry("hpa", "Update", "replicas"), entry(OURS, "Apply", "weight"), replicas=7, weight=3)
    inputs = {"spec": {"replicas": 1, "weight": 1, "other": 1}}
    changed = without_ignored(inputs, found, OURS, ["spec.replicas", "spec.weight"])
    assert changed == {"spec": {"weight": 3, "other": 1}}
    assert inputs == {"spec": {"replicas": 1, "weight": 1, "other": 1}}
