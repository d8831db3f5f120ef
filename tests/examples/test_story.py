"""What the demo tells in the end: somebody who sees this for the first time should understand it."""

from __future__ import annotations

from typing import Any

import pytest

from examples.shop.story import WIDTH, live, tell


def status(image: str = "shop:1.0", *, flag: str = "off", revision: str = "0001") -> dict[str, Any]:
    return {
        "state": "COMPLETED",
        "traffic": [
            {"slot": "blue", "image": image, "weight": 100, "url": "http://127.0.0.1:1"},
            {"slot": "green", "image": "shop:0.9", "weight": 0, "url": "http://127.0.0.1:2"},
        ],
        "flags": [{"key": "new_checkout", "state": flag}],
        "schema": {"revision": revision},
        "url": "http://127.0.0.1:8420",
    }


def users(*, earned: int = 0, refused: int = 0) -> dict[str, Any]:
    return {
        "requests": 7199,
        "seconds": 60.0,
        "failed": earned + refused,
        "earned": earned,
        "on_the_way": refused,
        "on_the_way_by_kind": {"refused": refused} if refused else {},
        "versions": {
            "1.0": {"requests": 4100, "failed": 0, "p99_ms": 31.2},
            "2.1": {"requests": 3099, "failed": earned, "p99_ms": 33.0},
        },
    }


def story(version: str, code: int, **changed: Any) -> str:  # noqa: ANN401 - arguments of tell
    given: dict[str, Any] = {"before": status(), "after": status(), "reason": "", "users": users(), **changed}
    return "\n".join(tell(version, code, **given))


def test_a_good_launch_says_what_users_have_now() -> None:
    told = story("2.0", 0, after=status("shop:2.0", flag="on", revision="0002"))
    for part in ("shop:2.0: COMPLETED", "7,199 requests in 60 s", "Failed        none", "100% shop:2.0"):
        assert part in told
    for part in ("new_checkout on", "revision 0002", "curl http://127.0.0.1:8420", "make down"):
        assert part in told
    assert "exit code" not in told


def test_a_bad_version_says_why_and_who_noticed() -> None:
    told = story("2.1", 1, reason="the breaker tripped: error_rate 0.024 is over 0.01", users=users(earned=3))
    for part in ("ROLLED BACK", "error_rate 0.024", "it reads the router's metrics", "3 by the version's own doing"):
        assert part in told
    assert "none from shifting the traffic" in told
    assert "as they were before" in told
    assert "make calls exit code 1 an error" in told


@pytest.mark.parametrize(
    ("reason", "guard"),
    [
        ("gate schema_compatibility failed: a statement", "reads each statement of the migration"),
        ("gate http_status failed: GET /health answered 503", "asks the new slot before it has users"),
        ("synthetic transactions failed", "use the new slot before users do"),
        ("gate policy failed", "a gate of the sequence"),
    ],
)
def test_names_what_protected_the_users(reason: str, guard: str) -> None:
    assert guard in " ".join(story("2.4", 1, reason=reason).split())


def test_does_not_hide_what_shifting_cost() -> None:
    assert "4 refused from shifting the traffic" in story("2.0", 0, users=users(refused=4))


def test_does_not_claim_that_all_is_as_before_where_it_is_not() -> None:
    told = story("2.1", 1, after=status(flag="on"))
    assert "not everything: flags differ" in " ".join(told.split())


def test_a_first_launch_had_no_users() -> None:
    assert "none yet" in story("1.0", 0, users={})


@pytest.mark.parametrize(("code", "state"), [(3, "FAILED"), (130, "PAUSED")])
def test_says_how_to_finish_what_is_unfinished(code: int, state: str) -> None:
    told = story("2.1", code, reason="an undo failed", after={**status(), "state": state})
    assert "launch resume dev" in told
    assert "an undo failed" in told


def test_an_interrupted_launch_that_went_back_needs_nothing_more() -> None:
    assert "resume" not in story("2.0", 130, after={**status(), "state": "ROLLED_BACK"})


def test_fits_a_terminal() -> None:
    told = story("2.4", 1, reason="gate schema_compatibility failed: " + "a statement is not safe " * 12)
    assert max(map(len, told.splitlines())) <= max(WIDTH, 80)


def test_most_users_decide_what_is_live() -> None:
    assert live(status("shop:2.0")) == "shop:2.0"
    assert live({"traffic": []}) is None
