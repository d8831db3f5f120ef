"""`Pulumi.ENV.yaml` is read without the engine as long as nothing in it is encrypted."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.errors import ConfigurationError
from stacks.engine import ConfigValue, Engine, StackSettings
from stacks.settings import read_settings


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An engine that has no CLI to ask."""
    return Engine(project="shop", root=tmp_path, environ={"PATH": str(tmp_path), "HOME": str(tmp_path)})


def write(root: Path, text: str) -> None:
    (root / "Pulumi.dev.yaml").write_text(text, encoding="utf-8")


def test_plain_values_keep_their_structure(engine: Engine) -> None:
    write(engine.root, "config:\n  launch:platform: local\n  region: eu\n  shop:limits: {a: 1, b: [true, x]}\n")

    assert engine.config("dev") == {
        "launch:platform": ConfigValue("local", secret=False),
        "shop:region": ConfigValue("eu", secret=False),
        "shop:limits": ConfigValue({"a": 1, "b": [True, "x"]}, secret=False),
    }


@pytest.mark.parametrize("text", ["", "config:\n", "encryptionsalt: v1:abc\n"])
def test_a_file_without_values_has_none(engine: Engine, text: str) -> None:
    write(engine.root, text)

    assert engine.config("dev") == {}


def test_an_environment_without_a_file_has_no_values(engine: Engine) -> None:
    assert engine.config("dev") == {}
    assert read_settings(engine.root, "dev") == StackSettings()


@pytest.mark.parametrize("text", ["config: [\n", "- a\n", "config: 5\n"])
def test_a_file_that_is_no_settings_file_is_named(engine: Engine, text: str) -> None:
    write(engine.root, text)

    with pytest.raises(ConfigurationError, match=r"Pulumi\.dev\.yaml"):
        engine.config("dev")


def test_how_secrets_are_encrypted_is_taken_over(engine: Engine) -> None:
    write(engine.root, "secretsprovider: awskms://alias/shop\nencryptedkey: abc\nencryptionsalt: v1:def\n")

    assert read_settings(engine.root, "dev") == StackSettings("awskms://alias/shop", "abc", "v1:def")


def test_a_secret_is_not_shown_by_accident() -> None:
    assert repr(ConfigValue("hush", secret=True)) == "ConfigValue([secret])"
    assert repr(ConfigValue("loud", secret=False)) == "ConfigValue('loud')"
