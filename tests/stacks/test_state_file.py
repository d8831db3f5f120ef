"""A stack's state, read from the file of a directory backend."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stacks.state_file import NotReadable, StateFile

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
KEY, SALT, NONCE = b"a key of no less than 32 letters", b"saltsalt", b"nonce of 12b"


def text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def secret(value: object) -> dict[str, str]:
    sealed = AESGCM(KEY).encrypt(NONCE, json.dumps(value).encode(), None)
    return {SIGNATURE: SECRET, "ciphertext": f"v1:{text(NONCE)}:{text(sealed)}"}


def written(directory: Path, outputs: dict[str, Any], *, provider: str = "passphrase", version: int = 3) -> Path:
    """Write what the engine would."""
    stack = {"type": "pulumi:pulumi:Stack", "urn": "urn:stack", "outputs": outputs}
    latest = {
        "secrets_providers": {"type": provider, "state": {"salt": f"v1:{text(SALT)}:v1:check:check"}},
        "resources": [{"type": "launch:index:Router", "urn": "urn:router"}, stack],
        "pending_operations": [{"resource": {"urn": "urn:router"}, "type": "updating"}],
    }
    path = directory / "dev.json"
    path.write_text(json.dumps({"version": version, "checkpoint": {"latest": latest}}), encoding="utf-8")
    return path


def no_key(salt: bytes) -> bytes | None:
    pytest.fail(f"nothing here needs a key for {salt!r}")


def the_key(salt: bytes) -> bytes | None:
    return KEY if salt == SALT else None


def test_where_nothing_is_secret_nobody_asks_for_a_key(tmp_path: Path) -> None:
    file = StateFile(written(tmp_path, {"weights": {"blue": 90, "green": 10}}), no_key)
    assert file.outputs(secrets=True) == {"weights": {"blue": 90, "green": 10}}
    deployment = file.deployment()
    assert [resource["urn"] for resource in deployment["resources"]] == ["urn:router", "urn:stack"]
    assert deployment["pending_operations"] == [{"resource": {"urn": "urn:router"}, "type": "updating"}]


def test_secrets_are_hidden_or_opened_as_asked(tmp_path: Path) -> None:
    path = written(tmp_path, {"slots": [{"password": secret({"is": "hüter2"})}]})
    assert StateFile(path, no_key).outputs(secrets=False) == {"slots": [{"password": "[secret]"}]}
    file = StateFile(path, the_key)
    assert file.outputs(secrets=True) == {"slots": [{"password": {"is": "hüter2"}}]}
    (opened,) = file.deployment()["resources"][1]["outputs"]["slots"]
    assert opened == {"password": {SIGNATURE: SECRET, "plaintext": json.dumps({"is": "hüter2"})}}


def test_a_stack_without_resources_has_nothing_to_say(tmp_path: Path) -> None:
    path = tmp_path / "dev.json"
    path.write_text(json.dumps({"version": 3, "checkpoint": {"stack": "dev", "latest": None}}), encoding="utf-8")
    file = StateFile(path, no_key)
    assert (file.outputs(secrets=False), file.deployment()["resources"]) == ({}, None)


@pytest.mark.parametrize("key", [b"another key of just 32 characters"[:32], None])
def test_secrets_of_others_are_the_clis_to_complain_about(tmp_path: Path, key: bytes | None) -> None:
    file = StateFile(written(tmp_path, {"password": secret("hunter2")}), lambda _: key)
    with pytest.raises(NotReadable):
        file.outputs(secrets=True)


def test_another_secrets_provider_is_the_clis(tmp_path: Path) -> None:
    path = written(tmp_path, {"password": secret("hunter2")}, provider="cloud")
    with pytest.raises(NotReadable):
        StateFile(path, the_key).deployment()


def test_what_is_more_than_a_value_is_the_clis(tmp_path: Path) -> None:
    file = StateFile(written(tmp_path, {"page": {SIGNATURE: ASSET, "text": "hello"}}), no_key)
    with pytest.raises(NotReadable):
        file.outputs(secrets=False)


def test_a_format_of_another_day_is_the_clis(tmp_path: Path) -> None:
    with pytest.raises(NotReadable):
        StateFile(written(tmp_path, {}, version=5), no_key)


@pytest.mark.parametrize("content", ["", "[]", '{"version": 3}', "not json"])
def test_half_a_file_is_the_clis(tmp_path: Path, content: str) -> None:
    path = tmp_path / "dev.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(NotReadable):
        StateFile(path, no_key)
    with pytest.raises(NotReadable):
        StateFile(tmp_path / "nothing.json", no_key)
