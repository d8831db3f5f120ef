"""What `init` writes: a sequence from a scenario, and the files that a project needs beside it."""

from __future__ import annotations

import difflib
from importlib import resources
from pathlib import Path

from phases.errors import ConfigurationError

IGNORED = ".gitignore"
OWN = ".launch/"


def scenarios() -> tuple[str, ...]:
    """Return the names of the scenarios there are."""
    files = resources.files("launch") / "scenarios"
    return tuple(sorted(item.name.removesuffix(".yaml") for item in files.iterdir() if item.name.endswith(".yaml")))


def files(root: Path, scenario: str, platform: str) -> dict[Path, str]:
    """Return the content of each file to write.

    Raises:
        ConfigurationError: there is no such scenario or platform.
    """
    from components.platforms import PLATFORMS

    if scenario not in scenarios():
        near = difflib.get_close_matches(scenario, scenarios(), n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ConfigurationError(f"there is no scenario {scenario!r}{hint}; there are: {', '.join(scenarios())}")
    if platform not in PLATFORMS:
        raise ConfigurationError(f"there is no platform {platform!r}; there are: {', '.join(PLATFORMS)}")
    sequence = (resources.files("launch") / "scenarios" / f"{scenario}.yaml").read_text(encoding="utf-8")
    name = "".join(letter if letter.isalnum() else "-" for letter in root.name.lower()).strip("-") or "service"
    found = {
        root / "launch.yaml": sequence,
        root / "launch.schema.json": (resources.files("launch") / "launch.schema.json").read_text(encoding="utf-8"),
        root / "Pulumi.dev.yaml": _environment(platform, database=scenario == "standard"),
    }
    if not (root / "Pulumi.yaml").exists():
        found[root / "Pulumi.yaml"] = f"name: {name}\nruntime: python\n"
    if not (root / IGNORED).exists():
        found[root / IGNORED] = f"{OWN}\n"
    return found


def unignored(root: Path) -> bool:
    """Return whether a repository would take in what launch keeps here: state, and the key to its secrets."""
    path = root / IGNORED
    lines = path.read_text(encoding="utf-8", errors="replace").split() if path.exists() else []
    return not {OWN, OWN.rstrip("/"), f"/{OWN}", f"/{OWN.rstrip('/')}"} & set(lines)


_DATABASE = {
    "local": "  launch:database: { url: sqlite:///.launch/dev.db }\n",
    "kubernetes": "  # Alembic moves the schema from here with `scripts: DIRECTORY`; or a Job does.\n"
    '  launch:database: { url: "postgresql://shop@db.example.com/shop" }\n',
}


def _environment(platform: str, *, database: bool) -> str:
    text = (resources.files("launch") / "environments" / f"{platform}.yaml").read_text(encoding="utf-8")
    return text + (_DATABASE[platform] if database else "")


def next_steps(platform: str) -> str:
    """Return what to do with the files that were written."""
    if platform == "local":
        return "put an artifact at .launch/registry/NAME/TAG, then `python -m launch check dev --image NAME:TAG`"
    return "fill in Pulumi.dev.yaml, then `python -m launch check dev --image NAME:TAG` tells what is missing"
