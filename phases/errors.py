"""Every expected failure of a launch, in one short tree, so that the exit codes stay meaningful.

An outcome is a value (a gate that failed, a phase that was rolled back); an error here says that something could
not do its job. Each message says what happened, why, and what to do next. Subclasses exist only where a caller acts
differently.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_COMPLETED = 0
EXIT_ROLLED_BACK = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_BUSY = 4
EXIT_INTERRUPTED = 130


class LaunchError(Exception):
    """Something expected went wrong; `str()` is the sentence for the user."""

    exit_code: ClassVar[int] = EXIT_ROLLED_BACK


class ConfigurationError(LaunchError):
    """A file, a variable or an argument is wrong; nothing has been changed."""

    exit_code = EXIT_USAGE


class EnvironmentBusy(LaunchError):
    """Another launch owns the environment.

    Attributes:
        launch: the id of the launch that owns it, where it is known.
    """

    exit_code = EXIT_BUSY

    def __init__(self, message: str, *, launch: str | None = None) -> None:
        super().__init__(message)
        self.launch = launch


class NotUndoable(LaunchError):
    """What a launch would change could not be put back; found before the launch starts.

    Attributes:
        problems: one sentence for each resource, with the reason.
    """

    exit_code = EXIT_USAGE

    def __init__(self, message: str, *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class EngineError(LaunchError):
    """The Pulumi engine could not do its job."""


class EngineMissing(EngineError):
    """No usable Pulumi CLI was found; the message says how to get one."""

    exit_code = EXIT_USAGE


class UpdateFailed(EngineError):
    """An update failed.

    Attributes:
        stack: the stack that was updated.
        failures: `(resource name or URN, reason)` of each resource that failed; may be empty where the failure has
            no resource.
    """

    def __init__(self, message: str, *, stack: str, failures: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.stack = stack
        self.failures = failures


class UpdateConflict(EngineError):
    """Another update holds the stack's lock."""

    exit_code = EXIT_BUSY

    def __init__(self, message: str, *, stack: str) -> None:
        super().__init__(message)
        self.stack = stack


class UpdateStopped(EngineError):
    """An update was cancelled because its deadline passed or somebody asked for it.

    The stack's lock has been released when this is raised.

    Attributes:
        stack: the stack that was updated.
        timed_out: True at a deadline, False where a stop was asked for.
    """

    def __init__(self, message: str, *, stack: str, timed_out: bool) -> None:
        super().__init__(message)
        self.stack = stack
        self.timed_out = timed_out
