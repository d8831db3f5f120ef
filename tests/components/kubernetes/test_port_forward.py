"""Which addresses are forwarded, and to which port of a pod they lead."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from components.kubernetes.port_forward import PortForwards, target_port
from components.kubernetes.port_stream import ForwardFailed
from components.kubernetes.settings import KubernetesSettings

GREEN = "http://shop-green.prod.svc:80"


def test_an_address_that_was_given_goes_before_a_forward() -> None:
    settings = KubernetesSettings(slot_urls={"green": "https://green.internal"})
    with PortForwards(Mock(), settings, "shop")(GREEN) as url:
        assert url == "https://green.internal"


def test_inside_the_cluster_its_addresses_answer() -> None:
    assert PortForwards(Mock(), KubernetesSettings(), "shop", inside=True).url(GREEN) == GREEN


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "https://shop.example.com/", "http://shop:80"])
def test_other_addresses_are_left_alone(url: str) -> None:
    assert PortForwards(Mock(), KubernetesSettings(), "shop").url(url) == url


def test_each_service_has_one_port_that_stays_until_the_end() -> None:
    forwards = PortForwards(Mock(), KubernetesSettings(), "shop")
    green = forwards.url(GREEN + "/base")
    assert green.startswith("http://127.0.0.1:")
    assert green.endswith("/base")
    assert forwards.url(GREEN) == green.removesuffix("/base")
    assert forwards.url("http://shop-blue.prod.svc.cluster.local:80") != green
    assert forwards.reason(GREEN) is None
    forwards.close()


def service(target: int | str | None) -> dict[str, Any]:
    port: dict[str, Any] = {"port": 80} if target is None else {"port": 80, "targetPort": target}
    return {"metadata": {"name": "shop-green"}, "spec": {"ports": [{"port": 9090}, port]}}


POD = {
    "metadata": {"name": "shop-green-1"},
    "spec": {"containers": [{"name": "sidecar"}, {"name": "app", "ports": [{"name": "http", "containerPort": 8080}]}]},
}


@pytest.mark.parametrize(("target", "port"), [(None, 80), (3000, 3000), ("http", 8080)])
def test_a_services_port_leads_to_one_of_the_pod(target: int | str | None, port: int) -> None:
    assert target_port(service(target), POD, 80) == port


def test_a_port_that_leads_nowhere_is_named() -> None:
    with pytest.raises(ForwardFailed, match="the Service shop-green has no port 81"):
        target_port(service(80), POD, 81)
    with pytest.raises(ForwardFailed, match="no container of pod shop-green-1 names its port 'grpc'"):
        target_port(service("grpc"), POD, 80)
