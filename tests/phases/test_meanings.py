"""What is said of a key comes from below the attribute, and only when somebody reads about it."""

from __future__ import annotations

from pydantic import Field, create_model

from phases.meanings import meaning
from phases.model import Settings


class Shop(Settings):
    """A shop."""

    name: str
    """What people call it.

    It may have spaces.
    """

    rooms: int = Field(2, description="How many rooms.")
    """Not this."""

    silent: bool = False


class Bakery(Shop):
    """A shop with an oven."""

    silent: bool = True
    oven: str = ""
    """Which oven."""


def said(model: type[Settings], name: str) -> str | None:
    return meaning(model, name, model.model_fields[name])


def test_it_is_the_docstring_below_the_attribute() -> None:
    assert said(Shop, "name") == "What people call it.\n\nIt may have spaces."


def test_what_the_field_says_itself_goes_first() -> None:
    assert said(Shop, "rooms") == "How many rooms."


def test_nothing_is_said_where_nobody_did() -> None:
    assert said(Shop, "silent") is None


def test_a_model_has_what_is_said_where_it_comes_from() -> None:
    assert said(Bakery, "name") == said(Shop, "name")
    assert said(Bakery, "oven") == "Which oven."


def test_a_field_that_is_defined_anew_means_something_else() -> None:
    kiosk = create_model("Kiosk", __base__=Bakery, name=(str, ...))
    assert said(kiosk, "name") is None


def test_a_model_made_at_run_time_too() -> None:
    assert said(create_model("Kiosk", __base__=Bakery), "oven") == "Which oven."


def test_nobody_pays_for_it_while_models_are_made() -> None:
    assert Shop.model_fields["name"].description is None
