"""The stand-in plugin understands the engine: numbers, secrets, what is not known yet."""

from __future__ import annotations

from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from tests.plugins.kubernetes_standin.values import (
    UNKNOWN,
    Object,
    Secret,
    has_secret,
    has_unknown,
    mark_secrets,
    plain,
    properties_of,
    read,
    write,
)

_SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8) | st.just(UNKNOWN)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
_PROPERTIES = st.dictionaries(st.text(max_size=8), _VALUES | st.builds(Secret, _VALUES), max_size=4)


@given(_PROPERTIES)
def test_what_is_written_is_read_again(properties: Object) -> None:
    assert read(write(properties, Struct())) == properties


def test_a_port_stays_a_whole_number_and_a_fraction_stays_one() -> None:
    properties = read(write({"port": 80.0, "share": 0.5}, Struct()))
    assert properties == {"port": 80, "share": 0.5}
    assert isinstance(properties["port"], int)


def test_what_kubernetes_gets_holds_no_marks() -> None:
    inputs = {"data": Secret({"key": "c2VjcmV0"}), "list": [Secret("x"), UNKNOWN], "x_kubernetes_list_type": "map"}
    assert plain(inputs) == {"data": {"key": "c2VjcmV0"}, "list": ["x", UNKNOWN], "x-kubernetes-list-type": "map"}
    assert properties_of({"x-kubernetes-list-type": "map"}) == {"x_kubernetes_list_type": "map"}


def test_secrets_and_unknowns_are_found_anywhere() -> None:
    assert has_secret({"a": [{"b": Secret(1)}]})
    assert not has_secret({"a": [{"b": 1}]})
    assert has_unknown({"a": Secret([UNKNOWN])})
    assert not has_unknown({"a": Secret(["known"])})


def test_the_data_of_a_secret_is_secret_whoever_gave_it() -> None:
    outputs = {"kind": "Secret", "data": {"key": "aGk="}, "metadata": {"name": "s"}}
    mark_secrets(outputs, {})
    assert outputs == {"kind": "Secret", "data": Secret({"key": "aGk="}), "metadata": {"name": "s"}}


def test_a_secret_in_a_list_makes_the_whole_list_secret_and_nothing_beside_it() -> None:
    outputs: Object = {"spec": {"env": [{"name": "A", "value": "x"}], "replicas": 2}, "kind": "Deployment"}
    mark_secrets(outputs, {"spec": {"env": [{"name": "A", "value": Secret("x")}], "replicas": 2}})
    assert outputs["spec"] == {"env": Secret([{"name": "A", "value": "x"}]), "replicas": 2}
