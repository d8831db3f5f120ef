"""One stack: what a launch asks of it."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from phases.errors import EngineError
from stacks import engine_errors, workdir
from stacks.attempt import Attempt
from stacks.processes import OrphanGuard
from stacks.runs import RunRecord
from stacks.stack_reader import StackReader
from stacks.supervision import Operation
from stacks.updates import ResourceEvent, Update

if TYPE_CHECKING:
    from stacks.automation import EventSink, Program, StackCommands
    from stacks.engine import Engine

_orphans = OrphanGuard()

_AT_END = {"PULUMI_SKIP_CHECKPOINTS": "true"}


class StackHandle(StackReader):
    """One stack; its methods create it where it is needed and does not exist.

    Attributes:
        name: the stack's name.
        records_at_end: its updates record what they did once, at their end, and not after every resource, which takes
            time with the square of their number. An engine that is killed then leaves a record that knows of nothing,
            so this is for updates only that create no resource: what was changed can be read again (`settle`).
    """

    def __init__(self, engine: Engine, name: str) -> None:
        super().__init__(engine, name)
        self.records_at_end = False
        self._certain = True

    @property
    def _record(self) -> RunRecord:
        return RunRecord(self._directory)

    def update(
        self,
        program: Callable[[], Any],
        *,
        message: str,
        deadline: float | None = None,
        stop: threading.Event | None = None,
        on_event: Callable[[ResourceEvent], None] | None = None,
        urgent: bool = False,
    ) -> Update:
        """Makes the stack's resources what the program registers, creating the stack if need be.

        Args:
            program: an inline program, a function or a coroutine function, run on another thread. One that waits
                should be a coroutine: it is cancelled when the update ends without it.
            message: what the history shows.
            deadline: seconds from now after which the update is cancelled.
            stop: cancels the update when set.
            on_event: called with each event on the calling thread. If it raises, it is not called again, the update
                goes on to its end, and then the exception is raised.
            urgent: it goes back, and so before all updates on this machine that go forward and wait for their turn.

        Returns:
            What was done; also where the update was complete before a deadline or a stop could cancel it.

        Raises:
            UpdateFailed: a resource or the program failed; the program's exception is the cause.
            UpdateConflict: another update holds the stack's lock.
            UpdateStopped: the update was cancelled; its lock has been released.
            EngineError: the engine could not work.
        """
        from stacks.automation import Program

        inline = Program(program)

        def work(commands: StackCommands, sink: EventSink) -> None:
            commands.up(inline, message, sink)

        self.settle(message=message, deadline=deadline, stop=stop)
        attempt = self._attempt("update", message, deadline, stop, on_event, program=inline, urgent=urgent)
        try:
            return attempt.run(work, create=True, env=_AT_END if self.records_at_end else None)
        finally:
            self._certain = not attempt.operation.killed

    def preview(
        self,
        program: Callable[[], Any],
        *,
        deadline: float | None = None,
        stop: threading.Event | None = None,
        on_event: Callable[[ResourceEvent], None] | None = None,
    ) -> Update:
        """What an update with this program would do; nothing is changed, not even where the stack does not exist.

        A stack that does not exist is previewed on a throw-away backend, so references to other stacks cannot be
        resolved in that preview.

        Raises:
            UpdateFailed: a resource or the program failed.
            UpdateStopped: it was cancelled.
            EngineError: the engine could not work.
        """
        from stacks.automation import Program

        inline = Program(program)

        def work(commands: StackCommands, sink: EventSink) -> None:
            commands.preview(inline, sink)

        if not self.absent:
            attempt = self._attempt("preview", "", deadline, stop, on_event, program=inline)
            try:
                return attempt.run(work, create=False)
            except EngineError:
                if not attempt.found_no_stack:
                    raise
        with tempfile.TemporaryDirectory(prefix="launch-preview-") as scratch:
            attempt = self._attempt("preview", "", deadline, stop, on_event, program=inline)
            return attempt.run(work, create=True, env={"PULUMI_BACKEND_URL": f"file://{scratch}"})

    def refresh(
        self,
        *,
        message: str = "refresh",
        deadline: float | None = None,
        stop: threading.Event | None = None,
        on_event: Callable[[ResourceEvent], None] | None = None,
    ) -> Update:
        """Reads what the world is like into the stack's state; nothing to do for a stack that does not exist.

        Raises:
            UpdateFailed: a resource could not be read.
            UpdateConflict: another update holds the stack's lock.
            UpdateStopped: it was cancelled.
            EngineError: the engine could not work.
        """

        def work(commands: StackCommands, sink: EventSink) -> None:
            commands.refresh(message, sink)

        return self._run_existing(work, message, "refresh", deadline, stop, on_event)

    @property
    def doubtful(self) -> bool:
        """Whether an update may have been killed before it recorded a change, and nothing in the record tells."""
        return self.records_at_end and not self._certain

    def settle(self, *, message: str, deadline: float | None = None, stop: threading.Event | None = None) -> None:
        """Makes the record true where it is in doubt, by reading the world; every update does this first.

        Where an update was killed while it changed something, the record still has what was before. To an update that
        goes back to just that, the engine would find nothing to do.

        Raises:
            EngineError: the world could not be read.
        """
        if self._certain:
            return
        if self.records_at_end or self._interrupted():
            self.refresh(message=f"{message} (look first)", deadline=deadline, stop=stop)
        self._certain = True

    def _interrupted(self) -> bool:
        """Whether the record tells of a change that may have been made; what was being created it does not hold."""
        pending = (self.checkpoint() or {}).get("pending_operations") or ()
        return any(operation["type"] != "creating" for operation in pending)

    def destroy(
        self,
        *,
        message: str,
        deadline: float | None = None,
        stop: threading.Event | None = None,
        on_event: Callable[[ResourceEvent], None] | None = None,
    ) -> Update:
        """Deletes the stack's resources and keeps its history; nothing to do for a stack that does not exist.

        Raises:
            UpdateFailed: a resource could not be deleted.
            UpdateConflict: another update holds the stack's lock.
            UpdateStopped: it was cancelled.
            EngineError: the engine could not work.
        """

        def work(commands: StackCommands, sink: EventSink) -> None:
            commands.destroy(message, sink)

        return self._run_existing(work, message, "destroy", deadline, stop, on_event)

    def remove(self) -> None:
        """Removes the stack, which must hold no resources, with its history and its private settings.

        Raises:
            EngineError: it still holds resources.
        """
        if not self.absent:
            finished = self._engine.run_cli(["stack", "rm", "--yes", "--stack", self.name], self._prepare())
            if finished.code != 0 and not engine_errors.no_such_stack(finished):
                raise engine_errors.from_command(
                    finished, stack=self.name, backend=self._engine.backend.url, verb="removal"
                )
        workdir.remove(self._directory)

    def cancel(self) -> None:
        """Clears the lock that a dead process left; nothing happens where there is none.

        A CLI that is still running on this machine though its owner is dead is ended first.

        Raises:
            UpdateConflict: the owner of the running update is alive on this machine.
            EngineError: the lock could not be cleared.
        """
        directory = self._prepare()
        self._certain = False
        self._record.end_orphans(self.name)
        if self.locks() == frozenset():
            return  # the CLI would need half a second of a core to find out the same
        finished = self._engine.run_cli(["cancel", "--yes", "--stack", self.name], directory)
        if finished.code != 0 and not engine_errors.no_such_stack(finished):
            raise engine_errors.from_command(finished, stack=self.name, backend=self._engine.backend.url, verb="cancel")

    def reword(self, *, old: str, new: str) -> bool:
        """Changes the message of the newest update with the message `old`, where the backend is a directory.

        Returns:
            Whether there was such an update.
        """
        return self._files is not None and self._files.reword(old=old, new=new)

    def _attempt(
        self,
        verb: str,
        message: str,
        deadline: float | None,
        stop: threading.Event | None,
        on_event: Callable[[ResourceEvent], None] | None,
        *,
        program: Program | None = None,
        urgent: bool = False,
    ) -> Attempt:
        operation = Operation(
            deadline=deadline,
            stop=stop,
            grace=self._engine.grace,
            orphans=_orphans,
            on_event=on_event,
            record=None if verb == "preview" else self._record,  # a preview holds no lock
            mask=self._engine.mask,
            turns=self._engine.turns,
            urgent=urgent,
        )
        return Attempt(self, self._engine, self._prepare(), operation, verb=verb, message=message, program=program)

    def _run_existing(
        self,
        work: Callable[[StackCommands, EventSink], None],
        message: str,
        verb: str,
        deadline: float | None,
        stop: threading.Event | None,
        on_event: Callable[[ResourceEvent], None] | None,
    ) -> Update:
        if self.absent:
            return Update(self.name, message, {}, 0.0, ())
        attempt = self._attempt(verb, message, deadline, stop, on_event)
        try:
            return attempt.run(work, create=False)
        except EngineError:
            if attempt.found_no_stack:
                return Update(self.name, message, {}, attempt.operation.seconds, ())
            raise
