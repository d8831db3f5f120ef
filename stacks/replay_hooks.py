"""Resource hooks in a replay: the state names them, their code is not in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from stacks.checkpoint import Resource

_log = logging.getLogger(__name__)

Hook = Callable[[Any], Any]
"""Takes `pulumi.ResourceHookArgs` or `pulumi.ErrorHookArgs`; an error hook answers whether to retry."""

ON_ERROR: Final = "OnError"


async def register_hooks(resources: Iterable[Resource], hooks: Mapping[str, Hook]) -> None:
    """Tells the engine about every hook that the resources name, and waits until it knows them.

    Those of resources that will be deleted are needed too: the engine runs their delete hooks.

    Args:
        resources: all that take part, of the state to be and of the state that is.
        hooks: the code that is at hand, by name.
    """
    import pulumi

    ordinary, on_error = hook_names(resources)
    registered: list[pulumi.ResourceHook | pulumi.ErrorHook] = [
        pulumi.ResourceHook(name, hooks.get(name) or _stand_in(name)) for name in sorted(ordinary - on_error)
    ]
    registered += [pulumi.ErrorHook(name, hooks.get(name) or _never_again(name)) for name in sorted(on_error)]
    # The SDK offers no public way to wait, and the engine refuses a resource whose hook it does not know yet.
    await asyncio.gather(*(hook._registered for hook in registered))  # noqa: SLF001


def hook_names(resources: Iterable[Resource]) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the ordinary hooks and of the error hooks."""
    ordinary: set[str] = set()
    on_error: set[str] = set()
    for resource in resources:
        for moment, names in resource.hooks.items():
            (on_error if moment == ON_ERROR else ordinary).update(names)
    return frozenset(ordinary), frozenset(on_error)


def _stand_in(name: str) -> Hook:
    def hook(args: Any) -> None:  # noqa: ANN401 - pulumi.ResourceHookArgs
        _log.warning("the hook %s of %s is not run: its code is not in the state", name, args.name)

    return hook


def _never_again(name: str) -> Hook:
    def hook(args: Any) -> bool:  # noqa: ANN401 - pulumi.ErrorHookArgs
        _log.warning("the error hook %s of %s is not asked: its code is not in the state", name, args.name)
        return False

    return hook
