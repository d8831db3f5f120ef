"""Script directories: which revisions there are, and in which order."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from components.schema.errors import ScriptsError

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script, ScriptDirectory

BASE = "base"
_OWN_ENVIRONMENT = Path(__file__).parent / "environment"


def configuration(scripts: str | Path, *, own_environment: bool = False) -> Config:
    """Alembic's configuration for a script directory; needs no `alembic.ini`.

    A directory without `env.py` gets our own environment, and so does one whose own cannot be used.

    Raises:
        ScriptsError: no such directory, or it holds no `versions`.
    """
    from alembic.config import Config

    where = Path(scripts).resolve()
    versions = where / "versions"
    if not versions.is_dir():
        what = "has no folder `versions`" if where.is_dir() else "does not exist"
        raise ScriptsError(
            f"the script directory {where} {what}; it should hold versions/*.py as `alembic revision` writes them"
        )
    config = Config()
    location = _OWN_ENVIRONMENT if own_environment or not (where / "env.py").is_file() else where
    config.set_main_option("path_separator", "newline")  # so that a path may hold anything else
    config.set_main_option("script_location", _escaped(location))
    config.set_main_option("version_locations", _escaped(versions))
    return config


def directory(scripts: str | Path) -> ScriptDirectory:
    """Alembic's view of the script directory.

    Raises:
        ScriptsError: see `configuration`; or a revision file cannot be loaded.
    """
    return directory_of(configuration(scripts), scripts)


def directory_of(config: Config, scripts: str | Path) -> ScriptDirectory:
    """As `directory`, for a configuration that the caller has completed.

    Raises:
        ScriptsError: a revision file cannot be loaded.
    """
    from alembic.script import ScriptDirectory

    with _explained(scripts), _no_bytecode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # says before an error what the error says
        found = ScriptDirectory.from_config(config)
        found.get_bases()  # loads every revision, so that a broken one is found here
        return found


def head(scripts: str | Path) -> str:
    """The newest revision, or `base` where there is none.

    Raises:
        ScriptsError: the directory cannot be read, or has several heads.
    """
    heads = directory(scripts).get_heads()
    if len(heads) > 1:
        names = ", ".join(sorted(heads))
        raise ScriptsError(
            f"{scripts} has {len(heads)} heads ({names}): two migrations follow the same one, as happens "
            f"when two branches are merged. Make one that joins them: alembic merge -m 'join' "
            f"{' '.join(sorted(heads))}"
        )
    return heads[0] if heads else BASE


def resolve(scripts: str | Path, revision: str) -> str:
    """The full id of a revision given as an id, its beginning, a branch label, `head`, `head-1` or `base`.

    Raises:
        ScriptsError: no such revision, or more than one.
    """
    if revision == "head":
        return head(scripts)
    if revision == BASE:
        return BASE
    known = directory(scripts)
    with _explained(scripts):
        found = known.get_revision(revision)
    return found.revision


def knows(scripts: str | Path, revision: str | None) -> bool:
    """Whether the directory has this revision; every directory knows `base` and an empty database."""
    if revision is None or revision == BASE:
        return True
    return revision in all_revisions(scripts)


def all_revisions(scripts: str | Path) -> frozenset[str]:
    """Every revision there is, on every line.

    Raises:
        ScriptsError: the directory cannot be read.
    """
    return frozenset(script.revision for script in directory(scripts).walk_revisions())


def path_down(scripts: str | Path, revision: str | None) -> tuple[str, ...]:
    """The revision and all before it, newest first, without `base`.

    Raises:
        ScriptsError: the revision is not there.
    """
    if revision is None or revision == BASE:
        return ()
    known = directory(scripts)
    with _explained(scripts):
        return tuple(script.revision for script in known.iterate_revisions(revision, BASE))


def between(scripts: str | Path, lower: str | None, upper: str) -> tuple[Script, ...]:
    """The scripts after `lower` up to and with `upper`, oldest first.

    Raises:
        ScriptsError: one of them is not there, or they are not on one line.
    """
    known = directory(scripts)
    if upper == BASE:
        return ()
    with _explained(scripts):
        return tuple(reversed(list(known.iterate_revisions(upper, lower or BASE))))


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")  # the configuration interpolates %(name)s


@contextlib.contextmanager
def _no_bytecode() -> Iterator[None]:
    """Leaves the folder as it is: it belongs to an artifact with a digest."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


@contextlib.contextmanager
def _explained(scripts: str | Path) -> Iterator[None]:
    """Turns whatever Alembic, or a broken revision file, raises into one sentence."""
    from alembic.util import CommandError

    try:
        yield
    except ScriptsError:
        raise
    except CommandError as error:
        raise ScriptsError(f"{scripts}: {error}") from error
    except KeyError as error:  # Alembic's map of revisions has a hole
        raise ScriptsError(
            f"{scripts}: a migration follows revision {error}, which is not there; a release carries all migrations "
            "from the first one on"
        ) from error
    except Exception as error:
        raise ScriptsError(f"{scripts}: a revision cannot be loaded: {type(error).__name__}: {error}") from error
