# ruff: noqa: ANN401, S311 - a property value may be anything; no secret depends on this randomness
"""Programs made at random, as plain data, with the changes a next version might bring."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi

MADE = ("address", "port", "token", "nested")
THING = "replaytest:index:Thing"
NAMED = "replaytest:index:Named"
KIT = "replaytest:index:Kit"
READ = "read"
GROUP = "test:index:Group"
PROVIDER = "provider"

Template = tuple[Any, ...]


@dataclass(frozen=True)
class Node:
    """One resource of a program; others refer to it by `key`, whatever it is called."""

    key: str
    kind: str
    name: str
    parent: str = ""
    inputs: tuple[tuple[str, Template], ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    provider: str = ""
    former: str = ""
    """The name it had in the version before, for an alias."""

    @property
    def managed(self) -> bool:
        return self.kind in {THING, NAMED}

    def option(self, name: str) -> Any:
        return dict(self.options).get(name)


@dataclass(frozen=True)
class Program:
    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, Template], ...] = ()
    version: int = field(default=1)

    def __call__(self) -> None:
        """Registers everything: what `Stack.up` runs."""
        _Run(self).run()


class _Run:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._made: dict[str, Any] = {}

    def run(self) -> None:
        for node in self._program.nodes:
            self._made[node.key] = self._make(node)
        for node in self._program.nodes:
            if node.kind == GROUP:
                known = {key: self._value(template) for key, template in node.inputs}
                self._made[node.key].register_outputs(known)
        for key, template in self._program.outputs:
            pulumi.export(key, self._value(template))

    def _make(self, node: Node) -> Any:
        options = self._options(node)
        inputs = {key: self._value(template) for key, template in node.inputs}
        if node.kind == GROUP:
            return pulumi.ComponentResource(GROUP, node.name, None, options)
        if node.kind == KIT:
            made = pulumi.ComponentResource(KIT, node.name, {**inputs, "address": None}, options, remote=True)
            made.address = pulumi.Output.from_input(getattr(made, "address", None))  # type: ignore[attr-defined]
            return made
        if node.kind == PROVIDER:
            return pulumi.ProviderResource("replaytest", node.name, inputs, options)
        if node.kind == READ:
            return pulumi.CustomResource(THING, node.name, dict.fromkeys(MADE), options)
        return pulumi.CustomResource(node.kind, node.name, {**dict.fromkeys(MADE), **inputs}, options)

    def _options(self, node: Node) -> pulumi.ResourceOptions:
        options: dict[str, Any] = dict(node.options)
        for name in ("depends_on", "replace_with"):
            if name in options:
                options[name] = [self._made[key] for key in options[name]]
        if "deleted_with" in options:
            options["deleted_with"] = self._made[options["deleted_with"]]
        if "id" in options:
            options["id"] = self._made[options["id"]].id
        if "replacement_trigger" in options:
            options["replacement_trigger"] = self._value(options["replacement_trigger"])
        if "custom_timeouts" in options:
            options["custom_timeouts"] = pulumi.CustomTimeouts(**options["custom_timeouts"])
        if node.parent:
            options["parent"] = self._made[node.parent]
        if node.provider:
            options["provider"] = self._made[node.provider]
        if node.former:
            options["aliases"] = [pulumi.Alias(name=node.former)]
        return pulumi.ResourceOptions(**options)

    def _value(self, template: Template) -> Any:
        kind, *rest = template
        if kind == "ref":
            return self._output(*rest)
        if kind == "join":
            return pulumi.Output.concat("see ", *self._joined(rest[0]), ".")
        if kind == "secret":
            return pulumi.Output.secret(self._value(rest[0]))
        if kind == "list":
            return [self._value(item) for item in rest[0]]
        if kind == "map":
            return {key: self._value(item) for key, item in rest[0]}
        return rest[0]

    def _output(self, key: str, *path: Any) -> pulumi.Output[Any]:
        made = self._made[key]
        if not path:
            return pulumi.Output.from_input(made.id)
        value = getattr(made, path[0])
        for part in path[1:]:
            value = value[part]
        return pulumi.Output.from_input(value)

    def _joined(self, templates: Any) -> list[Any]:
        parts: list[Any] = []
        for template in templates:
            parts += [self._value(template).apply(_text), " and "]
        return parts


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) else str(value)


class Maker:
    """Makes a program and its next version from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._count = 0

    def program(self) -> Program:
        nodes: list[Node] = []
        for _ in range(self._random.randint(6, 12)):
            nodes.append(self._node(nodes))
        return Program(tuple(nodes), self._outputs(nodes))

    def next_version(self, program: Program) -> Program:
        """The program after a random change of everything that can change."""
        dropped: set[str] = set()
        nodes: list[Node] = []
        for node in program.nodes:
            if _refers(node, dropped) or (self._chance(0.2) and not node.option("protect")):
                if node.option("protect"):
                    # What is protected may not go, so it loses what it referred to.
                    nodes.append(replace(node, parent="", inputs=(), options=(("protect", True),), provider=""))
                    continue
                dropped.add(node.key)
                continue
            nodes.append(self._changed(node))
        for _ in range(self._random.randint(0, 3)):
            nodes.append(self._node(nodes))
        return Program(tuple(nodes), self._outputs(nodes), version=2)

    def _changed(self, node: Node) -> Node:
        inputs = dict(node.inputs)
        if node.managed and self._chance(0.3) and not node.option("protect"):
            inputs["name" if node.kind == NAMED else "force"] = ("lit", f"forced-{self._random.randint(10, 99)}")
        if node.managed and self._chance(0.4):
            inputs["size"] = ("lit", self._random.randint(10, 99))
        changed = replace(node, inputs=tuple(inputs.items()))
        if self._chance(0.2) and node.kind in {THING, NAMED, GROUP} and not node.option("protect"):
            changed = replace(changed, name=f"{node.name}-renamed", former=node.name if self._chance(0.7) else "")
        if self._chance(0.3) and node.managed and not node.option("protect"):
            kept = tuple(item for item in node.options if self._chance(0.5))
            changed = replace(changed, options=kept)
        return changed

    def _node(self, nodes: list[Node]) -> Node:
        self._count += 1
        kind = self._random.choices([THING, NAMED, GROUP, PROVIDER, KIT, READ], [10, 2, 3, 1, 1, 1])[0]
        things = [node.key for node in nodes if node.managed]
        if kind == READ and not things:
            kind = THING
        key = f"{kind.rpartition(':')[2].lower()}{self._count}"
        parents = [node.key for node in nodes if node.kind == GROUP]
        parent = self._random.choice(parents) if parents and self._chance(0.6) else ""
        providers = [node.key for node in nodes if node.kind == PROVIDER]
        provider = self._random.choice(providers) if providers and kind in {THING, NAMED} and self._chance(0.5) else ""
        node = Node(key, kind, key, parent, provider=provider)
        if kind == READ:
            return replace(node, options=(("id", self._random.choice(things)),))
        if kind == PROVIDER:
            return replace(node, inputs=(("region", self._template(things, 0)), ("key", ("secret", ("lit", "pk")))))
        if kind == KIT:
            return replace(node, inputs=(("size", ("lit", self._random.randint(1, 9))),))
        if kind == GROUP:
            return replace(node, inputs=(("note", ("lit", "a note")),))
        inputs = tuple((f"in{number}", self._template(things, 2)) for number in range(self._random.randint(1, 3)))
        node = replace(node, inputs=inputs)
        if kind == THING:
            node = replace(node, options=self._options(things))
            if not node.option("protect"):
                node = replace(node, inputs=(*inputs, *self._replacing(things)))
        # Without its parent it would have another URN, and what is protected may not be given up.
        return replace(node, parent="") if node.option("protect") else node

    def _options(self, things: list[str]) -> tuple[tuple[str, Any], ...]:
        pick = self._random.choice
        options: dict[str, Any] = {}
        if self._chance(0.12):
            # A protected resource may not be replaced: nothing about it may force that.
            return (("protect", True), ("additional_secret_outputs", ["port"]))
        offered: dict[str, Callable[[], Any]] = {
            "additional_secret_outputs": lambda: ["address"],
            "custom_timeouts": lambda: {"create": "5m", "update": "90s"},
            "retain_on_delete": lambda: True,
            "ignore_changes": lambda: [pick(["size", "in0", "nothing.at[0].all"])],
            "hide_diffs": lambda: ["in0", "in1.x"],
            "replace_on_changes": lambda: ["size"],
            "replacement_trigger": lambda: self._template(things, 0),
        }
        if things:
            offered |= {
                "depends_on": lambda: [pick(things)],
                "deleted_with": lambda: pick(things),
                "replace_with": lambda: [pick(things)],
            }
        for name, make in offered.items():
            if self._chance(0.15):
                options[name] = make()
        return tuple(options.items())

    def _replacing(self, things: list[str]) -> list[tuple[str, Template]]:
        """Inputs that have to do with replacement: following another resource's, and in which order."""
        found: list[tuple[str, Template]] = []
        if things and self._chance(0.2):
            found.append(("forceref", self._reference(things)))
        if self._chance(0.15):
            found.append(("dbr", ("lit", True)))
        return found

    def _template(self, things: list[str], depth: int) -> Template:
        choice = self._random.random()
        if things and choice < 0.35:
            return self._reference(things)
        if things and choice < 0.5:
            return ("join", [self._reference(things) for _ in range(self._random.randint(1, 2))])
        if depth and choice < 0.7:
            return ("map", [(key, self._template(things, depth - 1)) for key in self._random.sample("xyz", 2)])
        if depth and choice < 0.8:
            return ("list", [self._template(things, depth - 1) for _ in range(2)])
        if depth and choice < 0.9:
            return ("secret", self._template(things, depth - 1))
        return ("lit", self._random.choice(["text", 7, 2.5, True, "", "longer text 12345"]))

    def _reference(self, things: list[str]) -> Template:
        path: tuple[Any, ...] = self._random.choice(
            [(), ("address",), ("port",), ("token",), ("nested", "host"), ("nested", "tags", 1)]
        )
        return ("ref", self._random.choice(things), *path)

    def _outputs(self, nodes: list[Node]) -> tuple[tuple[str, Template], ...]:
        things = [node.key for node in nodes if node.managed]
        found: list[tuple[str, Template]] = [("version", ("lit", self._random.randint(1, 9)))]
        found += [(f"out{number}", self._template(things, 1)) for number in range(2)]
        return tuple(found)

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability


def _refers(node: Node, keys: set[str]) -> bool:
    """True where the node needs one of `keys`."""
    found = {node.parent, node.provider}
    for name, value in node.options:
        if name in {"depends_on", "replace_with"}:
            found.update(value)
        elif name in {"deleted_with", "id"}:
            found.add(value)
        elif name == "replacement_trigger":
            found |= _keys(value)
    for _key, template in node.inputs:
        found |= _keys(template)
    return bool(found & keys)


def _keys(template: Template) -> set[str]:
    kind, *rest = template
    if kind == "ref":
        return {rest[0]}
    if kind == "secret":
        return _keys(rest[0])
    if kind in {"join", "list"}:
        return {key for item in rest[0] for key in _keys(item)}
    return {key for _name, item in rest[0] for key in _keys(item)} if kind == "map" else set()
