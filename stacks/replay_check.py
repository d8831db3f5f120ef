"""What of a checkpoint could not be replayed, found before the launch rather than in the middle of a rollback."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from stacks.checkpoint import Checkpoint, Resource
from stacks.replay_assets import assets, lost
from stacks.replay_values import is_unknown, reveal, walk
from stacks.replay_wiring import wiring

PluginFinder = Callable[[str, str | None], bool]
"""Answers whether the plugin of a package is there, in the given version if there is one."""

_RECREATING: Final = frozenset({"replace", "create-replacement", "delete-replaced", "delete", "create"})
_TOUCHING: Final = _RECREATING | {"update"}
_BUILT_IN: Final = "pulumi"
"""The package of stack references, which the engine serves itself."""
_DYNAMIC: Final = ("pulumi-python:dynamic", "pulumi-nodejs:dynamic")


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """A rollback would fail, or leave something else behind than was there."""
    WARNING = "warning"
    """A rollback goes through; in some cases a value or a resource needs a look afterwards."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a resource could not be brought back.

    Attributes:
        urn: the resource; empty for the stack as a whole.
        reason: what is the matter.
        advice: what to do about it.
        severity: whether to stop or only to tell.
    """

    urn: str
    reason: str
    advice: str
    severity: Severity = Severity.ERROR

    @property
    def resource(self) -> str:
        """The resource's name."""
        return self.urn.split("::", 3)[-1]

    @property
    def blocking(self) -> bool:
        """True where the launch must not start."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        return f"{self.resource or 'the stack'}: {self.reason}; {self.advice}"


def problems(
    checkpoint: Checkpoint,
    *,
    plugins: PluginFinder,
    root: Path,
    hooks: Collection[str] = (),
    changes: Mapping[str, str] | None = None,
) -> tuple[Problem, ...]:
    """All that stands in the way of replaying a checkpoint; changes nothing.

    Args:
        checkpoint: where a rollback would go back to.
        plugins: answers whether a provider plugin is available.
        root: where relative paths of assets begin: the project's directory.
        hooks: names of the resource hooks whose code is at hand.
        changes: what the launch would do to each resource (URN to the engine's word: `update`, `replace`, ...), from
            a preview. With it only what the launch really touches is held against it; without it anything may be.
    """
    check = _Check(checkpoint, plugins, root, frozenset(hooks), changes)
    return tuple(check.run())


@dataclass(frozen=True, slots=True)
class _Check:
    checkpoint: Checkpoint
    plugins: PluginFinder
    root: Path
    hooks: frozenset[str]
    changes: Mapping[str, str] | None

    def run(self) -> Iterator[Problem]:
        yield from self._interrupted()
        yield from self._missing_plugins()
        for resource in self.checkpoint.live:
            if resource.is_stack or resource.view_of or resource.snippet:
                continue
            yield from self._values(resource)
            yield from self._assets(resource)
            yield from self._code(resource)
            yield from self._health(resource)
        yield from self._derived()

    def _affected(self, urn: str, operations: frozenset[str]) -> bool:
        return self.changes is None or self.changes.get(urn) in operations

    def _interrupted(self) -> Iterator[Problem]:
        for operation in self.checkpoint.pending:
            if operation.type == "creating":
                yield Problem(
                    operation.urn,
                    "an earlier update was interrupted while it created this",
                    "look whether it exists, delete or import it, and run `pulumi refresh` to settle it",
                    Severity.WARNING,
                )
            else:
                yield Problem(
                    operation.urn,
                    f"an earlier update was interrupted while {operation.type} this, so the state may not be true",
                    "run `pulumi refresh` on the stack first",
                )

    def _missing_plugins(self) -> Iterator[Problem]:
        asked: set[tuple[str, str | None]] = set()
        for provider in self.checkpoint.live:
            if not provider.is_provider or provider.package == _BUILT_IN:
                continue
            plugin = plugin_of(provider)
            if plugin in asked:
                continue
            asked.add(plugin)
            if not self.plugins(*plugin):
                name, version = plugin
                command = f"pulumi plugin install resource {name}" + (f" v{version}" if version else "")
                wanted = f"{name} {version}" if version else name
                yield Problem(provider.urn, f"the provider plugin {wanted} is not installed", f"run `{command}`")

    def _values(self, resource: Resource) -> Iterator[Problem]:
        for key, value in resource.inputs.items():
            if any(is_unknown(item) for _path, item in walk(value)):
                yield Problem(
                    resource.urn,
                    f"the recorded value of `{key}` is not known",
                    "run an ordinary update to its end first",
                )

    def _assets(self, resource: Resource) -> Iterator[Problem]:
        if resource.external or not self._affected(resource.urn, _TOUCHING):
            return
        for key, value in resource.inputs.items():
            for asset in assets(value):
                reason = lost(asset, self.root)
                if reason:
                    yield Problem(
                        resource.urn,
                        f"the bytes of `{key}` are gone: {reason}",
                        "put the file of the running release back beside the new one, under a name of its own",
                    )

    def _code(self, resource: Resource) -> Iterator[Problem]:
        named = {name for names in resource.hooks.values() for name in names}
        for name in sorted(named - self.hooks):
            yield Problem(
                resource.urn,
                f"the code of its resource hook `{name}` is not in the state",
                "give the hook to launch, or take it off the resource",
            )
        if resource.type.startswith(_DYNAMIC) and not isinstance(reveal(resource.inputs.get("__provider")), str):
            yield Problem(
                resource.urn,
                "the code of its dynamic provider is not in the state",
                "turn the dynamic provider into a provider plugin",
            )
        if resource.extension:
            yield Problem(
                resource.urn,
                "its provider is extended by a parameter that a program must give",
                "manage it in a stack that launch does not roll back",
            )

    @staticmethod
    def _health(resource: Resource) -> Iterator[Problem]:
        if resource.init_errors:
            yield Problem(
                resource.urn,
                "it was not healthy when the state was recorded",
                "a rollback tries to update it; repair it before the launch",
                Severity.WARNING,
            )
        if resource.taint or resource.pending_replacement:
            yield Problem(
                resource.urn,
                "it is waiting to be replaced",
                "run an ordinary update first",
                Severity.WARNING,
            )

    def _derived(self) -> Iterator[Problem]:
        for urn, key, origin in wiring(self.checkpoint).underived:
            if not self._affected(origin, _RECREATING):
                continue
            source = origin.split("::", 3)[-1]
            yield Problem(
                urn,
                f"`{key}` was computed from an output of `{source}` in a way that cannot be repeated",
                f"if `{source}` is replaced, a rollback leaves the old value in place: pass the output on as it is",
                # Without a preview nothing says that it would be replaced: most resources never are.
                Severity.WARNING if self.changes is None else Severity.ERROR,
            )


def plugin_of(provider: Resource) -> tuple[str, str | None]:
    """Name and version of the plugin behind a provider resource; version None where none was asked for."""
    internal = reveal(provider.inputs.get("__internal"))
    inner: Mapping[str, Any] = internal if isinstance(internal, Mapping) else {}
    # A parameterized provider (`terraform-provider` and the like) says below `__internal` which plugin it really is.
    name = inner.get("name")
    version = (inner if "parameterization" in inner else provider.inputs).get("version")
    return (
        name if isinstance(name, str) and name else provider.package,
        version if isinstance(version, str) else None,
    )
