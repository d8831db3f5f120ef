"""Turns what the CLI and the engine say about a failure into one sentence: what happened, why, what to do next."""

from __future__ import annotations

import os
import re
import traceback
from dataclasses import dataclass
from pathlib import Path

from phases.errors import EngineError, UpdateConflict, UpdateFailed
from stacks.engine_events import Collector
from stacks.processes import Finished

_NO_STACK = re.compile(r"no stack named .* found|stack '?[^']*'? not found|\[404\] Not found: Stack", re.IGNORECASE)
_CONFLICT = re.compile(r"the stack is currently locked by|\[409\] Conflict")
_LOCK_OWNER = re.compile(r"created by (?P<who>\S+) \(pid (?P<pid>\d+)\) at (?P<when>\S+)")
_PLUGIN = re.compile(
    r"no (?:resource|language|analyzer) plugin '(?P<plugin>[^']+)'"
    r"|could not find latest version for provider (?P<provider>[\w-]+)"
)
_FAILED = "update failed"
_PROGRAM = "python inline source runtime error: "
_UNHANDLED = "an unhandled error occurred: "
_TRACEBACK = "Traceback (most recent call last):"
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|[A-Z]\w*): .*", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(
    rf"^(?P<indent>[ \t]+){re.escape(_TRACEBACK)}\n(?P<frames>(?:(?P=indent)[ \t]+.*\n)*)(?P=indent)(?P<raised>.*)",
    re.MULTILINE,
)
"""A traceback in what a message quotes: the log of a service that did not start."""
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Known:
    """A failure of the CLI that has an explanation.

    Attributes:
        pattern: found in what the CLI wrote.
        explanation: what it means and what to do, with `{stack}` and `{backend}`.
    """

    pattern: re.Pattern[str]
    explanation: str


KNOWN = (
    Known(
        re.compile("still has resources; removal rejected"),
        "Stack {stack} still holds resources. Destroy them first (`python -m launch down`) and try again.",
    ),
    Known(
        re.compile("incorrect passphrase"),
        "The passphrase does not open the secrets of stack {stack}. Set PULUMI_CONFIG_PASSPHRASE or "
        "PULUMI_CONFIG_PASSPHRASE_FILE to the passphrase the stack was created with (by default the file "
        ".launch/passphrase of the machine that created it) and try again.",
    ),
    Known(
        re.compile("passphrase must be set"),
        "The secrets of stack {stack} need a passphrase and none was given. Set PULUMI_CONFIG_PASSPHRASE or "
        "PULUMI_CONFIG_PASSPHRASE_FILE and try again.",
    ),
    Known(
        re.compile("PULUMI_ACCESS_TOKEN must be set|not logged in|Unauthorized|invalid access token"),
        "The backend {backend} wants a login. Set PULUMI_ACCESS_TOKEN, or run `pulumi login {backend}`, and try again.",
    ),
    Known(
        re.compile(
            "unable to open bucket|could not list bucket|unable to check if bucket|connection refused|no such host"
            "|NoSuchBucket|AccessDenied|i/o timeout|could not connect|problem logging in|dial tcp|"
            "read-only file system|permission denied"
        ),
        "The backend {backend} cannot be used: {reason} Check its address and your access to it, and try again.",
    ),
)


def no_such_stack(finished: Finished | None) -> bool:
    """Whether the CLI failed because the stack does not exist."""
    return finished is not None and finished.code != 0 and bool(_NO_STACK.search(finished.stderr))


def from_update(
    finished: Finished | None,
    collector: Collector,
    program_error: BaseException | None,
    *,
    stack: str,
    backend: str,
    verb: str = "update",
) -> EngineError:
    """The error of a failed update, most telling cause first: a resource, the program, then the CLI itself."""
    failures = collector.failures
    if failures:
        named = tuple((failure.name or failure.urn, _reason(text)) for failure, text in failures)
        sentences = "; ".join(
            f"{failure.type} {failure.name!r}{f' ({failure.op})' if failure.op else ''}: {_reason(text)}"
            for failure, text in failures
        )
        return UpdateFailed(f"The {verb} of stack {stack} failed at {sentences}", stack=stack, failures=named)
    if program_error is not None:
        return UpdateFailed(f"The program of stack {stack} failed: {describe(program_error)}", stack=stack)
    if finished is not None:
        known = from_command(finished, stack=stack, backend=backend, verb=verb)
        if type(known) is not EngineError or not collector.errors:
            return known
    said = dict.fromkeys(_reason(text) for text in collector.errors if text != _FAILED)
    reasons = "; ".join(said) or "the engine gave no reason"
    return UpdateFailed(f"The {verb} of stack {stack} failed: {reasons}", stack=stack)


def from_command(finished: Finished, *, stack: str, backend: str, verb: str) -> EngineError:
    """The error of a failed command, from its exit code and what it wrote."""
    said = _ANSI.sub("", f"{finished.stderr}\n{finished.stdout}")
    if _CONFLICT.search(said):
        owner = _LOCK_OWNER.search(said)
        holder = f" by {owner['who']} (process {owner['pid']}) since {owner['when']}" if owner else ""
        return UpdateConflict(
            f"Stack {stack} is locked{holder}: another update of it is running. Wait for its end; if its process "
            "is dead, `python -m launch resume` clears the lock and goes on.",
            stack=stack,
        )
    missing = _missing_plugin(said)
    if missing:
        return EngineError(f"The {verb} of stack {stack} failed: {missing}")
    reason = cli_reason(finished)
    for known in KNOWN:
        if known.pattern.search(said):
            return EngineError(known.explanation.format(stack=stack, backend=backend, reason=reason))
    return EngineError(f"The {verb} of stack {stack} failed: {reason}")


def _missing_plugin(text: str) -> str | None:
    """The sentence about a plugin that is not installed, None if the text is about something else."""
    match = _PLUGIN.search(text)
    if match is None:
        return None
    plugin = match["plugin"] or f"pulumi-resource-{match['provider']}"
    return (
        f"the plugin {plugin} is not installed. It belongs on PATH or under ~/.pulumi/plugins: `pulumi plugin install` "
        "gets one that Pulumi publishes, and `make setup` the one of launch."
    )


def cli_reason(finished: Finished) -> str:
    """What the CLI gave as the reason, without its frame."""
    lines = [line.strip() for line in _ANSI.sub("", finished.stderr).splitlines() if line.strip()]
    for line in lines:
        if line.startswith("error: "):
            return _sentence(line.removeprefix("error: "))
    if lines:
        return _sentence(lines[-1])
    if finished.code < 0:
        return f"the engine was ended by signal {-finished.code}."
    return f"the engine ended with exit code {finished.code} and no reason."


def describe(error: BaseException) -> str:
    """The type, the message and the place of an exception raised in a program."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_ours(frame.filename)]
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


def _is_ours(filename: str) -> bool:
    return Path(filename).name == "automation.py" and Path(filename).parent == Path(__file__).parent


def _reason(text: str) -> str:
    """The message on one line, without the engine's frames and without a traceback."""
    text = _ANSI.sub("", text)
    missing = _missing_plugin(text)
    if missing:
        return missing
    for frame in ("error: ", _UNHANDLED, _PROGRAM):
        text = text.removeprefix(frame)
    text = _QUOTED.sub(lambda quoted: quoted["raised"] + _place(quoted["frames"]), text)
    text, _, trace = text.partition(_TRACEBACK)
    raised = _RAISED.findall(trace)
    return " ".join((raised[-1] if raised else text).split()) + _place(trace)


def _place(trace: str) -> str:
    """Where the newest frame is that is nobody's library."""
    frames = [frame for frame in _FRAME.finditer(trace) if not _is_library(frame["file"])]
    return f" ({frames[-1]['file']}:{frames[-1]['line']})" if frames else ""


def _is_library(filename: str) -> bool:
    inside = ("site-packages", "<frozen ", f"{os.sep}asyncio{os.sep}")
    return any(part in filename for part in inside) or _is_ours(filename)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
