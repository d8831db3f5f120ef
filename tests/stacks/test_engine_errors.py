"""Each known failure of the engine is one sentence that says what to do next."""

from __future__ import annotations

import pytest

from phases.errors import EngineError, UpdateConflict, UpdateFailed
from stacks import engine_errors
from stacks.engine_events import Collector
from stacks.processes import Finished
from stacks.updates import ResourceEvent

LOCKED = """error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or \
delete the lock file with `pulumi cancel`.
  file:///state/.pulumi/locks/organization/shop/dev/47ad.json: created by ana@build-7 (pid 22856) at \
2026-11-23T09:14:24Z
"""


def failed(stderr: str = "", stdout: str = "", code: int = 255) -> EngineError:
    finished = Finished(code, stdout, stderr)
    return engine_errors.from_command(finished, stack="dev", backend="s3://launches", verb="update")


def test_a_lock_names_its_holder() -> None:
    error = failed(LOCKED)

    assert isinstance(error, UpdateConflict)
    assert "by ana@build-7 (process 22856) since 2026-11-23T09:14:24Z" in str(error)


def test_a_conflict_on_pulumi_cloud_is_the_same_error() -> None:
    assert isinstance(failed("error: [409] Conflict: Another update is currently in progress."), UpdateConflict)


@pytest.mark.parametrize(
    ("stderr", "sentence"),
    [
        ("error: getting secrets manager: incorrect passphrase", "passphrase does not open the secrets of stack dev"),
        (
            "error: constructing secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE",
            "need a passphrase and none was given",
        ),
        ("error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions", "wants a login"),
        (
            'error: read ".pulumi/meta.yaml": operation error S3: dial tcp 127.0.0.1:9: connect: connection refused',
            "s3://launches cannot be used: read",
        ),
        ("error: 'dev' still has resources; removal rejected. Possible actions:", "still holds resources"),
        ("error: no resource plugin 'pulumi-resource-aws' found in the workspace", "plugin pulumi-resource-aws is not"),
        ("error: could not find latest version for provider aws: Get ...", "plugin pulumi-resource-aws is not"),
    ],
)
def test_a_known_failure_says_what_to_do(stderr: str, sentence: str) -> None:
    message = str(failed(stderr))

    assert sentence in message
    assert "\n" not in message


def test_an_unknown_failure_quotes_the_line_that_says_why() -> None:
    error = failed("warning: something else\n\x1b[31merror: the moon is in the wrong place\x1b[0m\nmore\n")

    assert str(error) == "The update of stack dev failed: the moon is in the wrong place."


@pytest.mark.parametrize(("code", "words"), [(-9, "ended by signal 9"), (3, "exit code 3 and no reason")])
def test_a_silent_end_is_called_so(code: int, words: str) -> None:
    assert words in str(failed(code=code))


@pytest.mark.parametrize(
    "stderr", ["error: no stack named 'dev' found", "error: [404] Not found: Stack 'ana/shop/dev' not found"]
)
def test_a_missing_stack_is_recognized(stderr: str) -> None:
    assert engine_errors.no_such_stack(Finished(6, "", stderr))
    assert not engine_errors.no_such_stack(Finished(0, "", stderr))
    assert not engine_errors.no_such_stack(None)


def test_a_resource_is_a_better_reason_than_the_exit_code() -> None:
    collector = Collector()
    urn = "urn:pulumi:dev::shop::launch:local:Router::router"
    collector.add(
        ResourceEvent("message", urn, "launch:local:Router", "router", severity="error", text="port 80\n  is taken")
    )
    collector.add(ResourceEvent("failed", urn, "launch:local:Router", "router", op="create"))

    error = engine_errors.from_update(
        Finished(255, "", "error: update failed"), collector, None, stack="dev", backend="file:///state"
    )

    assert isinstance(error, UpdateFailed)
    assert str(error) == "The update of stack dev failed at launch:local:Router 'router' (create): port 80 is taken"
    assert error.failures == (("router", "port 80 is taken"),)


def test_an_exception_of_the_program_is_a_better_reason_than_its_log() -> None:
    def program() -> None:
        raise LookupError("no such slot")

    with pytest.raises(LookupError) as caught:
        program()
    error = engine_errors.from_update(None, Collector(), caught.value, stack="dev", backend="file:///state")

    assert "LookupError: no such slot" in str(error)
    assert "test_engine_errors.py:" in str(error)


def test_a_service_that_died_is_quoted_with_what_it_died_of() -> None:
    """Its log goes with its slot, so that this is all that is left of it."""
    collector = Collector()
    text = (
        "1 error occurred:\n\t* slot shop-blue is not ready: it exited with code 1; the last lines of output.log:\n"
        "  starting\n  Traceback (most recent call last):\n"
        '    File "/shop/1.0/server.py", line 123, in main\n      os.environ["DATABASE_URL"]\n      ~~~~~~~~~~^^^\n'
        "    File \"<frozen os>\", line 679, in __getitem__\n  KeyError: 'DATABASE_URL'\n\n"
    )
    collector.add(ResourceEvent("message", "", "", "", severity="error", text=text))

    error = engine_errors.from_update(
        Finished(255, "", "error: update failed"), collector, None, stack="dev", backend="file:///state"
    )

    assert str(error).endswith("output.log: starting KeyError: 'DATABASE_URL' (/shop/1.0/server.py:123)")


def test_a_traceback_is_reduced_to_its_last_line_and_place() -> None:
    collector = Collector()
    text = (
        "python inline source runtime error: division by zero\nTraceback (most recent call last):\n"
        '  File "/x/site-packages/pulumi/output.py", line 312, in run\n    transformed = func(value)\n'
        '  File "/shop/program.py", line 17, in <lambda>\n    1 // 0\nZeroDivisionError: division by zero\n'
    )
    for frame in ("", "an unhandled error occurred: "):
        collector.add(ResourceEvent("message", "", "", "", severity="error", text=frame + text))

    error = engine_errors.from_update(
        Finished(255, "", "error: update failed"), collector, None, stack="dev", backend="file:///state"
    )

    assert str(error) == "The update of stack dev failed: ZeroDivisionError: division by zero (/shop/program.py:17)"
