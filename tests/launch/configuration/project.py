"""A project in a directory of its own, and what `load` makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from launch.config import Config, load
from phases.errors import ConfigurationError
from stacks.updates import ConfigValue

TEMPLATE = Path(__file__).parents[2] / "data" / "launch-template.yaml"

ENVIRONMENT = """\
config:
  launch:platform: local
  launch:service:
    name: shop
  launch:database:
    url: sqlite:///shop.db
  launch:flags:
    - key: new_checkout
  launch:registry:
    aliases: [ecr]
"""


@dataclass(frozen=True, slots=True)
class Project:
    """The files of a project."""

    root: Path

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def launch(self, phases: str, head: str = "") -> None:
        """Write launch.yaml with these phases, the first of which is then on line 3 (and later with a head)."""
        lines = ["launch:", *(f"  {line}" for line in head.splitlines()), "  phases:"]
        self.write("launch.yaml", "\n".join([*lines, *(f"    {line}" for line in phases.splitlines())]) + "\n")

    def settings(self, *lines: str) -> None:
        """Write Pulumi.dev.yaml with these lines below `config`, the first of which is then on line 2."""
        self.write("Pulumi.dev.yaml", "config:\n" + "".join(f"  {line}\n" for line in lines))

    def load(
        self,
        environment: str = "dev",
        *,
        environ: Mapping[str, str] | None = None,
        values: Mapping[str, ConfigValue] | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Config:
        return load(environment, root=self.root, environ=environ or {}, config_values=values or {}, **options)

    def problems(self, environment: str = "dev", **options: Any) -> list[str]:  # noqa: ANN401
        with pytest.raises(ConfigurationError) as error:
            self.load(environment, **options)
        return str(error.value).splitlines()

    def problem(self, environment: str = "dev", **options: Any) -> str:  # noqa: ANN401
        (only,) = self.problems(environment, **options)
        return only
