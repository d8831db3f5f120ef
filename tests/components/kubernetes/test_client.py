"""The door to the API server: which cluster it leads to, and that nothing waits there for ever."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.kubernetes.client import ClusterUnavailable, api
from components.kubernetes.settings import KubernetesSettings


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    contexts = [{"name": name, "context": {"cluster": name, "user": "me"}} for name in ("staging", "prod")]
    clusters = [{"name": name, "cluster": {"server": f"https://{name}.example:6443"}} for name in ("staging", "prod")]
    users = [{"name": "me", "user": {"token": "none"}}]
    document = {"contexts": contexts, "clusters": clusters, "users": users, "current-context": "staging"}
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **document}), encoding="utf-8")
    return path


def host(settings: KubernetesSettings) -> str:
    client: Any = api(settings)
    return str(client.configuration.host)


def test_the_context_says_which_cluster(kubeconfig: Path) -> None:
    assert host(KubernetesSettings(str(kubeconfig))) == "https://staging.example:6443"
    assert host(KubernetesSettings(str(kubeconfig), "prod")) == "https://prod.example:6443"


def test_without_settings_it_is_the_one_of_the_environment_or_at_home(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", f"/not/there:{kubeconfig}")
    assert host(KubernetesSettings()) == "https://staging.example:6443"
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".kube").mkdir()
    kubeconfig.rename(tmp_path / ".kube" / "config")
    assert host(KubernetesSettings(context="prod")) == "https://prod.example:6443"


def test_where_there_is_neither_it_is_that_of_the_pod(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ClusterUnavailable, match="Service host/port is not set"):
        api(KubernetesSettings())
    assert capsys.readouterr().out == "", "standard output belongs to the command"


@pytest.mark.parametrize(
    ("context", "missing"), [("nowhere", "with the context 'nowhere'"), (None, "/not/there")], ids=["context", "file"]
)
def test_a_cluster_that_is_not_to_be_found_is_said_to_be(kubeconfig: Path, context: str | None, missing: str) -> None:
    file = str(kubeconfig) if context else "/not/there"
    with pytest.raises(ClusterUnavailable, match=missing):
        api(KubernetesSettings(file, context))


def test_every_call_ends(kubeconfig: Path) -> None:
    client: Any = api(KubernetesSettings(str(kubeconfig), request_timeout=3.0))
    limits: list[object] = []

    def request(*_: object, _request_timeout: object, **__: object) -> Any:  # noqa: ANN401
        limits.append(_request_timeout)
        return SimpleNamespace(status=200)

    client.rest_client = SimpleNamespace(request=request)
    client.call_api("GET", "https://staging.example/version")
    client.call_api("GET", "https://staging.example/version", _request_timeout=9)
    assert limits == [3.0, 9]
