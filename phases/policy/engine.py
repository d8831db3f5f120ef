"""Evaluating policies in a process of their own, in time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phases.policy import worker
from phases.policy.diagnosis import explain
from phases.policy.files import PolicyFile

_POLL_SECONDS = 0.02
_KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
"""Environment variables that the process needs to start; a policy sees no others."""


class PolicyBroken(Exception):
    """A policy does not compile or cannot be evaluated; `str()` names file and line where they are known."""


class EngineLost(Exception):
    """The interpreter died or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policies say.

    Attributes:
        deny: messages that stop the launch.
        warn: messages that are shown.
    """

    deny: tuple[str, ...]
    warn: tuple[str, ...]


def evaluate(
    files: Sequence[PolicyFile],
    document: Mapping[str, Any],
    *,
    data: Mapping[str, Any],
    strict: bool = True,
    expired: Callable[[], str | None] = lambda: None,
) -> Decision:
    """Return what the policies say of `document`.

    Args:
        files: the policies; every package's `deny` and `warn` are asked for.
        document: JSON-able; `input` in the policies.
        data: JSON-able; `data` in the policies.
        strict: whether an error in a built-in function (a text that is no number) breaks the policy. Plain Rego takes
            it for "undefined", and a `deny` with a mistake in it would never fire.
        expired: asked now and then; a text says why the answer is no longer waited for.

    Raises:
        PolicyBroken: a policy is wrong.
        EngineLost: the interpreter died, or `expired` said so.
    """
    request = {
        "modules": [(file.name, file.source) for file in files],
        "packages": list(dict.fromkeys(file.package for file in files if file.decides)),
        "input": document,
        "data": data,
        "strict": strict,
    }
    output, printed = _run(json.dumps(request, default=str), expired)
    if "broken" in output:
        raise PolicyBroken(explain(output["broken"], printed, files))
    found: dict[str, list[str]] = {"deny": [], "warn": []}
    for package, rules in output["answers"].items():
        for rule, value in rules.items():
            found[rule].extend(messages(value, f"{package}.{rule}"))
    return Decision(tuple(dict.fromkeys(found["deny"])), tuple(dict.fromkeys(found["warn"])))


def _run(request: str, expired: Callable[[], str | None]) -> tuple[dict[str, Any], str]:
    process = subprocess.Popen(
        [sys.executable, "-I", str(Path(worker.__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
        start_new_session=True,
    )
    try:
        output, printed = _answer(process, request.encode(), expired)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    diagnostics = printed.decode(errors="replace")
    if process.returncode < 0:
        name = str(-process.returncode)
        with suppress(ValueError):
            name = signal.Signals(-process.returncode).name
        raise EngineLost(
            f"the Rego interpreter crashed ({name}); it is known to on the keyword `with`, which belongs in files "
            "named *_test.rego"
        )
    try:
        return json.loads(output), diagnostics
    except ValueError:
        last = diagnostics.strip().splitlines()[-1:] or ["it said nothing"]
        raise EngineLost(f"the Rego interpreter gave no answer: {last[0]}") from None


def _answer(process: subprocess.Popen[bytes], request: bytes, expired: Callable[[], str | None]) -> tuple[bytes, bytes]:
    given: bytes | None = request
    while True:
        try:
            return process.communicate(given, timeout=_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            given = None  # communicate goes on with what it was given first
        if reason := expired():
            raise EngineLost(f"the policies were not evaluated: {reason}")


def messages(value: Any, rule: str) -> list[str]:  # noqa: ANN401
    """Return the messages of a rule's value.

    A set or list of texts or of objects with `msg`; one text; `true`; and the object that Rego of before version 1
    makes of `deny[message]`.

    Raises:
        PolicyBroken: it is none of these.
    """
    match value:
        case None | False:
            return []
        case True:
            return [f"{rule} is true"]
        case str():
            return [value]
        case list():
            return [_message(item, rule) for item in value]
        case {"msg": str(message)}:
            return [message]
        case dict() if all(item is True for item in value.values()):
            return list(value)
        case _:
            raise PolicyBroken(f"data.{rule} is {json.dumps(value)[:100]}; it should be a set of messages")


def _message(item: Any, rule: str) -> str:  # noqa: ANN401
    match item:
        case str():
            return item
        case {"msg": str(message)}:
            return message
        case _:
            raise PolicyBroken(
                f"data.{rule} holds {json.dumps(item)[:100]}; a message is a text, or an object with a text `msg`"
            )
