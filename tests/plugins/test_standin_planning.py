"""The stand-in plugin names objects, puts them in namespaces, and says when an update has to replace."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.plugins.kubernetes_standin.checkpoint import checkpoint, recorded
from tests.plugins.kubernetes_standin.errors import Failed
from tests.plugins.kubernetes_standin.objects import Kind
from tests.plugins.kubernetes_standin.options import Options
from tests.plugins.kubernetes_standin.planning import Naming, checked, plan
from tests.plugins.kubernetes_standin.rest import Resource
from tests.plugins.kubernetes_standin.values import UNKNOWN, Object, Secret

URN = "urn:pulumi:dev::shop::kubernetes:core/v1:ConfigMap::settings"


def config_map(name: str | None = "settings", **data: object) -> Object:
    metadata = {} if name is None else {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def state_of(inputs: Object, **more: object) -> Object:
    live = {**inputs, "metadata": {**inputs["metadata"], "uid": "1", "resourceVersion": "5"}, **more}
    return checkpoint(inputs, live, inputs, "v1", "pulumi-kubernetes-0123abcd")


def test_what_has_no_name_gets_one_that_begins_with_the_resource_s() -> None:
    made = checked(URN, {}, config_map(None), Naming(b"seed"), None, "shop")
    assert re.fullmatch("settings-[0-9a-f]{8}", made["metadata"]["name"])
    assert made["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert made["metadata"]["namespace"] == "shop"
    assert checked(URN, {}, config_map(None), Naming(b"seed"), None, "shop") == made
    assert checked(URN, made, config_map(None), Naming(b"other"), None, "shop") == made


def test_a_chosen_name_stays_and_so_does_one_that_is_not_known_yet() -> None:
    assert checked(URN, {}, config_map(), Naming(), None, "shop") == config_map()
    unknown = config_map()
    unknown["metadata"]["name"] = UNKNOWN
    assert checked(URN, {}, unknown, Naming(), None, "shop") == unknown


def test_the_user_s_own_way_of_naming_is_heeded() -> None:
    assert checked(URN, {}, config_map(None), Naming(proposed="mine"), None, "")["metadata"]["name"] == "mine"
    with pytest.raises(Failed, match="autonaming is disabled"):
        checked(URN, {}, config_map(None), Naming(disabled=True), None, "")


def test_patches_must_be_named_and_generated_names_are_refused() -> None:
    with pytest.raises(Failed, match="patch resources require"):
        checked(URN.replace("ConfigMap", "ConfigMapPatch"), {}, config_map(None), Naming(), None, "")
    generated = config_map(None)
    generated["metadata"] = {"generateName": "x-"}
    with pytest.raises(Failed, match="generateName"):
        checked(URN, {}, generated, Naming(), None, "")


def test_secrets_stay_secret_when_checked_and_recorded() -> None:
    given = config_map(key=Secret("hush"))
    inputs = checked(URN, {}, given, Naming(), None, "")
    assert inputs["data"] == {"key": Secret("hush")}
    state = checkpoint(config_map(key="hush"), config_map(key="hush"), given, "v1", "m")
    assert state["data"] == {"key": Secret("hush")}
    assert state["__inputs"]["data"] == {"key": Secret("hush")}
    assert recorded(state) == (config_map(key="hush"), config_map(key="hush"))


def test_the_same_inputs_are_the_same() -> None:
    inputs = config_map(a="1")
    state = state_of(inputs, immutable=False)
    assert plan(URN, state, inputs, [], None, Options()).found == []


def test_changed_data_replaces_and_deletes_first_where_the_name_is_chosen() -> None:
    plans = plan(URN, state_of(config_map(a="1")), config_map(a="2"), [], None, Options())
    assert plans.replaces == ["data.a"]
    assert plans.delete_first


def test_a_made_up_name_lets_the_new_one_come_first() -> None:
    inputs = checked(URN, {}, config_map(None, a="1"), Naming(), None, "default")
    changed = {**inputs, "data": {"a": "2"}}
    plans = plan(URN, state_of(inputs), changed, [], None, Options())
    assert plans.replaces == ["data.a"]
    assert not plans.delete_first


def test_another_name_or_namespace_is_another_object() -> None:
    plans = plan(URN, state_of(config_map()), config_map("other"), [], None, Options())
    assert (plans.replaces, plans.delete_first) == (["metadata.name"], False)
    moved = config_map()
    moved["metadata"]["namespace"] = "elsewhere"
    assert plan(URN, state_of(config_map()), moved, [], None, Options()).replaces == ["metadata.namespace"]


def test_in_place_where_the_provider_may_and_not_at_all_where_it_is_ignored() -> None:
    before, after = state_of(config_map(a="1")), config_map(a="2")
    mutable = plan(URN, before, after, [], None, Options(config_map_mutable=True))
    assert ([one.text for one in mutable.found], mutable.replaces) == (["data.a"], [])
    assert plan(URN, before, after, ["data"], None, Options()).found == []


def test_an_unready_job_is_replaced_where_that_is_asked_for() -> None:
    class FakeApi:
        def __init__(self) -> None:
            self.status: Object = {}

        def get(self, obj: Object) -> Object:
            return {**obj, "status": self.status}

        def resource(self, kind: Kind) -> object:
            del kind
            return Resource("batch/v1", "jobs", namespaced=True)

        def request(self, *args: object, **query: object) -> Object:
            del args, query
            return {}

    api: Any = FakeApi()
    job: Object = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "namespace": "default", "annotations": {"pulumi.com/replaceUnready": "true"}},
    }
    urn = URN.replace("core/v1:ConfigMap", "batch/v1:Job")
    unready = plan(urn, state_of(job), job, [], api, Options())
    assert unready.replaces == ['.metadata.annotations["pulumi.com/replaceUnready"]']
    assert unready.delete_first
    api.status = {"startTime": "now", "conditions": [{"type": "Complete", "status": "True"}]}
    assert plan(urn, state_of(job), job, [], api, Options()).replaces == []


def test_options_come_from_the_program_or_the_environment() -> None:
    environ = {"PULUMI_K8S_ENABLE_PATCH_FORCE": "true", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS": "true"}
    given = {"kubernetes:config:upsertExistingObjects": "false", "kubernetes:config:context": "kind"}
    assert Options.read(given, environ) == Options(context="kind", force=True, upsert=False)
    with pytest.raises(Failed, match="server-side apply only"):
        Options.read({"kubernetes:config:enableServerSideApply": "false"}, {})
