"""Images become releases before anything is changed: of many services, several at a time."""

from __future__ import annotations

import threading

import pytest

from launch import releases
from launch.configuration.environment import CompanionSettings, EnvironmentSettings
from launch.image_sources.base import Image, NoSuchImage
from phases.errors import ConfigurationError
from phases.record import ReleaseRecord


class Images:
    """A registry with every image but those called `gone`; `together` questions meet before one is answered."""

    def __init__(self, together: int = 1) -> None:
        self._met = threading.Barrier(together)

    def resolve(self, image: str) -> Image:
        self._met.wait(timeout=10)
        if image.startswith("gone"):
            raise NoSuchImage("there is none")
        return Image(reference=image, digest=f"sha256:{image}")

    def digest(self, image: str) -> str:
        return self.resolve(image).digest


def settings(*images: str) -> EnvironmentSettings:
    services = {f"svc-{number}": CompanionSettings(image=image) for number, image in enumerate(images)}
    return EnvironmentSettings(services=services)


def given(images: Images, monkeypatch: pytest.MonkeyPatch) -> Images:
    monkeypatch.setattr(releases, "source", lambda _: images)
    return images


def test_several_images_are_asked_for_at_once_and_stay_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    given(Images(together=3), monkeypatch)

    found = releases.companions(settings("a:1", "b:1", "c:1"), {})

    assert {name: item.release.image for name, item in found.items()} == {
        "svc-0": "a:1",
        "svc-1": "b:1",
        "svc-2": "c:1",
    }
    assert list(found) == ["svc-0", "svc-1", "svc-2"]


def test_the_first_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    given(Images(), monkeypatch)

    with pytest.raises(ConfigurationError, match=r"launch:services\.svc-1: image 'gone:1': there is none"):
        releases.companions(settings("a:1", "gone:1", "b:1", "gone:2"), {})


def test_a_launch_that_goes_on_has_what_it_began_with(monkeypatch: pytest.MonkeyPatch) -> None:
    given(Images(), monkeypatch)

    found = releases.companions(settings("a:2"), {"svc-0": ReleaseRecord(image="a:1", digest="sha256:before")})

    assert found["svc-0"].release.image == "a:1"
    assert found["svc-0"].image.reference == "a@sha256:before"
