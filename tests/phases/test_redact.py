from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from phases.redact import MARK, redact, redact_result
from phases.verdict import failed


def test_a_secret_goes_wherever_it_is_nested() -> None:
    value = {"url": "http://u:hunter2@h/", "list": ["hunter2", 5, None, {"hunter2": True}], "t": ("a hunter2",)}
    assert redact(value, ["hunter2"]) == {
        "url": f"http://u:{MARK}@h/",
        "list": [MARK, 5, None, {MARK: True}],
        "t": (f"a {MARK}",),
    }


def test_spellings_of_urls_and_json_go_too() -> None:
    assert redact("postgres://shop:p%40ss%2Fw%22@db", ['p@ss/w"']) == f"postgres://shop:{MARK}@db"
    assert redact("?q=a+b%26c", ["a b&c"]) == f"?q={MARK}"
    assert redact('{"key": "a\\"b\\n"}', ['a"b\n']) == f'{{"key": "{MARK}"}}'
    assert redact('"\\u00fcber"', ["über"]) == f'"{MARK}"'


def test_a_secret_that_contains_another_leaves_nothing() -> None:
    assert redact("hunter2-prod hunter2", ["hunter2", "hunter2-prod"]) == f"{MARK} {MARK}"


def test_a_short_secret_is_not_looked_for_in_the_mark_of_another() -> None:
    assert redact("hunter2 e", ["e", "hunter2"]) == f"{MARK} {MARK}"


def test_an_empty_secret_hides_nothing() -> None:
    assert redact("text", ["", "other"]) == "text"


def test_reason_evidence_and_warnings_of_a_result_are_clean() -> None:
    result = failed("no hunter2", {"url": "hunter2"}, warnings=("hunter2!",))
    assert "hunter2" not in str(redact_result(result, ("hunter2",)))
    assert redact_result(result, ()) is result


@given(st.text(min_size=1).filter(lambda text: text not in MARK), st.text(), st.text())
def test_no_secret_is_left_in_any_text(secret: str, before: str, after: str) -> None:
    clean = redact(before + secret + after, [secret])
    assert secret not in clean.replace(MARK, "\ue000") or secret == "\ue000"
