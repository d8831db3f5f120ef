"""Secrets that were read from the configuration stay out of every message."""

from __future__ import annotations

from stacks.masking import Masker


def test_every_text_within_a_secret_is_masked_the_longest_first() -> None:
    mask = Masker()
    mask.learn({"url": "postgres://ana:hush@db", "keys": ["hush-hush", 123456]})
    mask.learn("hush")

    assert mask("cannot open postgres://ana:hush@db with hush-hush, 123456 or hush") == (
        "cannot open [secret] with [secret], [secret] or [secret]"
    )


def test_what_is_short_enough_to_be_a_word_is_left() -> None:
    mask = Masker()
    mask.learn(["on", 80, True, None])

    assert mask("port 80 is on: True") == "port 80 is on: True"
