"""What a registry asks for, and what it is given."""

from __future__ import annotations

import pytest

from phases.oci.challenge import Challenge, parse, token_request
from phases.oci.credentials import Credentials

BEARER = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"'


def test_reads_a_challenge_word_for_word() -> None:
    assert parse(BEARER) == Challenge(
        "bearer", "https://auth.docker.io/token", "registry.docker.io", "repository:a/b:pull,push"
    )
    assert parse('Basic realm="x"') == Challenge("basic")


@pytest.mark.parametrize("header", ["", "Negotiate", "Bearer", 'Bearer service="x"'])
def test_knows_no_answer_to_others(header: str) -> None:
    assert parse(header) is None


def test_asks_for_a_token_of_nobody() -> None:
    request = token_request(Challenge("bearer", "https://a/token", "s"), None, scope="repository:b:pull")
    assert (request.method, request.url) == ("GET", "https://a/token?service=s&scope=repository%3Ab%3Apull")
    assert request.headers == ()


def test_asks_for_a_token_with_a_password() -> None:
    request = token_request(Challenge("bearer", "https://a/token?x=1"), Credentials("u", "p"), scope="s")
    assert request.url == "https://a/token?x=1&scope=s"
    assert request.headers == (("Authorization", "Basic dTpw"),)


def test_exchanges_an_identity_token() -> None:
    request = token_request(Challenge("bearer", "https://a/token"), Credentials(identity="i&d"), scope="s")
    assert request.method == "POST"
    assert request.body == "grant_type=refresh_token&refresh_token=i%26d&client_id=launch&scope=s"
