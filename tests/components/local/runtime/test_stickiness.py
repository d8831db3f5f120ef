"""Users who stay on their slot."""

from __future__ import annotations

from collections import Counter

from components.local.runtime.http1 import parse_request
from components.local.runtime.proxy import Router
from components.local.runtime.routing import Backend, RouterConfig, Sticky

BY_COOKIE = Sticky(cookie="slot")


def config(old: int, new: int, sticky: Sticky | None) -> RouterConfig:
    return RouterConfig.build(
        [Backend("old", "http://127.0.0.1:8001", old), Backend("new", "http://127.0.0.1:8002", new)], sticky
    )


def visit(router: Router, *lines: str) -> tuple[str, bytes | None]:
    head = "".join(f"{line}\r\n" for line in ("GET / HTTP/1.1", "Host: shop", *lines)).encode()
    slot, cookie = router.choose(parse_request(head, router.looked_at))
    assert slot is not None
    return slot.name, cookie


def test_a_new_user_is_given_a_cookie_and_stays() -> None:
    router = Router(config(50, 50, BY_COOKIE))
    slot, cookie = visit(router, "Cookie: theme=dark")
    assert cookie == f"Set-Cookie: slot={slot}; Path=/; HttpOnly; SameSite=Lax".encode()
    for _ in range(20):
        assert visit(router, f"Cookie: theme=dark; slot={slot}") == (slot, None)


def test_a_user_stays_while_the_slot_has_any_weight() -> None:
    router = Router(config(100, 0, BY_COOKIE))
    router.apply(config(1, 99, BY_COOKIE))
    for _ in range(20):
        assert visit(router, "Cookie: slot=old") == ("old", None)
    router.apply(config(0, 100, BY_COOKIE))
    slot, cookie = visit(router, "Cookie: slot=old")
    assert slot == "new"
    assert cookie is not None
    assert cookie.startswith(b"Set-Cookie: slot=new;")


def test_new_users_are_split_by_weight_whatever_others_bring() -> None:
    router = Router(config(90, 10, BY_COOKIE))
    got = Counter[str]()
    for _ in range(100):
        visit(router, "Cookie: slot=new")
        got[visit(router)[0]] += 1
    assert 8 <= got["new"] <= 12


def test_a_cookie_somebody_made_up_names_no_slot() -> None:
    router = Router(config(100, 0, BY_COOKIE))
    for value in ("elsewhere", "new", "", '"', "old\xff"):
        slot, cookie = visit(router, f"Cookie: slot={value}")
        assert slot == "old"
        assert cookie is not None


def test_a_header_keeps_a_user_where_they_are() -> None:
    router = Router(config(50, 50, Sticky(header="X-User")))
    assert len({visit(router, "x-user: jo") for _ in range(20)}) == 1
    assert {visit(router, f"X-User: {number}")[0] for number in range(40)} == {"old", "new"}


def test_without_the_header_requests_are_split_one_by_one() -> None:
    router = Router(config(50, 50, Sticky(header="X-User")))
    got = Counter(visit(router)[0] for _ in range(100))
    assert 47 <= got["new"] <= 53
