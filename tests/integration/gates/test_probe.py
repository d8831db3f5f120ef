"""One request against servers that behave and servers that do not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

import pytest

from phases.http import BODY_LIMIT, probe

pytestmark = pytest.mark.integration


class Server(Protocol):
    url: str
    handler: Any


def test_a_good_answer_comes_back_whole(server: Server) -> None:
    answer = probe(server.url + "/health")
    assert (answer.status, answer.body, answer.error) == (200, b"ok", None)
    assert answer.headers["content-length"] == "2"
    assert answer.answered


def test_a_bad_status_is_an_answer(server: Server) -> None:
    answer = probe(server.url + "/broken")
    assert (answer.status, answer.text, answer.error) == (503, "broken", None)


def test_method_headers_and_body_arrive(server: Server) -> None:
    probe(server.url + "/x?y=1", method="PUT", headers={"X-A": "b"}, body=b"hello")
    method, path, headers, body = server.handler.seen[0]
    assert (method, path, headers["x-a"], body) == ("PUT", "/x?y=1", "b", b"hello")


def test_a_refused_connection_is_told_in_plain_words(closed_url: str) -> None:
    answer = probe(closed_url)
    assert (answer.status, answer.error) == (None, "connection refused")


@pytest.mark.parametrize("path", ["/silent", "/drip"])
def test_a_server_that_never_ends_is_left_in_time(server: Server, path: str) -> None:
    answer = probe(server.url + path, timeout=0.3)
    assert answer.error == "no whole answer in time (300ms)"
    assert not answer.answered


def test_no_thread_stays_behind_at_a_dripping_server(server: Server) -> None:
    probe(server.url + "/drip", timeout=0.3)
    for thread in threading.enumerate():
        if thread.name == "launch-probe":
            thread.join(10)
    assert not [thread for thread in threading.enumerate() if thread.name == "launch-probe"]


def test_a_stop_ends_it_long_before_its_timeout(
    server: Server, later: Callable[[float, Callable[[], None]], None]
) -> None:
    stop = threading.Event()
    later(0.1, stop.set)
    answer = probe(server.url + "/silent", timeout=60, stop=stop)
    assert answer.error == "stopped"


def test_redirects_are_followed_only_when_told_to(server: Server) -> None:
    assert probe(server.url + "/moved").status == 302
    assert probe(server.url + "/moved", redirects=True).body == b"ok"
    circle = probe(server.url + "/circle", redirects=True)
    assert (circle.status, circle.error) == (None, "too many redirects")


def test_a_connection_that_breaks_in_the_body_is_no_whole_answer(server: Server) -> None:
    answer = probe(server.url + "/short")
    assert answer.status == 200
    assert answer.error is not None
    assert "the connection broke" in answer.error


def test_a_huge_body_is_cut_and_still_an_answer(server: Server) -> None:
    answer = probe(server.url + "/huge", timeout=30)
    assert answer.answered
    assert len(answer.body) == BODY_LIMIT


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "shop", "http://[::1"])
def test_a_url_that_is_none_is_an_error_and_no_exception(url: str) -> None:
    assert probe(url).error == "the URL is not valid"


def test_a_plain_server_asked_for_tls_is_told_in_plain_words(server: Server) -> None:
    error = probe(server.url.replace("http:", "https:") + "/health").error
    assert error is not None
    assert error.startswith("TLS failed")


def test_errors_do_not_repeat_a_password_of_the_url(closed_url: str) -> None:
    answer = probe(closed_url.replace("http://", "http://user:hunter2@") + "/?key=hunter2")
    assert answer.error is not None
    assert "hunter2" not in answer.error
