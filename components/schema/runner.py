"""The one place that runs Alembic.

Alembic keeps the running environment in module-level proxies (`alembic.op`, `alembic.context`), so one
migration at a time runs in a process; and it executes files of the team, so what they may leave behind is
undone afterwards.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url

from components.schema import connections
from components.schema import scripts as script_files
from components.schema.environments import literal_options
from components.schema.errors import MigrationCancelled, SchemaError
from components.schema.interrupt import Interrupter
from components.schema.urls import SQLITE, masked, parse

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep

_log = logging.getLogger(__name__)
_one_at_a_time = threading.RLock()

Plan = Callable[[ScriptDirectory, tuple[str, ...]], "list[RevisionStep]"]
"""From the scripts and the recorded heads to the steps that are to be run."""


@dataclasses.dataclass
class Progress:
    """How far a run came, for whoever has to explain its failure.

    Attributes:
        done: revisions whose migrations have been committed, in the order they ran.
        running: the revision whose migration is running, or ran when the failure came.
        heads: what the database had recorded before the first step.
        cancelled: somebody asked to stop before it was over.
    """

    done: list[str] = dataclasses.field(default_factory=list)
    running: str | None = None
    heads: tuple[str, ...] = ()
    cancelled: bool = False


def read_heads(url: str, scripts: str | Path) -> tuple[str, ...]:
    """The revisions that the database has recorded; changes nothing, and creates no file.

    Raises:
        SchemaError: the database cannot be reached. Whatever `env.py` raises comes through as it is.
    """
    progress = Progress()
    run(url, scripts, lambda _scripts, _heads: [], progress, writes=False)
    return progress.heads


def run(
    url: str,
    scripts: str | Path,
    plan: Plan,
    progress: Progress,
    *,
    writes: bool = True,
    watch: Callable[[str], None] | None = None,
    cancelled: threading.Event | None = None,
    lock_timeout: float = connections.LOCK_TIMEOUT_SECONDS,
) -> None:
    """Runs the environment with a plan; each step is a transaction of its own and is recorded in it.

    Args:
        url: the database.
        scripts: the script directory.
        plan: what to run.
        progress: told how far it came.
        writes: False where the plan is only to look.
        watch: is given the text of each statement that is sent.
        cancelled: ends the running statement, and with it the run, once it is set.
        lock_timeout: seconds to wait for any lock.

    Raises:
        ScriptsError: the script directory is no good.
        SchemaError: the environment connected to another database than `url`.
        Exception: whatever a migration, `env.py` or the database raises, for the caller to explain.
    """
    interrupter = Interrupter(cancelled)
    configure = functools.partial(
        _configure, url=url, writes=writes, watch=watch, interrupter=interrupter, lock_timeout=lock_timeout
    )
    options: dict[str, Any] = {} if writes else {"dont_mutate": True}

    def attempt(own: dict[str, str | None] | None) -> None:
        with _environment(scripts, _for_environment(url), own_environment=own is not None) as (config, directory):
            config.attributes["engine"] = connections.engine(url, lock_timeout=lock_timeout)
            config.attributes["options"] = own or {}
            steps = _steps(plan, directory, progress, interrupter)
            environment = EnvironmentContext(config, directory, fn=steps, **options)
            # Alembic finds the proxies of an environment by its exact class, so no subclass can do this.
            environment.configure = functools.partial(  # type: ignore[method-assign]
                configure, environment.configure
            )
            with environment, interrupter.watching():
                directory.run_env()

    try:
        try:
            attempt(None)
        except ModuleNotFoundError as error:
            own = literal_options(Path(scripts) / "env.py")
            if progress.running is not None or progress.done or own is None:
                raise
            _log.warning("%s/env.py cannot be used (%s); the migrations run without it", scripts, error)
            attempt(own)
    finally:
        progress.cancelled = interrupter.is_set


def write(
    dialect: str,
    scripts: str | Path,
    start: str | None,
    target: str,
    progress: Progress,
    sink: Callable[[str], None],
) -> None:
    """Runs the environment in Alembic's offline mode, which writes SQL and connects to nothing.

    Args:
        dialect: `sqlite` or `postgresql`.
        scripts: the script directory.
        start: where the database is said to be, None for nowhere.
        target: where to go.
        progress: told how far it came.
        sink: is given each statement.

    Raises:
        ScriptsError: the script directory is no good.
        Exception: whatever a migration or `env.py` raises where there is no connection.
    """
    from components.schema.steps import plan

    with _environment(scripts, parse(f"{dialect}://").render_as_string()) as (config, directory):
        config.attributes["dialect"] = dialect
        config.output_buffer = _Sink(sink)
        steps = _steps(plan(target, "up"), directory, progress, Interrupter(None))
        with EnvironmentContext(config, directory, fn=steps, as_sql=True, starting_rev=start, destination_rev=target):
            directory.run_env()


class _Sink(io.StringIO):
    """Where Alembic writes: one statement a call."""

    def __init__(self, sink: Callable[[str], None]) -> None:
        super().__init__()
        self._sink = sink

    def write(self, text: str) -> int:
        self._sink(text)
        return len(text)


def _steps(
    plan: Plan, directory: ScriptDirectory, progress: Progress, interrupter: Interrupter
) -> Callable[[tuple[str, ...], MigrationContext], Iterator[MigrationStep]]:
    def steps(heads: tuple[str, ...] | str | None, _context: MigrationContext) -> Iterator[MigrationStep]:
        # In offline mode Alembic hands over what it was told, in whatever form.
        progress.heads = (heads,) if isinstance(heads, str) else tuple(heads or ())
        for step in plan(directory, progress.heads):
            progress.running = step.revision.revision
            if interrupter.is_set:
                raise MigrationCancelled("the launch was cancelled before this migration")
            yield step
            # Alembic asks for the next step after it has committed this one.
            progress.done.append(progress.running)
            progress.running = None

    return steps


@contextlib.contextmanager
def _environment(
    scripts: str | Path, url: str, *, own_environment: bool = False
) -> Iterator[tuple[Config, ScriptDirectory]]:
    with _one_at_a_time, _guest(Path(scripts).resolve()):
        config = script_files.configuration(scripts, own_environment=own_environment)
        config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        yield config, script_files.directory_of(config, scripts)


def _configure(
    configure: Callable[..., None],
    connection: Connection | None = None,
    *args: Any,  # noqa: ANN401 - Alembic's
    url: str,
    writes: bool,
    watch: Callable[[str], None] | None,
    interrupter: Interrupter,
    lock_timeout: float,
    **options: Any,  # noqa: ANN401 - Alembic's
) -> None:
    """What `context.configure(...)` in `env.py`, ours or a team's, calls: a say in how it connects."""
    if connection is not None:
        connections.prepare(connection, writes=writes, lock_timeout=lock_timeout)
        _same_database(connection, url)
        interrupter.attach(connection)
        # Both may be overruled by a team that knows better.
        options.setdefault("transactional_ddl", True)
        options.setdefault("transaction_per_migration", True)
        if writes and connection.dialect.name == SQLITE:
            options["on_version_apply"] = _with_check(options.get("on_version_apply"), connection)
        if watch is not None:
            _watch(connection, watch)
    configure(connection, *args, **options)


_NAMED = re.compile(r"%\((\w+)\)s")


def _watch(connection: Connection, watch: Callable[[str], None]) -> None:
    """Hands every statement over before it is sent, with the names of its parameters and not their values."""
    doubled = connection.dialect.paramstyle in {"pyformat", "format"}

    def sent(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        watch(_NAMED.sub(r":\1", statement).replace("%%", "%") if doubled else statement)

    event.listen(connection, "before_cursor_execute", sent)


def _with_check(theirs: Any, connection: Connection) -> tuple[Any, ...]:  # noqa: ANN401 - one or several
    """Adds the check that belongs to switching foreign keys off, inside each step's transaction."""
    before = connections.violations(connection)
    connection.rollback()

    def check(**_info: object) -> None:
        found = connections.violations(connection) - before
        if found:
            tables = ", ".join(sorted({f"{row[0]} -> {row[2]}" for row in found}))
            raise SchemaError(f"the migration leaves {len(found)} rows whose foreign key leads nowhere ({tables})")

    if theirs is None:
        return (check,)
    return (*(theirs if isinstance(theirs, (tuple, list)) else (theirs,)), check)


def _same_database(connection: Connection, url: str) -> None:
    """Refuses an `env.py` with a URL from elsewhere: it would migrate the real database in a rehearsal.

    Raises:
        SchemaError: the connection leads to another database.
    """
    wanted, found = parse(url), connection.engine.url
    if wanted.get_backend_name() == SQLITE:
        same = Path(wanted.database or "").resolve() == Path(found.database or "").resolve()
    else:
        same = wanted.database == found.database and (wanted.host, wanted.port or 5432) == (
            found.host,
            found.port or 5432,
        )
    if not same or connection.dialect.name != wanted.get_backend_name():
        raise SchemaError(
            f"env.py connected to {found.render_as_string(hide_password=True)} where {masked(url)} was "
            "asked for; "
            'let it read the URL with context.config.get_main_option("sqlalchemy.url")'
        )


def _for_environment(url: str) -> str:
    """The URL for `env.py`: with the team's driver where they name one, else with the driver we have."""
    given = make_url(url)
    chosen = given if "+" in given.drivername else parse(url)
    return chosen.render_as_string(hide_password=False)


@contextlib.contextmanager
def _guest(scripts: Path) -> Iterator[None]:
    """Lets a team's `env.py` and revisions run as they do with `alembic` on the command line, and cleans up.

    - The folder beside the scripts is importable, as with `prepend_sys_path = .`, but last: other threads of
      this process import meanwhile. What was imported from there is forgotten, since another release may bring
      another version of it.
    - No bytecode is written: the scripts belong to an artifact with a digest.
    - `fileConfig` does nothing: it would replace the logging of this process.
    """
    import logging.config as logging_config

    root = str(scripts.parent)
    before, bytecode, file_config = set(sys.modules), sys.dont_write_bytecode, logging_config.fileConfig
    sys.path.append(root)
    sys.dont_write_bytecode = True
    logging_config.fileConfig = lambda *_args, **_options: None
    try:
        yield
    finally:
        logging_config.fileConfig = file_config
        sys.dont_write_bytecode = bytecode
        _remove_last(sys.path, root)
        # Where we lie below that folder ourselves, our own modules could not be told from the team's.
        if not Path(__file__).resolve().is_relative_to(scripts.parent):
            for name in set(sys.modules) - before:
                if _comes_from(sys.modules.get(name), scripts.parent):
                    sys.modules.pop(name, None)


def _remove_last(paths: list[str], path: str) -> None:
    for at in range(len(paths) - 1, -1, -1):
        if paths[at] == path:
            del paths[at]
            return


def _comes_from(module: object, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and Path(file).is_relative_to(folder) and "site-packages" not in Path(file).parts
