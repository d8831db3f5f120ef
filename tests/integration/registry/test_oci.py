"""Images in registries: what they are now, what they say of themselves, and who may know."""

from __future__ import annotations

import base64
import json
import socket
from pathlib import Path

import pytest

from launch.image_sources.base import NoSuchImage
from launch.image_sources.oci import COMMAND, FLAGS, REVISION, OciImages
from phases.errors import ConfigurationError
from phases.oci.registry import OciRegistry
from phases.oci.transport import RegistryUnavailable
from tests.registry.oci_registry_standin import Standin
from tests.registry.pushing import DOCKER_LIST, DOCKER_MANIFEST, INDEX, MANIFEST, Pusher

pytestmark = pytest.mark.integration

SHOP = {REVISION: "0002", FLAGS: "new_checkout, dark_mode", COMMAND: "shop --port 8080"}


def reader(host: str, environ: dict[str, str] | None = None) -> OciRegistry:
    return OciRegistry(environ or {}, prefix=f"{host}/team")


@pytest.mark.parametrize("kind", [MANIFEST, DOCKER_MANIFEST], ids=["oci", "docker"])
def test_says_what_a_tag_is_now(host: str, kind: str) -> None:
    shop = Pusher(host, "team/shop")
    first = shop.image("2.0", kind=kind)["digest"]
    registry = reader(host)
    assert registry.digest("shop:2.0") == first
    moved = shop.image("2.0", labels={"build": "2"}, kind=kind)["digest"]
    assert registry.digest(f"{host}/team/shop:2.0") == moved != first
    assert registry.digest(f"shop@{first}") == first


def test_reads_what_an_image_says_of_itself(host: str) -> None:
    digest = Pusher(host, "team/shop").image("2.0", labels=SHOP)["digest"]
    image = OciImages(reader(host)).resolve("shop:2.0")
    assert (image.reference, image.digest) == (f"{host}/team/shop@{digest}", digest)
    assert (image.revision, image.flags) == ("0002", ("new_checkout", "dark_mode"))
    assert image.command == ("shop", "--port", "8080")
    assert not image.needs_command


def test_an_image_may_say_nothing(host: str) -> None:
    Pusher(host, "team/shop").image("2.0")
    image = OciImages(reader(host)).resolve("shop:2.0")
    assert (image.revision, image.flags, image.command) == (None, (), ())


@pytest.mark.parametrize(("one", "many"), [(MANIFEST, INDEX), (DOCKER_MANIFEST, DOCKER_LIST)], ids=["oci", "docker"])
def test_the_digest_of_an_image_for_several_platforms_is_its_indexs(host: str, one: str, many: str) -> None:
    shop = Pusher(host, "team/shop")
    children = {
        "unknown/unknown": shop.image(labels={"attestation": "x"}, kind=one),
        "linux/arm64": shop.image(labels={REVISION: "0001"}, kind=one),
        "linux/amd64": shop.image(labels={REVISION: "0002"}, kind=one),
    }
    index = shop.index("2.0", children=children, kind=many)["digest"]
    found = reader(host).resolve("shop:2.0")
    assert found.digest == index == reader(host).digest("shop:2.0")
    assert found.reference.endswith(index)
    assert found.labels[REVISION] == "0002"
    assert found.platforms == ("linux/arm64", "linux/amd64")


def test_what_is_not_there_is_no_outage(host: str) -> None:
    Pusher(host, "team/shop").image("1.0", "1.1")
    with pytest.raises(LookupError, match=r"there is no .*/team/shop:3.0; tags of team/shop there are 1.0, 1.1"):
        reader(host).digest("shop:3.0")
    with pytest.raises(NoSuchImage, match=r"the registry knows no .*/team/cart"):
        OciImages(reader(host)).resolve("cart:1.0")
    with pytest.raises(LookupError, match="no reference of an image"):
        reader(host).digest("shop")


def test_a_digest_is_computed_where_the_registry_does_not_say_it(standin: Standin) -> None:
    standin.states_digest = False
    digest = Pusher(standin.host, "team/shop").image("2.0")["digest"]
    assert reader(standin.host).digest("shop:2.0") == digest


def test_asks_for_a_tag_without_fetching_it(standin: Standin) -> None:
    """Docker Hub counts fetches, not questions."""
    Pusher(standin.host, "team/shop").image("2.0")
    standin.asked.clear()
    reader(standin.host).digest("shop:2.0")
    assert standin.asked == ["HEAD /v2/team/shop/manifests/2.0"]


def signed_in(path: Path, host: str, entry: dict[str, str]) -> dict[str, str]:
    (path / "config.json").write_text(json.dumps({"auths": {host: entry}}))
    return {"DOCKER_CONFIG": str(path)}


ANNA = base64.b64encode(b"anna:s3cret").decode()


@pytest.mark.parametrize("basic", [False, True], ids=["token", "basic"])
def test_signs_in_where_the_registry_wants_that(standin: Standin, tmp_path: Path, basic: bool) -> None:
    digest = Pusher(standin.host, "team/shop").image("2.0", labels=SHOP)["digest"]
    standin.users, standin.basic = {"anna": "s3cret"}, basic
    registry = reader(standin.host, signed_in(tmp_path, standin.host, {"auth": ANNA}))
    assert registry.digest("shop:2.0") == digest
    assert registry.resolve("shop:2.0").labels[REVISION] == "0002"
    assert len([asked for asked in standin.asked if "/token" in asked]) == (0 if basic else 1)


def test_a_token_that_has_expired_is_renewed(standin: Standin, tmp_path: Path) -> None:
    digest = Pusher(standin.host, "team/shop").image("2.0")["digest"]
    standin.users = {"anna": "s3cret"}
    registry = reader(standin.host, signed_in(tmp_path, standin.host, {"auth": ANNA}))
    registry.digest("shop:2.0")
    standin.tokens.clear()
    assert registry.digest("shop:2.0") == digest


def test_an_identity_token_is_exchanged(standin: Standin, tmp_path: Path) -> None:
    digest = Pusher(standin.host, "team/shop").image("2.0")["digest"]
    standin.users = {"anna": "s3cret"}
    environ = signed_in(tmp_path, standin.host, {"identitytoken": "identity"})
    assert reader(standin.host, environ).digest("shop:2.0") == digest


@pytest.mark.parametrize("password", [None, "wrong"], ids=["nobody", "wrong"])
def test_who_may_not_know_is_told_to_sign_in(standin: Standin, tmp_path: Path, password: str | None) -> None:
    Pusher(standin.host, "team/shop").image("2.0")
    standin.users = {"anna": "s3cret"}
    entry = {"auth": base64.b64encode(f"anna:{password}".encode()).decode()} if password else {}
    with pytest.raises(RegistryUnavailable, match=r"status 401.*check `docker login 127") as error:
        reader(standin.host, signed_in(tmp_path, standin.host, entry)).digest("shop:2.0")
    assert "wrong" not in str(error.value)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_registry_in_trouble_says_nothing_about_the_image(standin: Standin, status: int) -> None:
    standin.status = status
    with pytest.raises(RegistryUnavailable, match=f"answers with status {status}"):
        reader(standin.host).digest("shop:2.0")
    with pytest.raises(ConfigurationError, match="nothing was changed, try again"):
        OciImages(reader(standin.host)).resolve("shop:2.0")


def test_a_registry_that_is_silent_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        registry = OciRegistry({}, prefix=f"127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
        with pytest.raises(RegistryUnavailable, match="cannot be asked: no whole answer in time"):
            registry.digest("shop:2.0")


def test_a_registry_that_swaps_an_image_is_not_trusted(standin: Standin) -> None:
    shop = Pusher(standin.host, "team/shop")
    digest = shop.image("2.0")["digest"]
    kind, body = standin.manifests["team/shop", digest]
    standin.manifests["team/shop", digest] = (kind, body + b" ")
    with pytest.raises(RegistryUnavailable, match="do not trust it"):
        reader(standin.host).resolve(f"shop@{digest}")


@pytest.mark.parametrize("command", ['["shop", 1]', '["shop"', 'shop "'], ids=["number", "half", "quote"])
def test_a_label_that_makes_no_sense_is_named(standin: Standin, command: str) -> None:
    Pusher(standin.host, "team/shop").image("2.0", labels={COMMAND: command})
    with pytest.raises(ConfigurationError, match=COMMAND):
        OciImages(reader(standin.host)).resolve("shop:2.0")
