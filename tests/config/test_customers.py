"""A customer's file needs little, and what is wrong in it is one line with file and key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from config.customers import Customer, load_all, load_file, parse
from config.settings import ConfigError
from skills import registry
from skills.contract import SkillError


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_name_is_enough(tmp_path: Path) -> None:
    customer = load_file(write(tmp_path, "acme.yaml", "name: acme\n"))
    assert (customer.budget.seconds, customer.budget.tokens, customer.dry_run) == (180, 200_000, False)


def test_the_example_in_the_house_is_valid() -> None:
    customer = load_file(Path(__file__).parents[2] / "config/customers/_example.yaml")
    assert set(registry.validate(customer)) == {"kubernetes", "elasticsearch", "prometheus"}
    assert registry.toggles(customer).on == ("elasticsearch", "kubernetes", "prometheus")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: [", "line"),
        ("- a\n- b\n", "expected a mapping"),
        ("", "expected a mapping"),
        ("name: Acme Corp\n", "name"),
        ("name: acme\nbudget: {seconds: 0}\n", "budget.seconds"),
        ("name: acme\ncolour: blue\n", "colour: unknown key"),
        ("name: acme\nwebhooks: {pagerduty_secret_env: 'not a variable'}\n", "webhooks.pagerduty_secret_env"),
    ],
)
def test_what_is_wrong_is_one_line_with_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path, "acme.yaml", text)
    with pytest.raises(ConfigError) as refused:
        load_file(path)
    assert str(path) in str(refused.value)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_error_does_not_repeat_what_stands_in_the_file() -> None:
    with pytest.raises(ConfigError) as refused:
        parse({"name": "acme", "budget": {"seconds": "made-up-secret"}}, "acme.yaml")
    assert "made-up-secret" not in str(refused.value)


def test_two_customers_may_not_share_a_channel(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path, f"{name}.yaml", yaml.safe_dump({"name": name, "slack": {"channels": ["#alerts"]}}))
    with pytest.raises(ConfigError, match=r"channel 'alerts' is already taken by .*a\.yaml"):
        load_all(tmp_path)


def test_a_file_that_begins_with_an_underscore_is_no_customer(tmp_path: Path) -> None:
    write(tmp_path, "_example.yaml", "nonsense: true\n")
    assert load_all(tmp_path) == ()


def test_a_missing_directory_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one YAML file per customer"):
        load_all(tmp_path / "nowhere")


def test_an_unknown_skill_or_key_is_named() -> None:
    with pytest.raises(SkillError, match=r"skills\.telepathy: no such skill; there are .*kubernetes"):
        registry.validate(Customer(name="acme", skills={"telepathy": {}}))
    with pytest.raises(SkillError, match=r"skills\.prometheus\.uri"):
        registry.validate(Customer(name="acme", skills={"prometheus": {"url": "http://p.example.com", "uri": "x"}}))
    with pytest.raises(SkillError, match=r"skills\.prometheus\.url"):
        registry.validate(Customer(name="acme", skills={"prometheus": {}}))


def test_a_toggle_of_run_time_overrides_the_file_but_configures_nothing() -> None:
    customer = Customer(name="acme", skills={"prometheus": {"url": "http://p.example.com"}})
    assert registry.toggles(customer, {"prometheus": False, "kubernetes": True}).on == ()
    assert "kubernetes" in registry.toggles(customer, {"kubernetes": True}).unconfigured
