"""The door to the Pulumi engine: updates, previews, checkpoints and history of single stacks.

All calls block, and calls for different stacks may run at the same time on different threads. Nothing of Pulumi is
imported before the first call that needs it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from phases.errors import EngineError
from stacks import backend as backends
from stacks import cli, directory_backend, engine_errors, salt, workdir
from stacks.capacity import Capacity, of_machine
from stacks.handle import StackHandle
from stacks.keys import Keys
from stacks.masking import Masker
from stacks.processes import CliRun, Finished
from stacks.state_file import NotReadable
from stacks.supervision import Grace
from stacks.updates import ConfigValue, HistoryEntry, ResourceChange, ResourceEvent, StackSettings, Update

__all__ = [
    "ConfigValue",
    "Engine",
    "Grace",
    "HistoryEntry",
    "ResourceChange",
    "ResourceEvent",
    "StackHandle",
    "StackSettings",
    "Update",
]

log = logging.getLogger(__name__)

_COMMAND_S = 120.0
"""How long a command that changes no resources may take, backend and all."""

_COLLECT_LATER = {"GOGC": "400", "GOMEMLIMIT": "768MiB"}
"""For the engine and its plugins, which are written in Go and live for seconds: a tenth of an update's CPU went into
collecting what ends with them anyway. From the limit on, memory counts more again. See
https://go.dev/doc/gc-guide; whoever has set one of the two knows better."""


class Engine:
    """The stacks of one project on one backend.

    Args:
        project: the project's name, under which the backend keeps the stacks.
        root: the project's directory, with its Pulumi.yaml; relative paths in programs start here.
        home: the private directory; `root/.launch` by default.
        backend: a backend URL that goes before PULUMI_BACKEND_URL and Pulumi.yaml.
        environ: the environment of the engine; that of this process by default.
        settings: how the stacks' secrets are encrypted, from the environment's Pulumi.ENV.yaml.
        grace: how patiently a running update is ended.
    """

    def __init__(
        self,
        *,
        project: str,
        root: Path,
        home: Path | None = None,
        backend: str | None = None,
        environ: Mapping[str, str] | None = None,
        settings: StackSettings | None = None,
        grace: Grace | None = None,
    ) -> None:
        self.project = project
        self.root = root.absolute()
        self.home = (home or self.root / ".launch").absolute()
        self.settings = settings or StackSettings()
        self.grace = grace or Grace()
        self.mask = Masker()
        self._given_environ = dict(os.environ if environ is None else environ)
        self._explicit_backend = backend
        self._handles: dict[str, StackHandle] = {}
        self._lock = threading.Lock()

    @cached_property
    def backend(self) -> backends.Backend:
        """Where the states live."""
        return backends.choose(self.root, self.home, explicit=self._explicit_backend, environ=self._given_environ)

    @cached_property
    def cli(self) -> cli.Cli:
        """The Pulumi CLI in use.

        Raises:
            EngineMissing: there is none.
        """
        return cli.find(self.root, environ=self._given_environ, cache=self.home / "cli-versions.json")

    @cached_property
    def turns(self) -> Capacity:
        """Whose turn it is to work, of all updates on this machine."""
        return of_machine(self._given_environ, "updates")

    @cached_property
    def _reads(self) -> Capacity:
        return of_machine(self._given_environ, "reads")

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment of every CLI process; made, with the passphrase, on first use."""
        with self._lock:
            return self._environ

    @cached_property
    def _environ(self) -> dict[str, str]:
        given = self._given_environ
        environ = {
            **({} if _COLLECT_LATER.keys() & given.keys() else _COLLECT_LATER),
            **given,
            "PULUMI_BACKEND_URL": self.backend.engine_url,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_SKIP_CONFIRMATIONS": "true",
            "PATH": os.pathsep.join(
                [str(Path(sys.executable).parent), str(self.cli.path.parent), given.get("PATH", os.defpath)]
            ),
        }
        environ.pop("PULUMI_STACK", None)  # each command names its stack
        directory = self.backend.directory
        if directory is not None:
            workdir.private_directory(directory)
            directory_backend.mend(directory, self.project)
            if not given.get("PULUMI_HOME"):
                environ["PULUMI_HOME"] = str(workdir.engine_home(self.home, given))
        if self._needs_passphrase(given):
            path, created = workdir.passphrase_file(self.home)
            environ["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(path)
            if created and directory is None:
                log.warning(
                    "The secrets of stacks on %s are encrypted with %s, which only this machine has: keep it, or set "
                    "PULUMI_CONFIG_PASSPHRASE or a secrets provider before the first launch",
                    self.backend.url,
                    path,
                )
        return environ

    def _needs_passphrase(self, given: Mapping[str, str]) -> bool:
        if "PULUMI_CONFIG_PASSPHRASE" in given or given.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
            return False
        provider = self.settings.secretsprovider
        return provider == "passphrase" or (not provider and not self.backend.is_cloud)

    @cached_property
    def settings_of_new(self) -> StackSettings:
        """How the secrets of a stack that is yet to be made are encrypted: in a directory of ours, with one salt."""
        theirs = self.settings.encryptionsalt or not self._needs_passphrase(self._given_environ)
        if theirs or self.backend.directory is None:
            return self.settings
        return replace(self.settings, encryptionsalt=salt.shared(self.home / "salt", self.keys))

    @cached_property
    def keys(self) -> Keys:
        """What opens the stacks' secrets without the CLI."""
        ours = self._needs_passphrase(self._given_environ)
        return Keys(self._passphrase, self.home / "keys" if ours else None)

    def _passphrase(self) -> str | None:
        """As the CLI finds it."""
        environ = self.environ
        given, path = environ.get("PULUMI_CONFIG_PASSPHRASE"), environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
        if given is not None or not path:
            return given
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError:
            return None

    def stack(self, name: str) -> StackHandle:
        """The handle of a stack, which need not exist yet."""
        with self._lock:
            return self._handles.setdefault(name, StackHandle(self, name))

    def stacks(self) -> tuple[str, ...]:
        """The names of the project's stacks on the backend, sorted."""
        with suppress(NotReadable):
            if self.backend.directory is not None:
                return directory_backend.names(self.backend.directory, self.project)
        directory = workdir.prepare(
            self.home / "work", project=self.project, root=self.root, stack="none", settings=StackSettings()
        )
        answer = self.command(["stack", "ls", "--json", "--project", self.project], directory, stack="(all)")
        return tuple(sorted(workdir.short_name(str(entry["name"])) for entry in json.loads(answer.stdout)))

    def config(self, environment: str) -> dict[str, ConfigValue]:
        """The values of the user's `Pulumi.ENVIRONMENT.yaml`, secrets decrypted, in memory only.

        The CLI runs only where the file has `secure:` values or imports ESC environments. From then on the engine
        masks the secret values in every message, also where a provider repeats one.

        Raises:
            ConfigurationError: the file cannot be read.
            EngineError: a secret cannot be decrypted.
        """
        from stacks.settings import read_config

        values = read_config(self, environment)
        for value in values.values():
            if value.secret:
                self.mask.learn(value.value)
        return values

    def command(
        self, args: list[str], directory: Path, *, stack: str, env: Mapping[str, str] | None = None
    ) -> Finished:
        """Runs a short CLI command that changes no resources.

        Raises:
            EngineError: it failed.
        """
        finished = self.run_cli(args, directory, env=env)
        if finished.code != 0:
            verb = " ".join(args[:2])
            raise engine_errors.from_command(finished, stack=stack, backend=self.backend.url, verb=verb)
        return finished

    def run_cli(self, args: list[str], directory: Path, *, env: Mapping[str, str] | None = None) -> Finished:
        """Runs a short CLI command and returns how it ended.

        Raises:
            EngineError: it did not end within two minutes, and was killed.
        """
        argv = [str(self.cli.path), "--non-interactive", *args]
        with self._reads.turn():
            run = CliRun(argv, cwd=directory, env={**self.environ, **(env or {})})
            finished = run.wait(limit=_COMMAND_S)
        if run.timed_out:
            raise EngineError(
                f"`pulumi {' '.join(args[:2])}` did not end within {_COMMAND_S:.0f} s and was killed. Check that the "
                f"backend {self.backend.url} answers, and try again."
            )
        return finished
