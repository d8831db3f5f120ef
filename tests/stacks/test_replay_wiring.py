# ruff: noqa: ANN401 - a property value may be anything
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.checkpoint import Checkpoint, Resource
from stacks.replay_live import Live, Registered
from stacks.replay_offers import Source
from stacks.replay_requests import outputs_of
from stacks.replay_values import SIG_KEY, UNKNOWN, Signature, is_secret, plain
from stacks.replay_wiring import Wire, wiring
from tests.stacks.replay_builders import STACK, asset, component, secret, state, thing, urn

ADDRESS = Source(urn("a"), ("address",))


def wires_of(checkpoint: Checkpoint, name: str, key: str) -> tuple[Wire, ...]:
    return wiring(checkpoint).inputs.get(urn(name), {}).get(key, ())


def rewired(value: Any, wires: tuple[Wire, ...], **outputs: Any) -> Any:
    """The value after `a` was created anew with other outputs."""
    live = Live(answers={urn("a"): Registered(urn("a"), "id-new", outputs)})
    return live.put(value, wires)


def test_a_value_from_another_resource_is_taken_from_it_again() -> None:
    checkpoint = state(
        thing("a", made={"address": "10.0.0.1"}),
        thing("b", {"target": "10.0.0.1", "size": 3}, uses={"target": ("a",)}),
    )
    wires = wires_of(checkpoint, "b", "target")
    assert wires == (Wire((), (ADDRESS,)),)
    assert rewired("10.0.0.1", wires, address="10.9.9.9") == "10.9.9.9"
    assert wires_of(checkpoint, "b", "size") == ()


def test_an_equal_value_without_a_recorded_dependency_is_left_alone() -> None:
    checkpoint = state(thing("a", made={"address": "10.0.0.1"}), thing("b", {"target": "10.0.0.1"}))
    assert wires_of(checkpoint, "b", "target") == ()


def test_values_deep_in_lists_and_maps_are_found() -> None:
    value = {"hosts": ["x", {"name": "10.0.0.1"}], "other": "y"}
    checkpoint = state(thing("a", made={"address": "10.0.0.1"}), thing("b", {"p": value}, uses={"p": ("a",)}))
    wires = wires_of(checkpoint, "b", "p")
    assert wires == (Wire(("hosts", 1, "name"), (ADDRESS,)),)
    expected = {"hosts": ["x", {"name": "10.9.9.9"}], "other": "y"}
    assert rewired(value, wires, address="10.9.9.9") == expected


def test_a_whole_map_that_is_an_output_is_one_connection() -> None:
    nested = {"host": "h1", "tags": ["x", "y"]}
    checkpoint = state(thing("a", made={"nested": nested}), thing("b", {"p": nested}, uses={"p": ("a",)}))
    wires = wires_of(checkpoint, "b", "p")
    assert wires == (Wire((), (Source(urn("a"), ("nested",)),)),)
    assert rewired(nested, wires, nested={"host": "h2"}) == {"host": "h2"}


def test_a_part_of_a_nested_output_is_found() -> None:
    made = {"nested": {"host": "host-1", "tags": ["x"]}}
    checkpoint = state(thing("a", made=made), thing("b", {"p": "host-1"}, uses={"p": ("a",)}))
    assert wires_of(checkpoint, "b", "p") == (Wire((), (Source(urn("a"), ("nested", "host")),)),)


def test_the_id_is_an_output_too() -> None:
    checkpoint = state(thing("a"), thing("b", {"p": "id-a"}, uses={"p": ("a",)}))
    wires = wires_of(checkpoint, "b", "p")
    assert wires == (Wire((), (Source(urn("a"), None),)),)
    assert rewired("id-a", wires) == "id-new"


def test_a_string_is_built_again_around_the_outputs_in_it() -> None:
    checkpoint = state(
        thing("a", made={"address": "10.0.0.1", "port": 8123.0}),
        thing("b", {"url": "http://10.0.0.1:8123/x?h=10.0.0.1"}, uses={"url": ("a",)}),
    )
    wires = wires_of(checkpoint, "b", "url")
    port = Source(urn("a"), ("port",))
    assert wires == (Wire((), ("http://", ADDRESS, ":", port, "/x?h=", ADDRESS)),)
    answer = rewired("", wires, address="10.9.9.9", port=9000.0)
    assert answer == "http://10.9.9.9:9000/x?h=10.9.9.9"


def test_only_whole_words_in_a_string_are_taken_for_outputs() -> None:
    checkpoint = state(
        thing("a", made={"address": "10.0.0.1"}),
        thing("b", {"url": "110.0.0.1 and 10.0.0.12"}, uses={"url": ("a",)}),
    )
    assert wires_of(checkpoint, "b", "url") == ()
    assert wiring(checkpoint).underived == ((urn("b"), "url", urn("a")),)


def test_the_longest_output_in_a_string_wins() -> None:
    checkpoint = state(
        thing("a", made={"host": "db.local", "address": "db.local:5432"}),
        thing("b", {"dsn": "postgres://db.local:5432/x"}, uses={"dsn": ("a",)}),
    )
    assert wires_of(checkpoint, "b", "dsn") == (Wire((), ("postgres://", ADDRESS, "/x")),)


def test_what_cannot_be_found_in_a_value_is_told() -> None:
    checkpoint = state(
        thing("a", made={"address": "10.0.0.1"}),
        thing("b", {"p": "e3b0c44298fc1c14"}, uses={"p": ("a",)}),
    )
    assert wiring(checkpoint).underived == ((urn("b"), "p", urn("a")),)


def test_secrets_are_compared_below_their_cover_and_keep_it() -> None:
    checkpoint = state(
        thing("a", made={"token": secret("t0ken")}),
        thing("b", {"plain": "t0ken", "hidden": secret("t0ken")}, uses={"plain": ("a",), "hidden": ("a",)}),
    )
    wires = wires_of(checkpoint, "b", "hidden")
    assert rewired(secret("t0ken"), wires, token=secret("new")) == secret("new")
    assert rewired(secret("t0ken"), wires, token="new") == secret("new")
    assert rewired("t0ken", wires_of(checkpoint, "b", "plain"), token=secret("new")) == secret("new")


def test_a_string_around_a_secret_is_a_secret() -> None:
    checkpoint = state(
        thing("a", made={"token": secret("t0ken")}), thing("b", {"p": "Bearer t0ken"}, uses={"p": ("a",)})
    )
    assert rewired("Bearer t0ken", wires_of(checkpoint, "b", "p"), token=secret("new")) == secret("Bearer new")


def test_secrets_inside_a_value_are_reached() -> None:
    value = {"list": [secret({"k": "10.0.0.1"})]}
    checkpoint = state(thing("a", made={"address": "10.0.0.1"}), thing("b", {"p": value}, uses={"p": ("a",)}))
    wires = wires_of(checkpoint, "b", "p")
    assert rewired(value, wires, address="10.9.9.9") == {"list": [secret({"k": "10.9.9.9"})]}


def test_an_output_inside_a_secret_output_stays_secret() -> None:
    checkpoint = state(
        thing("a", made={"nested": secret({"host": "host-1"})}), thing("b", {"p": "host-1"}, uses={"p": ("a",)})
    )
    wires = wires_of(checkpoint, "b", "p")
    assert rewired("host-1", wires, nested=secret({"host": "host-2"})) == secret("host-2")


@pytest.mark.parametrize("common", [True, False, None, "", [], {}, 0])
def test_values_that_prove_nothing_are_never_wired(common: Any) -> None:
    checkpoint = state(thing("a", made={"x": common}), thing("b", {"p": common}, uses={"p": ("a",)}))
    assert wires_of(checkpoint, "b", "p") == ()


def test_small_numbers_inside_a_value_are_wired_only_under_the_same_name() -> None:
    value = {"replicas": 3, "port": 443, "big": 54321}
    checkpoint = state(
        thing("a", made={"generation": 3, "port": 443, "other": 54321}), thing("b", {"p": value}, uses={"p": ("a",)})
    )
    assert {wire.path for wire in wires_of(checkpoint, "b", "p")} == {("port",), ("big",)}


def test_one_and_one_point_zero_are_the_same_number() -> None:
    checkpoint = state(thing("a", made={"port": 4242}), thing("b", {"p": 4242.0}, uses={"p": ("a",)}))
    assert wires_of(checkpoint, "b", "p") == (Wire((), (Source(urn("a"), ("port",)),)),)


def test_the_output_of_the_same_name_is_preferred() -> None:
    made = {"address": "same-value", "name": "same-value"}
    checkpoint = state(
        thing("a", made=made, id="same-value"), thing("b", {"name": "same-value"}, uses={"name": ("a",)})
    )
    assert wires_of(checkpoint, "b", "name") == (Wire((), (Source(urn("a"), ("name",)),)),)


def test_an_output_that_repeats_an_input_passes_a_new_address_on() -> None:
    """From a to b.target to c, where c reads b's echo of its own input."""
    checkpoint = state(
        thing("a", made={"address": "10.0.0.1"}),
        thing("b", {"target": "10.0.0.1"}, uses={"target": ("a",)}),
        thing("c", {"via": "10.0.0.1", "text": "to 10.0.0.1!"}, uses={"via": ("b",), "text": ("b",)}),
    )
    echo = Source(urn("b"), ("target",))
    assert wires_of(checkpoint, "c", "via") == (Wire((), (echo,)),)
    assert wires_of(checkpoint, "c", "text") == (Wire((), ("to ", echo, "!")),)


def test_a_component_stands_for_what_is_below_it() -> None:
    group = component("g")
    checkpoint = state(
        group,
        thing("a", made={"address": "10.0.0.1"}, parent=group.urn),
        thing("b", {"p": "10.0.0.1"}, property_dependencies={"p": (group.urn,)}),
    )
    assert wires_of(checkpoint, "b", "p") == (Wire((), (ADDRESS,)),)


def test_what_was_only_read_keeps_the_recorded_value() -> None:
    checkpoint = state(
        thing("a", made={"address": "10.0.0.1"}, external=True), thing("b", {"p": "10.0.0.1"}, uses={"p": ("a",)})
    )
    assert wires_of(checkpoint, "b", "p") == ()
    assert wiring(checkpoint).underived == ()


def test_the_id_of_what_is_read_may_come_from_another_resource() -> None:
    checkpoint = state(
        thing("a", made={"address": "10.0.0.1"}),
        thing("b", id="10.0.0.1", external=True, dependencies=(urn("a"),)),
    )
    assert wiring(checkpoint).ids[urn("b")] == (Wire((), (ADDRESS,)),)


def test_what_was_read_by_the_id_of_a_managed_resource_follows_it() -> None:
    checkpoint = state(
        thing("a"),
        thing("got", made={"address": "10.0.0.1"}, id="id-a", external=True, dependencies=(urn("a"),)),
        thing("b", {"p": "10.0.0.1"}, uses={"p": ("got",)}),
    )
    assert wires_of(checkpoint, "b", "p") == (Wire((), (Source(urn("got"), ("address",)),)),)


def test_outputs_of_components_and_of_the_stack_stay_connected() -> None:
    group = component("g", outputs={"address": "10.0.0.1", "note": "text"})
    checkpoint = state(
        group,
        thing("a", made={"address": "10.0.0.1", "port": 8123}, parent=group.urn),
        outputs={"url": "http://10.0.0.1:8123", "key": secret("10.0.0.1"), "replicas": 3, "done": True},
    )
    found = wiring(checkpoint)
    assert found.outputs[group.urn] == {"address": (Wire((), (ADDRESS,)),)}
    live = Live(answers={urn("a"): Registered(urn("a"), "id", {"address": "10.9.9.9", "port": 9000.0})})
    assert checkpoint.root
    assert outputs_of(checkpoint.root, wiring=found, live=live) == {
        "url": "http://10.9.9.9:9000",
        "key": secret("10.9.9.9"),
        "replicas": 3,
        "done": True,
    }


def test_a_component_is_not_connected_to_what_is_not_below_it() -> None:
    checkpoint = state(thing("a", made={"address": "10.0.0.1"}), component("g", outputs={"address": "10.0.0.1"}))
    assert wiring(checkpoint).outputs == {}


def test_a_trigger_follows_the_resource_it_came_from() -> None:
    checkpoint = state(thing("a"), thing("b", replacement_trigger="id-a"), thing("c", replacement_trigger=secret(7)))
    found = wiring(checkpoint)
    assert found.triggers[urn("b")] == (Wire((), (Source(urn("a"), None),)),)
    assert found.triggers[urn("c")] == ()
    assert found.sources(urn("b")) == {urn("a")}


def test_assets_and_references_are_not_mistaken_for_values() -> None:
    reference = {SIG_KEY: Signature.RESOURCE.value, "urn": urn("a"), "id": "id-a", "packageVersion": ""}
    checkpoint = state(
        thing("a", made={"address": "10.0.0.1"}),
        thing("b", {"ref": reference, "file": asset(text="10.0.0.1")}, uses={"ref": ("a",), "file": ("a",)}),
    )
    assert wires_of(checkpoint, "b", "file") == ()
    live = Live(answers={urn("a"): Registered(urn("a"), "id-new", {})})
    assert live.put(reference, wires_of(checkpoint, "b", "ref"))["id"] == "id-new"


def test_in_a_preview_what_is_not_known_stays_unknown() -> None:
    checkpoint = state(
        thing("a", made={"address": "10.0.0.1"}),
        thing(
            "b", {"p": "10.0.0.1", "u": "http://10.0.0.1", "i": "id-a"}, uses={"p": ("a",), "u": ("a",), "i": ("a",)}
        ),
    )
    live = Live(preview=True, answers={urn("a"): Registered(urn("a"), "", {})})
    for key, value in checkpoint.by_urn[urn("b")].inputs.items():
        assert live.put(value, wires_of(checkpoint, "b", key)) == UNKNOWN
    told = Live(preview=True, answers={urn("a"): Registered(urn("a"), "", {"address": secret(UNKNOWN)})})
    assert told.put("http://10.0.0.1", wires_of(checkpoint, "b", "u")) == secret(UNKNOWN)


def test_an_output_that_is_no_longer_there_leaves_the_recorded_value() -> None:
    checkpoint = state(thing("a", made={"address": "10.0.0.1"}), thing("b", {"p": "10.0.0.1"}, uses={"p": ("a",)}))
    assert rewired("10.0.0.1", wires_of(checkpoint, "b", "p")) == "10.0.0.1"


# Programs made at random: what replay computes must be what the program would compute.

_keys = st.sampled_from(["alpha", "beta", "gamma"])


@st.composite
def programs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A list of resources; each input is a template of literals and of references to outputs of earlier ones."""
    count = draw(st.integers(2, 5))
    resources: list[dict[str, Any]] = []
    for number in range(count):
        earlier = [
            (origin, path)
            for origin in range(number)
            for path in [None, ("address",), ("port",), ("token",), ("nested", "host"), ("nested", "list", 1)]
        ]
        reference = st.sampled_from(earlier).map(lambda found: ("ref", *found)) if earlier else st.nothing()
        common: st.SearchStrategy[Any] = st.sampled_from(["lit", 1, 2.5, True, None, "", [], {}, "word word"])
        literal: st.SearchStrategy[Any] = common.map(lambda found: ("lit", found))
        joined = st.lists(reference, min_size=1, max_size=2).map(lambda found: ("join", found))
        leaf = literal | reference | joined
        template = st.recursive(
            leaf,
            lambda inner: (
                st.lists(inner, max_size=3).map(lambda found: ("list", found))
                | st.dictionaries(_keys, inner, max_size=3).map(lambda found: ("map", found))
                | inner.map(lambda found: ("secret", found))
            ),
            max_leaves=5,
        )
        resources.append(draw(st.dictionaries(_keys, template, max_size=3)))
    return resources


def _made(number: int, generation: int) -> dict[str, Any]:
    """What the provider makes: different for every resource and at every creation."""
    mark = f"{generation}x{number}"
    return {
        "address": f"addr-{mark}",
        "port": 10000.0 + 1000 * generation + number,
        "token": secret(f"tok-{mark}"),
        "nested": {"host": f"host-{mark}", "list": ["first", f"item-{mark}"]},
    }


def _evaluate(template: Any, worlds: list[tuple[str, dict[str, Any]]]) -> Any:
    kind, *rest = template
    if kind == "lit":
        return rest[0]
    if kind == "ref":
        return _output(worlds[rest[0]], rest[1])
    if kind == "join":
        parts = [_evaluate(part, worlds) for part in rest[0]]
        text = "see " + " and ".join(_text(plain(part)) for part in parts) + "."
        return secret(text) if any(is_secret(part) for part in parts) else text
    if kind == "list":
        return [_evaluate(item, worlds) for item in rest[0]]
    if kind == "map":
        return {key: _evaluate(item, worlds) for key, item in rest[0].items()}
    inner = _evaluate(rest[0], worlds)
    return inner if is_secret(inner) else secret(inner)


def _output(world: tuple[str, dict[str, Any]], path: tuple[str | int, ...] | None) -> Any:
    if path is None:
        return world[0]
    value: Any = world[1]
    for part in path:
        value = value[part]
    return value


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) else str(value)


def _references(template: Any) -> set[int]:
    kind, *rest = template
    if kind == "ref":
        return {rest[0]}
    if kind in {"join", "list"}:
        return {origin for part in rest[0] for origin in _references(part)}
    if kind == "map":
        return {origin for part in rest[0].values() for origin in _references(part)}
    return _references(rest[0]) if kind == "secret" else set()


def _run(program: list[dict[str, Any]], generations: list[int]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """What each resource of the program becomes: id, inputs, outputs."""
    worlds: list[tuple[str, dict[str, Any]]] = []
    found: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for number, templates in enumerate(program):
        inputs = {key: _evaluate(template, worlds) for key, template in templates.items()}
        outputs = {**inputs, **_made(number, generations[number])}
        identity = f"id-{generations[number]}x{number}"
        worlds.append((identity, outputs))
        found.append((identity, inputs, outputs))
    return found


@given(programs(), st.data())
def test_replay_computes_what_the_program_would(program: list[dict[str, Any]], data: st.DataObject) -> None:
    """Whichever resources get new addresses, all others are given the values that the program would give them."""
    before = _run(program, [0] * len(program))
    resources: list[Resource] = []
    for number, (identity, inputs, outputs) in enumerate(before):
        uses = {key: tuple(f"r{o}" for o in _references(program[number][key])) for key in inputs}
        resources.append(thing(f"r{number}", inputs, outputs, uses=uses, id=identity))
    found = wiring(state(*resources))
    assert found.underived == ()

    generations = data.draw(st.lists(st.integers(0, 1), min_size=len(program), max_size=len(program)))
    after = _run(program, generations)
    live = Live()
    for number, (identity, inputs, outputs) in enumerate(after):
        name = urn(f"r{number}")
        recorded = resources[number].inputs
        given_again = {key: live.put(recorded[key], found.inputs.get(name, {}).get(key, ())) for key in recorded}
        assert given_again == inputs
        live.answers[name] = Registered(name, identity, outputs)


@given(programs())
def test_nothing_changes_where_nothing_was_recreated(program: list[dict[str, Any]]) -> None:
    before = _run(program, [0] * len(program))
    resources = [
        thing(
            f"r{number}",
            inputs,
            outputs,
            uses={key: tuple(f"r{o}" for o in _references(program[number][key])) for key in inputs},
            id=identity,
        )
        for number, (identity, inputs, outputs) in enumerate(before)
    ]
    checkpoint = state(*resources, outputs={"url": "http://addr-0x0", "tok": secret("tok-0x1")})
    found = wiring(checkpoint)
    live = Live(answers={r.urn: Registered(r.urn, r.id, r.outputs) for r in resources})
    for resource in (*resources, checkpoint.by_urn[STACK]):
        for key, value in resource.inputs.items():
            assert live.put(value, found.inputs.get(resource.urn, {}).get(key, ())) == value
    assert outputs_of(checkpoint.by_urn[STACK], wiring=found, live=live) == checkpoint.outputs
