"""Flags in the cluster, and how a gate gets to read them."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from components.kubernetes import feature_flags, flag_source
from components.kubernetes.flag_source import FlagReference, FlagsUnavailable
from components.kubernetes.settings import KubernetesSettings
from components.platform import FlagsSpec
from tests.components.kubernetes.conftest import RunProgram

FLAG = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
FLAGS = FlagsSpec("shop", {"checkout": FLAG})
CONFIG_MAP = FlagReference("configmap", "prod", "shop-flags")


def test_flags_are_flagds_json_in_a_config_map(run_program: RunProgram) -> None:
    settings = KubernetesSettings(namespace="prod")
    found = run_program(lambda: {"flags": feature_flags.place(settings, FLAGS)})

    made = found.inputs("ConfigMap", "shop-flags")
    assert json.loads(made["data"]["flags.flagd.json"])["flags"] == {"checkout": FLAG}
    assert made["metadata"]["annotations"] == {"pulumi.com/patchForce": "true"}
    assert found.outputs["flags"]["path"] == "kubernetes://prod/configmaps/shop-flags"
    assert found.outputs["flags"]["digest"].startswith("sha256:")
    # Otherwise the plugin would replace a ConfigMap whose data change.
    assert found.inputs("kubernetes", "kubernetes")["enableConfigMapMutable"] == "true"


def test_flags_are_a_feature_flag_for_the_operator(run_program: RunProgram) -> None:
    settings = KubernetesSettings(namespace="prod", flags="operator")
    found = run_program(lambda: {"flags": feature_flags.place(settings, FLAGS)})

    made = found.inputs("FeatureFlag", "shop-flags")
    assert made["apiVersion"] == "core.openfeature.dev/v1beta1"
    assert made["spec"] == {"flagSpec": {"flags": {"checkout": FLAG}}}
    assert found.outputs["flags"]["path"] == "kubernetes://prod/featureflags/shop-flags"


def test_the_digest_tells_other_flags_from_these(run_program: RunProgram) -> None:
    def digest(spec: FlagsSpec) -> Any:  # noqa: ANN401
        placed = run_program(lambda: {"flags": feature_flags.place(KubernetesSettings(), spec)})
        return placed.outputs["flags"]["digest"]

    assert digest(FLAGS) == digest(FLAGS) != digest(FlagsSpec("shop", {}))


@pytest.mark.parametrize("kind", ["configmap", "operator"])
def test_a_reference_survives_being_written_and_read(kind: Any) -> None:  # noqa: ANN401
    reference = FlagReference(kind, "prod", "shop-flags")
    assert FlagReference.parse(str(reference)) == reference


def test_a_path_is_no_reference_and_nonsense_is_refused() -> None:
    assert FlagReference.parse("/var/flags.json") is None
    with pytest.raises(ValueError, match="names no flags of a cluster"):
        FlagReference.parse("kubernetes://prod/pods/shop")


def test_what_is_fetched_is_a_private_file_that_goes_away() -> None:
    with (
        mock.patch.object(flag_source, "fetch", return_value='{"flags": {}}'),
        flag_source.as_file(KubernetesSettings(), str(CONFIG_MAP)) as path,
    ):
        assert path.read_text() == '{"flags": {}}'
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()


def test_flags_that_cannot_be_fetched_are_not_those_of_yesterday(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, settings = str(CONFIG_MAP), KubernetesSettings()
    with mock.patch.object(flag_source, "fetch", return_value="{}"):
        path = Path(flag_source.local(settings, source, tmp_path / "flags"))
    assert path.read_text() == "{}"

    with mock.patch.object(flag_source, "fetch", side_effect=FlagsUnavailable("it is not there")):
        assert flag_source.local(settings, source, tmp_path / "flags") == source
    assert not path.exists()
    assert "it is not there" in caplog.text
    assert flag_source.local(settings, "/some/file.json", tmp_path) == "/some/file.json"


def test_a_cluster_that_cannot_be_found_is_said(tmp_path: Path) -> None:
    settings = KubernetesSettings(kubeconfig=str(tmp_path / "nowhere"))
    with pytest.raises(FlagsUnavailable, match="no cluster can be reached by"):
        flag_source.fetch(settings, CONFIG_MAP)
