"""The Role that is printed is enough for a launch."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from components.kubernetes import permissions
from components.kubernetes.client import ClusterUnavailable, api
from components.kubernetes.permissions import AccessReviewer
from components.kubernetes.settings import AutoscalingSettings, KubernetesSettings, RouterSettings, SlotSettings
from components.platform import BackendSpec, FlagsSpec, SplitSpec
from tests.cluster import access
from tests.integration.kubernetes.slots.shops import NEXT_DIGEST, Shop

pytestmark = pytest.mark.integration

USER = "launcher"
FLAGS = {"fast": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}}


@pytest.fixture
def restricted(shop: Shop) -> Shop:
    """A shop of somebody who may do nothing at all yet."""
    settings = replace(
        shop.settings,
        kubeconfig=str(shop.cluster.kubeconfig_of(USER)),
        slot=SlotSettings(autoscaling=AutoscalingSettings()),
        router=RouterSettings(gateway="public", url="http://shop.example"),
    )
    return replace(shop, settings=settings)


def bind(shop: Shop, text: str) -> None:
    """What an administrator does with the Role that was printed."""
    (role,) = yaml.safe_load_all(text)
    access.grant(shop.cluster.rest, shop.settings.namespace, role, name=USER)


def test_an_administrator_lacks_nothing(shop: Shop) -> None:
    assert permissions.problem(shop.settings, AccessReviewer(api(shop.settings))) is None


def test_somebody_who_may_nothing_is_told_the_role_and_with_it_a_launch_goes_forth_and_back(restricted: Shop) -> None:
    reviewer = AccessReviewer(api(restricted.settings))
    problem = permissions.problem(restricted.settings, reviewer)
    assert problem is not None
    assert permissions.missing(restricted.settings, reviewer) == permissions.needs(restricted.settings)

    bind(restricted, problem[problem.index("---") :])
    assert permissions.problem(restricted.settings, reviewer) is None

    blue, green = restricted.spec("blue"), restricted.spec("green", digest=NEXT_DIGEST)
    restricted.update(new=blue)
    before = restricted.checkpoint()
    restricted.update(blue, new=green)
    restricted.update(green)
    restricted.restore(before)
    assert set(restricted.slots()) == {"blue"}
    restricted.restore(None)
    assert restricted.live("apps/v1/deployments/shop-blue") is None


def test_the_role_is_enough_for_the_route_and_the_flags_too(restricted: Shop) -> None:
    bind(restricted, permissions.role(permissions.needs(restricted.settings)))
    url = f"http://shop-blue.{restricted.settings.namespace}.svc:80"
    split = SplitSpec("shop", (BackendSpec("blue", url, 100),))

    def everything() -> None:
        restricted.platform.traffic_split(split, after=None)
        restricted.platform.feature_flags(FlagsSpec("shop", FLAGS))

    restricted.stack.update(everything, message="traffic", deadline=100.0)
    assert restricted.live("gateway.networking.k8s.io/v1/httproutes/shop") is not None
    restricted.stack.destroy(message="down", deadline=100.0)
    assert restricted.live("gateway.networking.k8s.io/v1/httproutes/shop") is None


def test_a_cluster_that_does_not_answer_is_given_up_soon(restricted: Shop) -> None:
    impatient = replace(restricted.settings, request_timeout=0.5)
    reviewer = AccessReviewer(api(impatient))
    with restricted.cluster.frozen(), pytest.raises(ClusterUnavailable, match="the cluster does not answer"):
        permissions.problem(impatient, reviewer)


def test_a_cluster_that_is_away_is_said_to_be() -> None:
    nowhere = KubernetesSettings(kubeconfig="/nowhere/kubeconfig")
    with pytest.raises(ClusterUnavailable, match="no cluster can be reached by /nowhere/kubeconfig"):
        api(nowhere)
