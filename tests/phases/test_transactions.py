from __future__ import annotations

from pathlib import Path

import pytest

from phases.transactions import Transaction, TransactionsError, fill, load

GOOD = """\
- name: home
  path: /
- name: login
  method: POST
  path: /login?from=launch
  headers: {Accept: application/json}
  json: {user: anna, run: "{{ run }}"}
  timeout: 2s
  expect:
    status: [200, 201]
    json: {auth.ok: true}
    headers: {X-Shop: "2.0"}
    contains: token
    latency_ms: 300
  save: {token: auth.token}
- name: cart
  path: /cart
  headers: {Authorization: "Bearer {{ token }}"}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "synthetic.yaml"
    path.write_text(text)
    return path


def complaint(tmp_path: Path, text: str) -> TransactionsError:
    with pytest.raises(TransactionsError) as caught:
        load(write(tmp_path, text))
    return caught.value


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    home, login, cart = load(write(tmp_path, GOOD))
    assert (home.method, home.path, home.expect.status) == ("GET", "/", (200,))
    assert login.json_ == {"user": "anna", "run": "{{ run }}"}
    assert (login.timeout, login.expect.status, login.expect.latency_ms) == (2.0, (200, 201), 300)
    assert cart.needs() == {"token"}
    assert login.needs() == set()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("- name: x\n", 1, "transaction 'x', path: is missing"),
        ("- path: /\n", 1, "transaction 1, name: is missing"),
        ("- name: x\n  path: /\n  pth: 1\n", 3, "transaction 'x', pth: there is no such key"),
        ("- name: x\n  path: x\n", 2, "transaction 'x', path: "),
        ("- name: x\n  path: /\n  expect:\n    status: 700\n", 4, "700 is no HTTP status"),
        ("- name: x\n  path: /\n  expect:\n    status: [200, x]\n", 4, "'x' is no HTTP status"),
        ("- name: x\n  path: /\n  timeout: 5\n", 3, "a duration"),
        (
            "- name: x\n  path: /\n  expect:\n    json:\n      a.b: 1\n      'a[': 1\n",
            6,
            "'a[' is no JMESPath expression",
        ),
        ("- name: x\n  path: /\n  json: 1\n  body: a\n", 1, "a request has one body"),
        ("- name: x\n  path: /\n  save:\n    a-b: c\n", 1, "'a-b' cannot be a name"),
        ("- name: x\n  path: /\n  save: {run: c}\n", 1, "'run' cannot be a name"),
        (
            "- name: x\n  path: /\n- name: y\n  path: /{{ id }}\n",
            3,
            "uses {{ id }}, which no earlier transaction saves",
        ),
        ("- name: x\n  path: /{{ id }}\n  save: {id: id}\n", 1, "none is saved before it"),
        ("- name: x\n  path: /\n- name: x\n  path: /\n", 3, "two are called 'x'"),
        ("- 5\n", 1, "transaction 1: "),
        ("name: x\n", 1, "should be a list of transactions"),
        ("", 1, "should be a list of transactions"),
        ("[]", 1, "should be a list of transactions"),
        ("- name: x\n  path: [\n", 3, "is no YAML"),
        ("- name: !!python/object:os.system x\n", 1, "is no YAML"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    error = complaint(tmp_path, text)
    assert message in str(error)
    assert error.line == line
    assert str(error).startswith(f"{tmp_path / 'synthetic.yaml'}:{line}: ")


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(TransactionsError, match="cannot be read: No such file") as caught:
        load(tmp_path / "none.yaml")
    assert caught.value.line == 0


def test_a_file_that_is_no_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"- name: \xfc")
    with pytest.raises(TransactionsError, match="no UTF-8 text"):
        load(path)


def test_saved_values_keep_their_type_where_they_stand_alone() -> None:
    values = {"id": 5, "user": {"name": "anna"}, "run": 2}
    filled = fill({"id": "{{ id }}", "who": "{{user}}", "text": "run {{ run }}", "list": ["{{ id }}", 7]}, values)
    assert filled == {"id": 5, "who": {"name": "anna"}, "text": "run 2", "list": [5, 7]}


def test_transactions_made_by_a_program_are_checked_too() -> None:
    with pytest.raises(ValueError, match="one body"):
        Transaction.model_validate({"name": "x", "path": "/", "json": 1, "body": "a"})
