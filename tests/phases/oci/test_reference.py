"""What an image is called, and where that is."""

from __future__ import annotations

import pytest

from phases.gates.base import Release
from phases.oci.reference import parse

DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("image", "prefix", "repository", "version"),
    [
        ("shop:2.0", "ghcr.io/team", "ghcr.io/team/shop", "2.0"),
        ("team/shop:2.0", "ghcr.io", "ghcr.io/team/shop", "2.0"),
        ("quay.io/x/shop:2.0", "ghcr.io/team", "quay.io/x/shop", "2.0"),
        ("localhost:5000/shop:2.0", "", "localhost:5000/shop", "2.0"),
        ("localhost/shop:2.0", "", "localhost/shop", "2.0"),
        (f"registry:5000/shop@{DIGEST}", "", "registry:5000/shop", DIGEST),
        (f"registry:5000/shop:2.0@{DIGEST}", "", "registry:5000/shop", DIGEST),
        ("shop:2.0", "", "docker.io/library/shop", "2.0"),
        ("team/shop:2.0", "", "docker.io/team/shop", "2.0"),
    ],
)
def test_finds_the_registry_as_docker_does(image: str, prefix: str, repository: str, version: str) -> None:
    found = parse(image, prefix=prefix)
    assert (found.repository, found.version) == (repository, version)


@pytest.mark.parametrize("image", ["shop", "Shop:2.0", "ghcr.io/shop:", "shop@sha256:12", "ghcr.io/:2", "shop:a b", ""])
def test_refuses_what_is_no_reference(image: str) -> None:
    with pytest.raises(ValueError, match="no reference"):
        parse(image)


def test_is_written_as_a_platform_pulls_it() -> None:
    found = parse("shop:2.0", prefix="ghcr.io/team")
    assert (str(found), found.at(DIGEST)) == ("ghcr.io/team/shop:2.0", f"ghcr.io/team/shop@{DIGEST}")
    assert str(parse(f"a.io/b@{DIGEST}")) == f"a.io/b@{DIGEST}"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost:5000", True), ("127.0.0.1:5000", True), ("127.1.2.3", True), ("127.evil.io", False)],
)
def test_knows_what_is_on_this_machine(host: str, loopback: bool) -> None:
    assert parse(f"{host}/shop:1").loopback is loopback


def test_docker_hub_answers_elsewhere() -> None:
    assert parse("shop:1").api == "registry-1.docker.io"


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("shop:2.0", "shop"),
        (f"shop@{DIGEST}", "shop"),
        ("localhost:5000/shop:2.0", "localhost:5000/shop"),
        (f"localhost:5000/shop@{DIGEST}", "localhost:5000/shop"),
    ],
)
def test_a_releases_name_keeps_its_registrys_port(image: str, name: str) -> None:
    assert Release(image, DIGEST).name == name
