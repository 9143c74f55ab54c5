"""Redaction: made-up secrets disappear, and a diagnosis loses nothing."""

from __future__ import annotations

import re
from pathlib import Path
from time import perf_counter

import pytest

from skills.redact import MASK, RULES, Redactor

CORPUS = Path(__file__).parent / "redaction"
SECRETS = (CORPUS / "secrets.txt").read_text(encoding="utf-8").replace("¦", "").splitlines()
INNOCENT = (CORPUS / "innocent.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", SECRETS)
def test_a_secret_does_not_survive_and_the_words_before_it_do(line: str) -> None:
    secret = re.findall("⟦(.*?)⟧", line)[0]
    before = line.split("⟦")[0]
    redacted = Redactor(b"k").text(re.sub("[⟦⟧]", "", line))
    assert secret not in redacted
    assert redacted.startswith(before.split("-----")[0])
    assert "[" in redacted


@pytest.mark.parametrize("line", INNOCENT)
def test_an_innocent_line_stays_byte_for_byte(line: str) -> None:
    assert Redactor(b"k").text(line) == line


@pytest.mark.parametrize("line", SECRETS)
def test_redacting_twice_changes_nothing_more(line: str) -> None:
    once = Redactor(b"k").text(re.sub("[⟦⟧]", "", line))
    assert Redactor(b"k").text(once) == once


def test_the_same_person_keeps_the_same_pseudonym_under_one_key_and_gets_another_under_another() -> None:
    a = Redactor(b"one").text("from jane@example.com")
    assert a == Redactor(b"one").text("from Jane@example.com")
    assert a != Redactor(b"two").text("from jane@example.com")
    assert a != Redactor(b"one").text("from john@example.com")


def test_json_values_are_masked_under_the_names_of_secrets_and_in_kubernetes_env_lists() -> None:
    value = {
        "password": "made-up",
        "replicas": 3,
        "env": [{"name": "DB_PASSWORD", "value": "made-up"}, {"name": "DB_HOST", "value": "db.shop.svc"}],
        "note": ["mail jane@example.com"],
    }
    redacted = Redactor().value(value)
    assert redacted["password"] == MASK
    assert redacted["replicas"] == 3
    assert redacted["env"] == [{"name": "DB_PASSWORD", "value": MASK}, {"name": "DB_HOST", "value": "db.shop.svc"}]
    assert "jane" not in redacted["note"][0]


def test_a_hundred_thousand_hostile_characters_do_not_stall_it() -> None:
    started = perf_counter()
    for unit in ("a", "1 ", "password=", "a:", "a@", "+1 ", "token ", "4111 ", "AB12 "):
        Redactor().text("://" + unit * (100_000 // len(unit)))
    assert perf_counter() - started < 3


def test_a_long_text_is_redacted_as_if_all_of_it_were_searched() -> None:
    """The hints of a long text alone are looked around; nothing else may come of it."""
    lines = [re.sub("[⟦⟧]", "", line) for line in [*SECRETS, *INNOCENT]]
    filling = ["GET /catalog/items 200 in 31 ms for pod catalog-7d9f8c6b5-x2x4q on ip-10-0-48-206"] * 40
    text = "\n".join(row for i, line in enumerate(lines) for row in (line, *filling[: 6 + i % 7]))
    redactor, whole = Redactor(b"k"), text
    for rule in RULES:
        whole = rule.pattern.sub(lambda m, rule=rule: rule.replace(m, redactor._pseudonym), whole)  # type: ignore[misc]  # mypy cannot type a lambda with a default
    assert redactor.text(text) == whole
    assert whole != text


def test_a_secret_that_is_longer_than_the_stretch_around_its_hint_is_masked_to_its_end() -> None:
    value = "a1b2c3d4" * 60
    text = "x " * 400 + f"api_key={value} and the rest " + "y " * 400
    assert Redactor().text(text) == text.replace(value, MASK)
