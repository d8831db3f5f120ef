"""What `doctor` finds, and how it says what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from launch import doctor, scaffold
from launch.doctor import Finding, examine


@pytest.fixture(autouse=True)
def _no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CLI is asked for its version in the integration tests."""
    monkeypatch.setattr(doctor, "_cli", lambda *_: Finding("pulumi", ok=True, told="3.259.0"))


def test_it_works_outside_any_project(tmp_path: Path) -> None:
    found = {finding.name: finding for finding in examine(tmp_path, {})}
    assert found["python"].ok
    assert found["project"].ok
    assert "launch init" in found["project"].told


def test_a_plugin_that_is_not_installed_is_named_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    plugin = next(finding for finding in examine(tmp_path, {}) if finding.name == "pulumi-resource-launch")
    assert not plugin.ok
    assert "make setup" in plugin.told
    assert plugin.line.startswith("MISSING")


@pytest.mark.parametrize(
    ("environ", "settings", "ok", "told"),
    [
        ({}, "", True, "made by the first launch"),
        ({"PULUMI_CONFIG_PASSPHRASE": ""}, "", True, "PULUMI_CONFIG_PASSPHRASE"),
        ({"PULUMI_CONFIG_PASSPHRASE_FILE": "/nowhere/at/all"}, "", False, "/nowhere/at/all"),
        ({}, "secretsprovider: awskms://alias/team\n", True, "awskms"),
        ({"PULUMI_BACKEND_URL": "https://api.pulumi.com"}, "", True, "by the backend"),
    ],
)
def test_what_encrypts_secrets_is_told(
    tmp_path: Path, environ: dict[str, str], settings: str, ok: bool, told: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text(settings + "config: {}\n", encoding="utf-8")
    finding = doctor._secrets(tmp_path, "dev", environ)
    assert finding.ok is ok
    assert told in finding.told


def test_the_value_of_a_passphrase_is_never_told(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
    finding = doctor._secrets(tmp_path, "dev", {"PULUMI_CONFIG_PASSPHRASE": "hunter22"})
    assert "hunter22" not in finding.line


def test_a_project_that_was_just_begun_lacks_nothing_and_is_told_what_comes_next(tmp_path: Path) -> None:
    finding = doctor._registry("dev: registry", tmp_path / "registry", own=True)
    assert finding.ok
    assert finding.line.startswith("to do ")
    assert f"{tmp_path}/registry/NAME/TAG" in finding.told


def test_a_registry_elsewhere_that_is_not_there_is_missing(tmp_path: Path) -> None:
    finding = doctor._registry("dev: registry", tmp_path / "share", own=False)
    assert finding.line.startswith("MISSING")
    assert "is not there;" in finding.told


def test_a_registry_is_told_with_what_it_holds(tmp_path: Path) -> None:
    finding = doctor._registry("dev: registry", tmp_path, own=False)
    assert (finding.ok, finding.to_do) == (True, True)
    (tmp_path / "shop" / "1.0").mkdir(parents=True)
    finding = doctor._registry("dev: registry", tmp_path, own=False)
    assert (finding.ok, finding.to_do, finding.told) == (True, False, f"{tmp_path}: shop")


def test_doctor_finds_nothing_wrong_right_after_init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, text in scaffold.files(tmp_path, "standard", "local").items():
        path.write_text(text, encoding="utf-8")

    class Unused:
        def config(self, _: str) -> dict[str, str]:
            return {}

    monkeypatch.setattr("launch.asked.engine_for", lambda *_: Unused())
    monkeypatch.setattr(doctor, "_plugin", lambda: Finding("pulumi-resource-launch", ok=True, told="there"))
    found = {finding.name: finding for finding in examine(tmp_path, {})}
    assert found["environment dev"].ok, found["environment dev"].told
    assert found["dev: registry"].to_do
    assert [finding.name for finding in found.values() if not finding.ok] == []
