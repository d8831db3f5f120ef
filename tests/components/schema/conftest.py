"""Script directories for tests of what is read from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

WriteScripts = Callable[..., Path]


@pytest.fixture
def write_scripts(tmp_path: Path) -> WriteScripts:
    """Writes a script directory; each revision follows the one before it and has this source."""

    def write(sources: dict[str, str], *, name: str = "migrations") -> Path:
        versions = tmp_path / name / "versions"
        versions.mkdir(parents=True, exist_ok=True)
        before: str | None = None
        for revision, source in sources.items():
            head = f"revision = {revision!r}\ndown_revision = {before!r}\n\n\n"
            (versions / f"{revision}_step.py").write_text(head + source, encoding="utf-8")
            before = revision
        return versions.parent

    return write
