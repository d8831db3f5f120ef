"""What is to run, how it is recognised, and that it gives no secret away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from components.local.runtime.spec import Order, Port, ProcessSpec, Readiness, digest, inherited, matches

SPEC = ProcessSpec(
    directory=Path("/run/blue"),
    command=("serve", "${PORT}"),
    environment={"PIN": "1234", "MODE": "production"},
    cwd=Path("/srv"),
    readiness=Readiness(),
)


def test_the_same_spec_is_recognised() -> None:
    known = digest(SPEC)
    assert matches(SPEC, known)
    assert matches(replace(SPEC, environment=dict(reversed(list(SPEC.environment.items())))), known)
    assert matches(replace(SPEC, directory=Path("/elsewhere")), known)


@pytest.mark.parametrize(
    "change",
    [
        {"command": ("serve",)},
        {"environment": {"PIN": "1235", "MODE": "production"}},
        {"environment": {}},
        {"cwd": Path("/")},
        {"port": 80},
        {"readiness": None},
        {"readiness": Readiness(status=204)},
        {"stop_grace": 1.0},
    ],
)
def test_any_change_is_seen(change: dict[str, object]) -> None:
    assert not matches(replace(SPEC, **change), digest(SPEC))  # type: ignore[arg-type]


def test_a_digest_is_of_no_use_to_who_has_hashed_all_pins_before() -> None:
    assert digest(SPEC) != digest(SPEC)
    for secret in ("1234", "production"):
        assert secret not in digest(SPEC)


@pytest.mark.parametrize("damaged", ["", ":", "zz:00", "00"])
def test_a_damaged_digest_matches_nothing(damaged: str) -> None:
    assert not matches(SPEC, damaged)


def test_an_order_survives_the_pipe_and_half_an_order_is_none() -> None:
    order = Order(
        directory=Path("/run/blue"),
        command=("serve",),
        environment={"PIN": "1234"},
        cwd=Path("/srv"),
        ports=(Port("127.0.0.1", 0, listen=True),),
        stop_grace=5.0,
        digest="x",
        life_lock=7,
        adopt={"pid": 1, "started": "y"},
    )
    line = order.to_json()
    assert Order.from_json(line) == order
    for cut in (0, 1, len(line) - 1):
        with pytest.raises(ValueError, match=r"whole"):
            Order.from_json(line[:cut])
    assert "1234" not in repr(order)


def test_a_pipelines_tokens_stay_behind() -> None:
    source = {"PATH": "/bin", "LANG": "C", "PULUMI_CONFIG_PASSPHRASE": "x", "GITHUB_TOKEN": "y", "PYTHONPATH": "z"}
    assert inherited(source) == {"PATH": "/bin", "LANG": "C"}
