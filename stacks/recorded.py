"""One resource as the state of a stack records it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from stacks.replay_values import from_state

STACK_TYPE: Final = "pulumi:pulumi:Stack"
PROVIDER_PREFIX: Final = "pulumi:providers:"


def _hidden() -> Any:  # noqa: ANN401 - what dataclasses.field() answers
    return field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a checkpoint, with every option that the state records.

    Attributes:
        urn: its name for the engine.
        type: the type token.
        custom: True where a provider manages it, False for a component.
        id: what the provider calls it; empty for a component.
        parent: URN of the parent; empty for the stack itself and for default providers.
        provider: `URN::ID` of the provider resource; empty for components and providers.
        external: True where it was only read, never managed.
        inputs: checked inputs, as the provider saw them.
        outputs: what the provider answered, or what a component registered.
        dependencies: URNs it depends on.
        property_dependencies: for each input property the URNs of the resources its value came from.
        timeouts: seconds by operation (`create`, `update`, `delete`, `read`).
        replacement_trigger: None where there is none.
        hooks: names of resource hooks by moment (`BeforeCreate`, ...).
        deleting: a leftover that the next update deletes.
        init_errors: why the provider calls it unhealthy.
        view_of: URN of the resource whose provider maintains this one.
        extension: reference to a provider extension.
        snippet: id of the snippet that registers it.
    """

    urn: str
    type: str
    custom: bool = False
    id: str = ""
    parent: str = ""
    provider: str = ""
    external: bool = False
    inputs: Mapping[str, Any] = _hidden()
    outputs: Mapping[str, Any] = _hidden()
    protect: bool = False
    retain_on_delete: bool = False
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    timeouts: Mapping[str, float] = field(default_factory=dict, repr=False)
    import_id: str = ""
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    hide_diff: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    replacement_trigger: Any = field(default=None, repr=False)
    refresh_before_update: bool = False
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    taint: bool = False
    deleting: bool = False
    pending_replacement: bool = False
    init_errors: tuple[str, ...] = field(default=(), repr=False)
    view_of: str = ""
    extension: str = ""
    snippet: str = ""

    @property
    def name(self) -> str:
        """The last part of the URN: the name the program gave."""
        return self.urn.split("::", 3)[-1]

    @property
    def is_stack(self) -> bool:
        """True for the root resource."""
        return self.type == STACK_TYPE

    @property
    def is_provider(self) -> bool:
        """True for a provider resource, explicit or default."""
        return self.type.startswith(PROVIDER_PREFIX)

    @property
    def registered(self) -> bool:
        """False for what the engine or a provider registers itself."""
        return not (self.is_stack or self.view_of or self.snippet)

    @property
    def package(self) -> str:
        """The package whose provider manages it (for a provider resource: which it provides)."""
        if self.is_provider:
            return self.type.removeprefix(PROVIDER_PREFIX)
        return self.type.partition(":")[0]

    @property
    def provider_urn(self) -> str:
        """URN of its provider resource; empty where it has none."""
        return self.provider.rpartition("::")[0]


def compact(resource: Resource) -> dict[str, Any]:
    """The members that differ from their defaults."""
    found: dict[str, Any] = {}
    for member in fields(resource):
        value = getattr(resource, member.name)
        # Every default is empty; only a trigger may be empty and yet mean something.
        if value or (member.name == "replacement_trigger" and value is not None):
            found[member.name] = dict(value) if isinstance(value, Mapping) else value
    return found


_TUPLES: Final = frozenset(
    {
        "dependencies",
        "additional_secret_outputs",
        "aliases",
        "replace_with",
        "ignore_changes",
        "hide_diff",
        "replace_on_changes",
        "init_errors",
    }
)


def restored(item: Mapping[str, Any]) -> Resource:
    """The inverse of `compact`, from JSON: lists become tuples again."""
    values = dict(item)
    for name in _TUPLES & values.keys():
        values[name] = tuple(values[name])
    for name in {"property_dependencies", "hooks"} & values.keys():
        values[name] = {key: tuple(found) for key, found in values[name].items()}
    return Resource(**values)


def from_export(raw: Mapping[str, Any]) -> Resource:
    """One `apitype.ResourceV3` of the Go SDK."""
    trigger = raw.get("replacementTrigger")
    return Resource(
        urn=raw["urn"],
        type=raw["type"],
        custom=bool(raw.get("custom", False)),
        id=raw.get("id") or "",
        parent=raw.get("parent") or "",
        provider=raw.get("provider") or "",
        external=bool(raw.get("external", False)),
        inputs={key: from_state(value) for key, value in (raw.get("inputs") or {}).items()},
        outputs={key: from_state(value) for key, value in (raw.get("outputs") or {}).items()},
        protect=bool(raw.get("protect", False)),
        retain_on_delete=bool(raw.get("retainOnDelete", False)),
        dependencies=_strings(raw, "dependencies"),
        property_dependencies={key: tuple(urns or ()) for key, urns in (raw.get("propertyDependencies") or {}).items()},
        additional_secret_outputs=_strings(raw, "additionalSecretOutputs"),
        aliases=_strings(raw, "aliases"),
        timeouts={key: float(value) for key, value in (raw.get("customTimeouts") or {}).items()},
        import_id=raw.get("importID") or "",
        deleted_with=raw.get("deletedWith") or "",
        replace_with=_strings(raw, "replaceWith"),
        ignore_changes=_strings(raw, "ignoreChanges"),
        hide_diff=_strings(raw, "hideDiff"),
        replace_on_changes=_strings(raw, "replaceOnChanges"),
        replacement_trigger=None if trigger is None else from_state(trigger),
        refresh_before_update=bool(raw.get("refreshBeforeUpdate", False)),
        hooks={key: tuple(names or ()) for key, names in (raw.get("resourceHooks") or {}).items()},
        taint=bool(raw.get("taint", False)),
        deleting=bool(raw.get("delete", False)),
        pending_replacement=bool(raw.get("pendingReplacement", False)),
        init_errors=_strings(raw, "initErrors"),
        view_of=raw.get("viewOf") or "",
        extension=raw.get("extensionRef") or "",
        snippet=raw.get("snippetID") or "",
    )


def _strings(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(raw.get(key) or ())
