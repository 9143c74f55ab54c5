"""The mask sees every text of an alert and tears no incident apart."""

from __future__ import annotations

from bot.intake import masked, read
from skills.redact import Redactor


def test_every_text_goes_through_the_mask() -> None:
    body = {
        "title": "Login of ada@example.com fails",
        "severity": "high",
        "summary": "ada@example.com",
        "labels": {"user": "ada@example.com"},
        "links": [{"kind": "alert", "url": "https://x.example.com/?u=ada@example.com"}],
    }
    alert = read(body).alerts[0]
    shown = masked(alert, Redactor(b"made-up").text)
    assert "ada@example.com" not in shown.model_dump_json()
    assert shown.fingerprint == alert.fingerprint


def test_what_a_diagnosis_needs_stays() -> None:
    alert = read({"title": "Pod cart-7d9f8c6b5-9k2lm on 10.0.3.4 OOMKilled", "severity": "high"}).alerts[0]
    assert masked(alert, Redactor(b"made-up").text) == alert
