"""The gate `image_digest` over a registry of container images."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.gates.base import GateContext, Moment, Release
from phases.gates.image_digest import ImageDigest
from phases.kinds import PhaseKind
from phases.oci.registry import OciRegistry
from phases.verdict import GateResult, Verdict
from tests.registry.oci_registry_standin import Standin
from tests.registry.pushing import Pusher

pytestmark = pytest.mark.integration


def check(host: str, digest: str) -> GateResult:
    context = GateContext(
        environment="prod",
        phase="deploy",
        kind=PhaseKind.DEPLOY,
        moment=Moment.ENTRY,
        release=Release("shop:2.0", digest),
        root=Path(),
        registries={"": OciRegistry({}, prefix=f"{host}/team")},
    )
    return ImageDigest().check(context)


def test_the_tag_still_is_what_was_pinned(host: str) -> None:
    assert check(host, Pusher(host, "team/shop").image("2.0")["digest"]).verdict is Verdict.PASSED


def test_a_tag_that_was_moved_fails(host: str) -> None:
    shop = Pusher(host, "team/shop")
    pinned = shop.image("2.0")["digest"]
    moved = shop.image("2.0", labels={"build": "2"})["digest"]
    result = check(host, pinned)
    assert result.verdict is Verdict.FAILED
    assert f"shop:2.0 is {moved} in the registry" in result.reason


def test_an_image_that_was_deleted_fails(host: str) -> None:
    Pusher(host, "team/shop").image("1.0")
    result = check(host, "sha256:" + "0" * 64)
    assert result.verdict is Verdict.FAILED
    assert "shop:2.0 is not in the registry: there is no" in result.reason


def test_a_registry_in_trouble_is_no_wrong_digest(standin: Standin) -> None:
    standin.status = 503
    result = check(standin.host, "sha256:" + "0" * 64)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "status 503" in result.reason
