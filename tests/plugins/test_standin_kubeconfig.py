"""The stand-in plugin finds the API server that a kubeconfig names."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.plugins.kubernetes_standin.kubeconfig import NoCluster, access, active_cluster
from tests.plugins.kubernetes_standin.values import Object


def kubeconfig(server: str = "https://127.0.0.1:6443", **user: str) -> Object:
    return {
        "current-context": "test",
        "contexts": [
            {"name": "test", "context": {"cluster": "one", "user": "me", "namespace": "shop"}},
            {"name": "broken", "context": {"cluster": "none", "user": "me"}},
        ],
        "clusters": [
            {"name": "one", "cluster": {"server": server, "certificate-authority": "ca.crt"}},
            {"name": "two", "cluster": {"server": "http://two/", "insecure-skip-tls-verify": True}},
        ],
        "users": [{"name": "me", "user": user}],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ca.crt").write_text("authority")
    (tmp_path / "client.key").write_text("key")
    return tmp_path


def test_files_are_beside_the_kubeconfig_and_data_is_in_it(folder: Path) -> None:
    path = folder / "config"
    certificate = base64.b64encode(b"certificate").decode()
    path.write_text(json.dumps(kubeconfig(**{"client-certificate-data": certificate, "client-key": "client.key"})))
    found = access(str(path))
    assert (found.server, found.namespace, found.verify) == ("https://127.0.0.1:6443", "shop", True)
    assert (found.ca, found.certificate, found.key) == (b"authority", b"certificate", b"key")
    assert "key" not in repr(found).replace("key=", "")


def test_the_provider_may_choose_another_cluster_and_namespace() -> None:
    found = access(json.dumps(kubeconfig(token="hush")), cluster="two", namespace="mine")
    assert (found.server, found.namespace, found.verify) == ("http://two", "mine", False)
    assert found.headers == {"Authorization": "Bearer hush"}
    assert "hush" not in repr(found)


def test_the_environment_names_it_otherwise(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "config"
    path.write_text(json.dumps(kubeconfig("http://env", username="me", password="pw")))
    monkeypatch.setenv("KUBECONFIG", f"{folder / 'missing'}:{path}")
    assert access("").server == "http://env"
    monkeypatch.setenv("KUBECONFIG", str(folder / "missing"))
    with pytest.raises(NoCluster, match="no configuration has been provided"):
        access("")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (json.dumps(kubeconfig()), {"context": "other"}, "no context 'other'"),
        (json.dumps(kubeconfig()), {"context": "broken"}, "no cluster 'none'"),
        ("/nowhere/config", {}, "No such file"),
        ("a: [\n", {}, "no YAML"),
        ("contexts: []\nclusters: []\n", {}, "no current context"),
    ],
    ids=["context", "cluster", "file", "yaml", "current"],
)
def test_what_is_wrong_is_said(text: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(NoCluster, match=message):
        access(text, **options)


def test_another_server_is_another_cluster() -> None:
    before, after = (json.dumps(kubeconfig(server)) for server in ("http://a", "http://b"))
    assert active_cluster(before) != active_cluster(after)
    assert active_cluster(before) == active_cluster(json.dumps(kubeconfig("http://a", token="new")))
    assert active_cluster("nonsense") is None
