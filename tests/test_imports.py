"""The direction of imports: `launch -> phases, stacks`; `stacks -> components, phases.events, phases.errors`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("launch", "phases", "stacks", "components")
ALLOWED = {
    "launch": ("launch", "phases", "stacks", "components"),
    "phases": ("phases",),
    "stacks": ("stacks", "components", "phases.events", "phases.errors"),
    "components": ("components",),
}
HEAVY = ("pulumi", "sqlalchemy", "alembic", "aiohttp", "openfeature", "sqlglot", "regopy", "rich", "psutil", "urllib3")


def modules() -> list[Path]:
    return sorted(path for name in OURS for path in (ROOT / name).rglob("*.py"))


def imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{path}: relative imports hide the direction"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        if name.split(".")[0] in OURS:
            allowed = ALLOWED[package]
            assert any(name == target or name.startswith(f"{target}.") for target in allowed), f"{path} imports {name}"


def test_phases_know_nothing_of_pulumi() -> None:
    for path in (ROOT / "phases").rglob("*.py"):
        assert not [name for name in imports(path) if name.split(".")[0].startswith("pulumi")], path


def test_one_module_is_the_door_to_the_automation_api() -> None:
    doors = [path for path in modules() if any(name.startswith("pulumi.automation") for name in imports(path))]
    assert [str(path.relative_to(ROOT)) for path in doors] == ["stacks/automation.py"]


def test_the_command_line_starts_without_heavy_imports() -> None:
    """What `--help` imports, followed from module to module, holds nothing that costs a user half a second."""
    waiting, seen = ["launch.__main__", "launch.edge", "launch.cli"], set[str]()
    while waiting:
        name = waiting.pop()
        path = ROOT / Path(*name.split("."))
        file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        if name in seen or not file.exists():
            continue
        seen.add(name)
        for imported in imports(file, top_level=True):
            assert not imported.startswith(HEAVY), f"{file} imports {imported}"
            waiting += [imported, imported.rpartition(".")[0]]
    assert {"launch.edge", "launch.cli", "phases.errors"} <= seen
