"""Makes a checkout ready to run: `.venv` with everything installed, and the Pulumi CLI where `launch` finds it.

`make setup` runs it; the second time it finds its own stamp and ends at once. Standard library only, and syntax that
an old Python can read, so that it can say what is missing.

The Pulumi CLI is taken from where it is installed already, else from Pulumi's own installer, else built from Go
modules (`tools/pulumi-cli`), which takes about five minutes. As root in CI (`CI=true`), and only there, a missing
Debian package (python3-venv, golang-go) is installed; elsewhere the command to type is printed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from steps import ROOT, TOOLS, SetupError, Steps, go_environ, run

VENV = ROOT / ".venv"
STAMP = TOOLS / "setup.json"
INPUTS = (
    "requirements.lock",
    "pyproject.toml",
    "tools/setup.py",
    "tools/steps.py",
    "tools/pulumi-cli/go.mod",
    "tools/pulumi-cli/go.sum",
)

MINIMUM_PYTHON = (3, 11)
PULUMI_VERSION = "3.259.0"
INSTALLER = "https://get.pulumi.com"
INSTALLER_CONNECT_SECONDS = 5
INSTALLER_SECONDS = 600
BUILD_LOG = TOOLS / "pulumi-cli.log"

steps = Steps("setup")
say, step, run_quietly = steps.say, steps.step, steps.run_quietly


def main() -> int:
    """Does what is not done yet; returns the exit code."""
    return steps.all(TOOLS / "setup.lock", _set_up)


def _set_up() -> bool:
    """Returns whether there was anything to do."""
    python = _python()
    if _is_done(python):
        return False
    _environment(python)
    cli = _pulumi()
    STAMP.write_text(json.dumps({**_fingerprint(python), "cli": str(cli)}, indent=1), encoding="utf-8")
    return True


def _python() -> str:
    """A Python that is new enough: this one, or one on PATH."""
    if sys.version_info >= MINIMUM_PYTHON:
        return sys.executable
    for minor in range(14, MINIMUM_PYTHON[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    wanted = ".".join(map(str, MINIMUM_PYTHON))
    this = ".".join(map(str, sys.version_info[:3]))
    raise SetupError(
        f"Python {wanted} or newer is needed, and {sys.executable} is {this}. Install one (Debian 12 and newer: "
        f"`apt-get install python3 python3-venv`; elsewhere: uv or pyenv) and run `make setup` again."
    )


def _fingerprint(python: str) -> dict[str, str]:
    """What a finished setup depends on."""
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update(name.encode())
        digest.update((ROOT / name).read_bytes())
    return {"inputs": digest.hexdigest(), "python": os.path.realpath(python), "root": str(ROOT)}


def _is_done(python: str) -> bool:
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    cli = stamp.pop("cli", "")
    return stamp == _fingerprint(python) and _venv_python().exists() and os.access(cli, os.X_OK)


def _venv_python() -> Path:
    return VENV / "bin" / "python"


def _environment(python: str) -> None:
    """Creates `.venv` and installs what the lock file names, by hash, and this checkout."""
    if not _works(_venv_python()):
        with step(f"Python environment in {VENV.name}"):
            _create_venv(python)
    pip = [str(_venv_python()), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    with step("packages of requirements.lock"):
        run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", "requirements.lock"])
    with step("this checkout"):
        run([*pip, "--no-deps", "--no-build-isolation", "--editable", "."])


def _works(python: Path) -> bool:
    """Whether the environment is whole: a venv whose Python was removed, or that lacks pip, is made anew."""
    if not python.exists():
        return False
    return subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def _create_venv(python: str) -> None:
    if subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode != 0:
        version = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        steps.debian_package(
            "python3-venv", f"Python's venv module is missing in {python}.", alternatives=(f"python{version}-venv",)
        )
    run([python, "-m", "venv", "--clear", str(VENV)])


def _pulumi() -> Path:
    """The Pulumi CLI, fetched or built if there is none."""
    found = _find_cli()
    if found is not None:
        say(f"Pulumi CLI: {found}")
        return found
    if not _install_cli():
        _build_cli()
    found = _find_cli()
    if found is None:
        raise SetupError("the Pulumi CLI was installed under .tools, but does not answer. Remove .tools and try again.")
    return found


def _find_cli() -> Path | None:
    """Where `launch` itself would find it (see stacks/cli.py)."""
    question = (
        "import os, pathlib, sys\n"
        "from phases.errors import EngineMissing\n"
        "from stacks import cli\n"
        "try:\n"
        "    print(cli.find(pathlib.Path(sys.argv[1]), environ=os.environ).path)\n"
        "except EngineMissing:\n"
        "    sys.exit(1)\n"
    )
    answer = subprocess.run(
        [str(_venv_python()), "-c", question, str(ROOT)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    return Path(answer.stdout.strip()) if answer.returncode == 0 else None


def _install_cli() -> bool:
    """Tries Pulumi's own installer; False where it cannot be reached."""
    if shutil.which("curl") is None:
        say("Pulumi's installer needs curl, which is missing")
        return False
    with step("Pulumi CLI by Pulumi's installer"):
        limits = ["--connect-timeout", str(INSTALLER_CONNECT_SECONDS), "--max-time", "60"]
        script = subprocess.run(["curl", "-fsSL", *limits, INSTALLER], capture_output=True, check=False)
        if script.returncode != 0:
            say(f"{INSTALLER} cannot be reached")
            return False
        arguments = ["--version", PULUMI_VERSION, "--install-root", str(TOOLS), "--no-edit-path"]
        try:
            done = subprocess.run(
                ["sh", "-s", "--", *arguments], input=script.stdout, check=False, timeout=INSTALLER_SECONDS
            )
        except subprocess.TimeoutExpired:
            say(f"Pulumi's installer did not end within {INSTALLER_SECONDS} s")
            return False
        return done.returncode == 0


def _build_cli() -> None:
    """Builds the CLI from Go modules; it appears under its name only when it is whole."""
    if shutil.which("go") is None:
        steps.debian_package(
            "golang-go", "The Pulumi CLI has to be built, and Go is missing (https://go.dev/doc/install)."
        )
    told = f"about five minutes the first time; what it does goes to {BUILD_LOG.relative_to(ROOT)}"
    with step(f"Pulumi CLI from Go modules ({told})"):
        scratch = TOOLS / "build"
        scratch.mkdir(exist_ok=True)
        flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI_VERSION}"
        run_quietly(
            ["go", "build", "-ldflags", flags, "-o", f"{scratch}{os.sep}", "tool"],
            log=BUILD_LOG,
            cwd=ROOT / "tools" / "pulumi-cli",
            env=go_environ(),
        )
        (TOOLS / "bin").mkdir(exist_ok=True)
        (scratch / "pulumi").replace(TOOLS / "bin" / "pulumi")
        scratch.rmdir()


if __name__ == "__main__":
    sys.exit(main())
