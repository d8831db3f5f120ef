"""How a step of the plan reads."""

from __future__ import annotations

from launch.planning import Entry


def test_a_bake_follows_what_the_step_changes() -> None:
    entry = Entry("traffic", "traffic.1", "traffic 0% -> 10%", bake=120.0, changes={"update": 1, "same": 4})
    assert entry.line.split(maxsplit=1) == ["traffic.1", "traffic 0% -> 10%, then watch 2m [1 update]"]


def test_a_step_that_only_watches_says_so_once() -> None:
    entry = Entry("post_launch", "post_launch.1", "post_launch watch 10m", bake=600.0)
    assert entry.line.split(maxsplit=1) == ["post_launch.1", "post_launch watch 10m"]
