"""What the users of the load generator do."""

from __future__ import annotations

from random import Random

from examples.load.users import MEAN_REQUESTS, visit


def users(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - play


def test_the_same_seed_plays_the_same_users() -> None:
    assert visit(users(7), 1) == visit(users(7), 1)


def test_about_half_of_all_requests_are_checkouts() -> None:
    """Else a version that fails 5% of its checkouts would hide below a limit of 2% of its requests."""
    draw = users(1)
    requests = [request for customer in range(2000) for request in visit(draw, customer)]
    checkouts = sum(request.path == "/checkout" for request in requests)
    assert 0.45 < checkouts / len(requests) < 0.55
    assert abs(len(requests) / 2000 - MEAN_REQUESTS) < 0.1
