"""A secret reaches the service it is for, and no file, no event and no output."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable

import psutil
import pytest

from tests.integration.launches.conftest import Project
from tests.integration.launches.leaks import holds, leaks, with_secrets

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

TOKEN = "hush-hush-token-4711-never-shown"


@pytest.fixture(scope="module")
def launched(make_project: Callable[..., Project]) -> Project:
    """A project whose service has a secret in its environment."""
    project = make_project()
    with_secrets(project, service__environment__TOKEN=TOKEN)
    project.launch("up", "dev", "--image", "shop:1.0", check=0)
    return project


def test_the_search_finds_what_is_hidden_in_encodings() -> None:
    assert holds(TOKEN.encode(), TOKEN)
    assert holds(base64.b64encode(b"before " + TOKEN.encode()), TOKEN)
    assert holds(gzip.compress(b"{" + TOKEN.encode() + b"}"), TOKEN)
    assert holds(b'{"a": "' + base64.b64encode(gzip.compress(TOKEN.encode())) + b'"}', TOKEN)
    assert not holds(b'{"a": "something else that is long enough"}', TOKEN)


def test_a_secret_is_nowhere_after_a_launch_and_after_its_rollback(launched: Project) -> None:
    for arguments in (("up", "dev", "--image", "shop:2.0"), ("rollback", "dev")):
        result = launched.launch(*arguments, check=0)
        assert TOKEN not in result.stdout
        assert TOKEN not in result.stderr
        assert leaks(launched.root, TOKEN) == []
        children = [record.child for record in launched.runtimes("slots") if record.child is not None]
        alive = [psutil.Process(child.pid) for child in children if child.alive()]
        assert [process.environ()["TOKEN"] for process in alive] == [TOKEN]
    assert launched.running() == ["shop:1.0"]


def test_no_command_that_looks_shows_it(launched: Project) -> None:
    for arguments in (
        ("status", "dev"),
        ("history", "dev"),
        ("plan", "dev", "--image", "shop:2.0"),
        ("check", "dev", "--image", "shop:2.0"),
    ):
        for output in ("json", "plain"):
            result = launched.launch(*arguments, "--output", output)
            assert result.stdout
            assert TOKEN not in str(result)
