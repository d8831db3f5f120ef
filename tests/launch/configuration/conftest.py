"""The template as a project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.launch.configuration.project import ENVIRONMENT, TEMPLATE, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with the template of the documentation as its launch.yaml."""
    made = Project(tmp_path)
    made.write("Pulumi.yaml", "name: shop\nruntime: python\n")
    made.write("Pulumi.dev.yaml", ENVIRONMENT)
    made.write("launch.yaml", TEMPLATE.read_text(encoding="utf-8"))
    return made
