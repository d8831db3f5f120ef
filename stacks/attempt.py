"""One run of the engine on one stack, from the first try to its result or its error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from phases.errors import EngineError, UpdateStopped
from stacks import engine_errors
from stacks.forkserver import Forkserver
from stacks.supervision import Operation, Stopped
from stacks.updates import Update

if TYPE_CHECKING:
    from stacks.automation import EventSink, Program, StackCommands
    from stacks.engine import Engine
    from stacks.handle import StackHandle

_forkserver = Forkserver()


class Attempt:
    """An update, preview, refresh or destruction that is about to run.

    Attributes:
        operation: the supervised run.
    """

    def __init__(
        self,
        handle: StackHandle,
        engine: Engine,
        directory: Path,
        operation: Operation,
        *,
        verb: str,
        message: str,
        program: Program | None,
    ) -> None:
        self.operation = operation
        self._handle = handle
        self._engine = engine
        self._directory = directory
        self._verb = verb
        self._message = message
        self._program = program

    @property
    def found_no_stack(self) -> bool:
        """Whether it failed because the stack does not exist."""
        return engine_errors.no_such_stack(self.operation.finished)

    def run(
        self,
        work: Callable[[StackCommands, EventSink], None],
        *,
        create: bool,
        env: Mapping[str, str] | None = None,
    ) -> Update:
        """Runs it to its end.

        Args:
            work: what to do with the stack.
            create: whether a stack that does not exist is created.
            env: variables that go before those of the engine.

        Raises:
            EngineError: it failed, or it was stopped.
        """
        from stacks.automation import CommandError

        try:
            self.operation.supervise(self._work(work, create, env or {}), name=f"{self._verb} of {self._handle.name}")
        except (CommandError, Stopped):
            raised = self._failure()
            raise raised from (None if self._program is None else self._program.error)
        except BaseException:
            self._release()
            raise
        collector = self.operation.collector
        return Update(self._handle.name, self._message, collector.changes, self.operation.seconds, collector.resources)

    def _work(
        self, work: Callable[[StackCommands, EventSink], None], create: bool, env: Mapping[str, str]
    ) -> Callable[[], None]:
        from stacks.automation import OwnedCommand, StackCommands, StackNotFoundError

        environ = {**self._engine.environ, **_forkserver.environ, **env}
        command = OwnedCommand(self._engine.cli, environ, self.operation.run_cli)
        commands = StackCommands(self._handle.name, self._directory, command)

        def attempt() -> None:
            try:
                if create and self._handle.absent:
                    commands.create()  # and not first let the CLI find out what we know
                work(commands, self.operation.post)
            except StackNotFoundError:
                if not create:
                    raise
                commands.create()
                work(commands, self.operation.post)
            finally:
                if self._program is not None:
                    self._program.abandon()

        return attempt

    def _release(self) -> None:
        """Clears the lock that a CLI left which was killed while it held it."""
        operation = self.operation
        if not operation.killed or operation.disowned:
            return
        # It says that it has begun a moment after it has the lock.
        if operation.began or self._handle.locked_by(operation.pid):
            self._handle.cancel()

    def _failure(self) -> EngineError:
        self._release()
        if self.operation.interrupted is not None:
            timed_out = self.operation.interrupted == "deadline"
            why = "its time was over" if timed_out else "it was asked to stop"
            return UpdateStopped(
                f"The {self._verb} of stack {self._handle.name} was cancelled after {self.operation.seconds:.0f} s "
                f"because {why}. What it had done is recorded; its lock is released.",
                stack=self._handle.name,
                timed_out=timed_out,
            )
        return engine_errors.from_update(
            self.operation.finished,
            self.operation.collector,
            None if self._program is None else self._program.error,
            stack=self._handle.name,
            backend=self._engine.backend.url,
            verb=self._verb,
        )
