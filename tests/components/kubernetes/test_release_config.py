"""The configuration of a release: another content is another object."""

from __future__ import annotations

import base64
import re

from components.kubernetes.release_config import release_config


def test_the_same_content_has_the_same_name_in_any_order() -> None:
    one = release_config("shop-blue", {"A": "1", "B": "2"}, {"C": "3", "D": "4"})
    other = release_config("shop-blue", {"B": "2", "A": "1"}, {"D": "4", "C": "3"})
    assert (one.config_map, one.secret) == (other.config_map, other.secret)
    assert re.fullmatch(r"shop-blue-[0-9a-f]{8}", one.config_map or "")
    assert re.fullmatch(r"shop-blue-[0-9a-f]{8}", one.secret or "")


def test_a_changed_variable_is_another_object_so_that_old_pods_keep_theirs() -> None:
    before = release_config("shop-blue", {"A": "1"}, {"B": "2"})
    plain = release_config("shop-blue", {"A": "changed"}, {"B": "2"})
    secret = release_config("shop-blue", {"A": "1"}, {"B": "changed"})
    assert plain.config_map != before.config_map
    assert plain.secret == before.secret
    assert secret.config_map == before.config_map
    assert secret.secret != before.secret


def test_keys_and_values_do_not_run_together() -> None:
    assert release_config("s", {"A": "1B"}, {}).config_map != release_config("s", {"A1": "B"}, {}).config_map


def test_a_secret_is_encoded_as_the_api_wants_it() -> None:
    config = release_config("shop-blue", {}, {"PASSWORD": "schöner"})
    assert base64.b64decode(config.secret_data["PASSWORD"]).decode() == "schöner"
    assert config.config_map is None
    assert config.sources == [{"secretRef": {"name": config.secret}}]


def test_nothing_of_a_secret_is_shown_by_accident() -> None:
    config = release_config("shop-blue", {"A": "1"}, {"PASSWORD": "hunter2"})
    assert "hunter2" not in repr(config)
    assert base64.b64encode(b"hunter2").decode() not in repr(config)


def test_no_variables_need_no_objects() -> None:
    config = release_config("shop-blue", {}, {})
    assert (config.config_map, config.secret, config.sources) == (None, None, [])
