"""OpenFeature providers for one check: made by import path, waited for, and shut down again."""

from __future__ import annotations

import importlib
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openfeature.client import OpenFeatureClient
    from openfeature.provider import FeatureProvider

DEFAULT = "openfeature"
"""flagd's resolver; with no settings of its own, on the file that the platform writes."""
_FILE_POLL_MS = 100
"""How soon the file resolver's thread ends after the check: it only looks between two sleeps."""


class NotReady(Exception):
    """A provider could not be made or did not become ready; `str()` says why."""


def locate(path: str) -> type[FeatureProvider]:
    """Return the provider class at `package.module:Class`.

    Raises:
        ValueError: there is no such module or class; the message says which.
    """
    name, _, attribute = path.partition(":")
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise ValueError(f"the provider {path!r} cannot be imported: {error}") from error
    found = getattr(module, attribute, None)
    if not isinstance(found, type):
        raise ValueError(f"the provider {path!r} cannot be imported: {name} has no class {attribute!r}")  # noqa: TRY004
    return found


def create(path: str, settings: Mapping[str, Any], *, source: str | None) -> FeatureProvider:
    """Return a new provider.

    Args:
        path: `openfeature` for flagd's, or `package.module:Class`.
        settings: keyword arguments of the class. For flagd's, `resolver_type` may be written as in its environment
            variable: `rpc`, `in-process` or `file`.
        source: path of flagd's file, for the default without settings.

    Raises:
        NotReady: the class refuses the settings, or there is no file to read.
        ValueError: the class cannot be imported.
    """
    if path == DEFAULT:
        return _flagd(settings, source)
    kind = locate(path)
    try:
        return kind(**settings)
    except Exception as error:
        raise NotReady(f"{path} refused its provider_config: {error}") from error


def _flagd(settings: Mapping[str, Any], source: str | None) -> FeatureProvider:
    from openfeature.contrib.provider.flagd import FlagdProvider
    from openfeature.contrib.provider.flagd.config import ResolverType

    arguments = dict(settings)
    if not arguments:
        if source is None:
            raise NotReady("this platform names no flag file, and the gate has no provider_config")
        _readable(source)
        arguments = {"resolver_type": "file", "offline_flag_source_path": source, "deadline_ms": _FILE_POLL_MS}
    try:
        if isinstance(arguments.get("resolver_type"), str):
            arguments["resolver_type"] = ResolverType(arguments["resolver_type"])
        return FlagdProvider(**arguments)
    except (TypeError, ValueError) as error:
        raise NotReady(f"flagd's provider refused its provider_config: {error}") from error


def _readable(source: str) -> None:
    """Look before the resolver does: its thread would go on complaining about a bad file in the program's log."""
    try:
        json.loads(Path(source).read_bytes())
    except OSError as error:
        raise NotReady(f"the flag file {source} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise NotReady(f"the flag file {source} is no JSON: {error}") from error


@contextmanager
def client(provider: FeatureProvider) -> Iterator[OpenFeatureClient]:
    """Give a client of `provider` once that is ready, and shut it down afterwards.

    The provider gets a domain of its own, so that checks beside each other, and a program that uses OpenFeature in
    the same process, do not disturb each other.

    Raises:
        NotReady: it did not become ready.
    """
    from openfeature import api

    domain = f"launch-{uuid.uuid4()}"
    try:
        try:
            api.set_provider_and_wait(provider, domain)
        except Exception as error:
            raise NotReady(_root(error)) from error
        yield api.get_client(domain)
    finally:
        # The SDK cannot forget a domain; putting a provider without effect there shuts down the one before.
        api.set_provider(_nothing(), domain)


@cache
def _nothing() -> FeatureProvider:
    from openfeature.provider.no_op_provider import NoOpProvider

    return NoOpProvider()


def _root(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return getattr(error, "error_message", None) or str(error) or type(error).__name__
