"""The one module that imports `pulumi.automation`; `stacks.engine` loads it with the first use of the engine.

Two small subclasses at the SDK's public seams: a command whose process we own, and a stack whose `up` runs the CLI
once (the SDK's selects the stack before, and reads the outputs twice and the history once more afterwards, which
doubles its time; they are read here when somebody asks).
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import re
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import grpc  # type: ignore[import-untyped]
from pulumi.automation import (
    CommandResult,
    EngineEvent,
    LocalWorkspace,
    PulumiCommand,
    Stack,
    UpdateSummary,
)
from pulumi.automation.errors import (
    CommandError,
    StackAlreadyExistsError,
    StackNotFoundError,
    create_command_error,
)
from pulumi.automation.events import StepEventMetadata
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.settings import get_engine
from semver import VersionInfo

from stacks.cli import Cli
from stacks.engine_events import Began, EngineWord, Summary, name_of, type_of
from stacks.processes import Finished
from stacks.updates import ResourceEvent

__all__ = ["CommandError", "EventSink", "OwnedCommand", "Program", "StackCommands", "StackNotFoundError", "translate"]

log = logging.getLogger(__name__)

# Every engine listens on a port that the system chose, and one that an earlier engine of this process had may come
# again. gRPC shares connections by address: the new channel would get the dead one's, which waits before it tries
# again, and the program would be told that its engine is gone. So each channel has its own.
if not any(name == "grpc.use_local_subchannel_pool" for name, _ in _GRPC_CHANNEL_OPTIONS):
    _GRPC_CHANNEL_OPTIONS.append(("grpc.use_local_subchannel_pool", 1))

EventSink = Callable[[EngineWord], None]


class Runner(Protocol):
    """Runs one CLI process to its end."""

    def __call__(self, argv: list[str], cwd: Path, env: Mapping[str, str], /) -> Finished:
        """Starts, waits, returns."""


class OwnedCommand(PulumiCommand):
    """A Pulumi command whose processes are started by a `Runner` of ours, with the environment we chose."""

    def __init__(self, cli: Cli, environ: Mapping[str, str], runner: Runner) -> None:  # the base asks for the version
        self.command = str(cli.path)
        self.version = VersionInfo.parse(cli.version)
        self._environ = environ
        self._runner = runner

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> CommandResult:
        """Runs the CLI without questions; the callbacks get each line once it has ended."""
        env = {**self._environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        finished = self._runner([self.command, "--non-interactive", *args], Path(cwd), env)
        for callback, text in ((on_output, finished.stdout), (on_error, finished.stderr)):
            if callback is not None:
                for line in text.splitlines():
                    callback(line)
        result = CommandResult(stdout=finished.stdout, stderr=finished.stderr, code=finished.code)
        if finished.code != 0:
            raise create_command_error(result)
        return result


class _Stack(Stack):
    """A stack that is neither created nor selected beforehand, and whose operations run the CLI once."""

    def __init__(self, name: str, workspace: LocalWorkspace) -> None:  # the base's would run `stack select`
        self.name = name
        self.workspace = workspace

    def __repr__(self) -> str:
        return f"_Stack({self.name!r})"

    def outputs(self) -> dict[str, Any]:
        """None; `StackHandle.outputs` reads them when they are wanted."""
        return {}

    def info(self, show_secrets: bool = True) -> UpdateSummary:  # noqa: ARG002 - the base's signature
        """A placeholder; `StackHandle.history` reads the record when it is wanted."""
        return UpdateSummary(
            kind="update", start_time=datetime.now(UTC), message="", environment={}, config={}, result="succeeded"
        )


class Program:
    """An inline program that keeps the exception it raised, which the engine only knows as text.

    Attributes:
        error: what the program raised, if it did.
    """

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self.error: BaseException | None = None
        self.__name__ = getattr(function, "__name__", "program")
        self._abandoned = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    async def __call__(self) -> None:
        """Runs the program, which may be a coroutine function."""
        _let_engine_vanish()
        self._task, self._loop = asyncio.current_task(), asyncio.get_running_loop()
        try:
            result = self._function()
            if inspect.isawaitable(result):
                await result
        except BaseException as error:
            if not (self._abandoned and isinstance(error, asyncio.CancelledError)):
                self.error = error
            raise

    def abandon(self) -> None:
        """Cancels the program if it still runs although its engine has ended.

        It would wait for nothing, and the interpreter would wait for it. Only a coroutine can be cancelled: a plain
        function that waits has to have a limit of its own.
        """
        loop, task = self._loop, self._task
        if loop is None or task is None:
            return
        self._abandoned = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended by itself
            loop.call_soon_threadsafe(task.cancel)


def _let_engine_vanish() -> None:
    """Makes a log line for an engine that is gone no error in this program.

    When an update fails, the engine is often gone before the inline program has ended. The SDK then stumbles over its
    own last debug message to it, and leaves the program's event loop with its sockets open.
    """
    engine = get_engine()
    deliver = getattr(engine, "Log", None)
    if deliver is None:
        return

    def deliver_or_drop(request: object) -> object:
        try:
            return deliver(request)
        except grpc.RpcError as error:
            if _is_gone(error):
                log.debug("The engine was gone before it could take: %s", getattr(request, "message", request))
                return None
            raise

    setattr(engine, "Log", deliver_or_drop)  # noqa: B010 - the stub has no declared methods


def _is_gone(error: object) -> bool:
    return isinstance(error, grpc.RpcError) and getattr(error, "code", lambda: None)() in _GONE


class _VanishedEngine(logging.Filter):
    """Drops the tracebacks that the SDK logs when the engine ends before the inline program has noticed."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not _is_gone(error)


_GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
_vanished_engine = _VanishedEngine()


def _hush() -> None:
    """Keeps the SDK's remarks about itself off the user's terminal.

    An event it cannot read, from a newer engine for instance, becomes a warning on a server thread; such an event is
    none of ours. The filters are set each time, since tests reset them.
    """
    warnings.filterwarnings("ignore", message="Failed to parse engine event|Error in event stream")
    logging.getLogger("grpc._server").addFilter(_vanished_engine)


class StackCommands:
    """The commands on one stack in one work directory."""

    def __init__(self, name: str, work_dir: Path, command: PulumiCommand) -> None:
        _hush()
        self._workspace = LocalWorkspace(work_dir=str(work_dir), pulumi_command=command)
        self._stack = _Stack(name, self._workspace)

    def create(self) -> None:
        """Creates the stack, unless somebody has meanwhile."""
        with contextlib.suppress(StackAlreadyExistsError):
            self.run("stack", "init", self._stack.name, "--no-select")

    def run(self, *args: str) -> str:
        """Runs any other command and returns its standard output."""
        return self._workspace.pulumi_command.run(list(args), self._workspace.work_dir, {}).stdout

    def up(self, program: Callable[[], Any], message: str, sink: EventSink) -> None:
        """Updates the stack to what the program registers."""
        self._stack.up(program=program, message=message, on_event=_listener(sink), **_QUIET)

    def preview(self, program: Callable[[], Any], sink: EventSink) -> None:
        """Computes what an update would do."""
        self._stack.preview(program=program, on_event=_listener(sink), **_QUIET)

    def refresh(self, message: str, sink: EventSink) -> None:
        """Reads the world into the stack's state."""
        self._stack.refresh(message=message, on_event=_listener(sink), **_QUIET)

    def destroy(self, message: str, sink: EventSink) -> None:
        """Deletes the stack's resources."""
        self._stack.destroy(message=message, on_event=_listener(sink), **_QUIET)


_COLOUR = re.compile(r"<\{%.*?%\}>")
"""Marks such as `<{%reset%}>` in the engine's messages."""

_FROM_PATH = re.compile(r"using pulumi-resource-\S+ from \$PATH")
"""A warning with every update; it is what is meant."""

_QUIET: dict[str, Any] = {"color": "never", "suppress_outputs": True, "suppress_progress": True}


def _listener(sink: EventSink) -> Callable[[EngineEvent], None]:
    """Translates and passes on; it runs on a server thread where an exception would be lost."""

    def listen(event: EngineEvent) -> None:
        translated = translate(event)
        if translated is not None:
            sink(translated)

    return listen


def translate(event: EngineEvent) -> EngineWord | None:
    """The engine's event as ours, None for those that say nothing about a resource."""
    if event.prelude_event is not None:
        return Began()
    if event.resource_pre_event is not None:
        return _step("started", event.resource_pre_event.metadata)
    if event.res_outputs_event is not None:
        return _step("done", event.res_outputs_event.metadata)
    if event.res_op_failed_event is not None:
        return _step("failed", event.res_op_failed_event.metadata)
    if event.summary_event is not None:
        return Summary({_text(op): count for op, count in event.summary_event.resource_changes.items()})
    diagnostic = event.diagnostic_event
    if diagnostic is None or diagnostic.ephemeral or diagnostic.severity == "debug":
        return None
    text = _plain(diagnostic.message)
    if not text or _FROM_PATH.match(text):
        return None
    urn = diagnostic.urn or ""
    return ResourceEvent("message", urn, type_of(urn), name_of(urn), severity=diagnostic.severity, text=text)


def _step(kind: Literal["started", "done", "failed"], metadata: StepEventMetadata) -> ResourceEvent:
    return ResourceEvent(kind, metadata.urn, metadata.type, name_of(metadata.urn), op=_text(metadata.op))


def _text(op: str) -> str:
    return str(getattr(op, "value", op))


def _plain(message: str) -> str:
    """The message without the engine's colour marks such as `<{%reset%}>`."""
    return "".join(
        part.partition("%}>")[2] if index else part for index, part in enumerate(message.split("<{%"))
    ).strip()
