"""Who may put alerts in by webhook. The secrets are made up."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from bot.intake.signatures import pagerduty, shared_secret

BODY = b'{"event": {}}'
SECRET = "made-up-secret"


def signed(secret: str, body: bytes = BODY) -> str:
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_right_signature_passes() -> None:
    assert pagerduty({"x-pagerduty-signature": signed(SECRET)}, BODY, SECRET)


def test_any_of_several_signatures_passes_while_a_secret_is_rotated() -> None:
    assert pagerduty({"X-PagerDuty-Signature": f"{signed('old')},{signed(SECRET)}"}, BODY, SECRET)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1=",
        signed("other"),
        signed(SECRET).replace("v1", "v2"),
        signed(SECRET)[3:],
        "v1=é",
        signed(SECRET, BODY + b" "),
        ",,,",
    ],
)
def test_a_wrong_signature_does_not(header: str) -> None:
    assert not pagerduty({"X-PagerDuty-Signature": header}, BODY, SECRET)


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_nothing_passes(secret: str | None) -> None:
    assert not pagerduty({"X-PagerDuty-Signature": signed("")}, BODY, secret)
    assert not shared_secret({"X-Gumshoe-Secret": ""}, secret)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {SECRET}"},
        {"authorization": f"bearer {SECRET}"},
        {"X-Gumshoe-Secret": SECRET},
        {"Authorization": "Basic " + base64.b64encode(f"anyone:{SECRET}".encode()).decode()},
    ],
)
def test_a_shared_secret_passes_in_each_of_its_places(headers: dict[str, str]) -> None:
    assert shared_secret(headers, SECRET)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": SECRET},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic not-base64!"},
        {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()},
        {"X-Gumshoe-Secret": SECRET + " "},
        {"X-Gumshoe-Secret": "é"},
    ],
)
def test_a_wrong_shared_secret_does_not(headers: dict[str, str]) -> None:
    assert not shared_secret(headers, SECRET)
