"""Defaults that depend on where the project is."""

from __future__ import annotations

from pathlib import Path

from launch.config import load_environment


def test_the_registry_nobody_named_is_the_projects_own(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    assert load_environment("dev", root=tmp_path).settings.registry.path == tmp_path / ".launch" / "registry"
