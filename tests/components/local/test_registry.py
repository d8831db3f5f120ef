"""Which artifact a reference means, and what is said where it means none."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.local.artifact import ArtifactError
from components.local.registry import ArtifactNotFound, Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    for tag in ("1.9", "1.10", "2.0"):
        (tmp_path / "shop" / tag).mkdir(parents=True)
        (tmp_path / "shop" / tag / "server.py").write_text(f"VERSION = {tag!r}\n")
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / "1").write_text("a file is an artifact too\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / "shop" / ".DS_Store").touch()
    return Registry(tmp_path)


def test_names_and_tags_are_what_lies_there(registry: Registry) -> None:
    assert registry.names() == ("shop", "tool")
    assert registry.tags("shop") == ("1.9", "1.10", "2.0")
    assert registry.tags("unheard-of") == ()


def test_a_tag_is_pinned_to_its_digest(registry: Registry) -> None:
    found = registry.resolve("shop:2.0")
    assert (found.name, found.tag, found.path) == ("shop", "2.0", registry.root / "shop" / "2.0")
    assert found.pinned == f"shop@{found.digest}"
    assert registry.resolve(found.pinned) == found
    assert registry.resolve(f"shop:2.0@{found.digest}") == found


def test_a_file_resolves_as_a_directory_does(registry: Registry) -> None:
    assert registry.resolve("tool:1").path.read_text() == "a file is an artifact too\n"


def test_of_two_tags_with_one_digest_the_newest_is_named(registry: Registry) -> None:
    for tag in ("2.1", "2.10"):
        (registry.root / "shop" / tag).mkdir()
        (registry.root / "shop" / tag / "server.py").write_text("VERSION = '2.0'\n")
    assert registry.resolve(registry.resolve("shop:2.0").pinned).tag == "2.10"


def test_an_unknown_name_tells_the_nearest_first(registry: Registry) -> None:
    with pytest.raises(
        ArtifactNotFound, match=r"no name 'shpo' in .*; there are shop, tool \(nearest first\)"
    ) as error:
        registry.resolve("shpo:2.0")
    assert error.value.known == ("shop", "tool")
    assert error.value.reference == "shpo:2.0"


def test_an_unknown_tag_tells_the_nearest_first(registry: Registry) -> None:
    with pytest.raises(ArtifactNotFound, match=r"no tag '2\.00' of shop; there are 2\.0, ") as error:
        registry.resolve("shop:2.00")
    assert set(error.value.known) == {"1.9", "1.10", "2.0"}


def test_an_empty_registry_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match="put an artifact at NAME/TAG"):
        Registry(tmp_path / "nothing").resolve("shop:2.0")


def test_an_unknown_digest_tells_those_there_are(registry: Registry) -> None:
    with pytest.raises(ArtifactNotFound, match=r"no tag of shop has digest sha256:0+; there are 1\.9 = sha256:"):
        registry.resolve(f"shop@sha256:{'0' * 64}")


def test_a_tag_that_was_changed_after_it_was_pinned_is_no_longer_found(registry: Registry) -> None:
    pinned = registry.resolve("shop:2.0").digest
    (registry.root / "shop" / "2.0" / "server.py").write_text("VERSION = 'other'\n")
    with pytest.raises(ArtifactError, match="changed after it was pinned"):
        registry.resolve(f"shop:2.0@{pinned}")


@pytest.mark.parametrize(
    "reference",
    ["", "shop", "shop:", ":2.0", "../shop:2.0", "shop:../../etc", "shop@sha256:12", "shop:2.0@md5:1", "a b:1"],
)
def test_what_is_no_reference_is_refused(registry: Registry, reference: str) -> None:
    with pytest.raises(ArtifactNotFound, match=r"write name:tag, such as shop:2\.0"):
        registry.resolve(reference)


def test_the_manifest_comes_with_the_artifact(registry: Registry) -> None:
    (registry.root / "shop" / "2.0" / "artifact.yaml").write_text("flags: [new_checkout]\n")
    assert registry.resolve("shop:2.0").manifest.flags == ("new_checkout",)
    assert registry.resolve("tool:1").manifest.command is None
