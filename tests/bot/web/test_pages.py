"""The evidence page: for holders of its link, with everything a doubting reader asks for, and nothing that runs."""

from __future__ import annotations

import stat

import pytest

from bot import links
from config.settings import Settings
from tests.bot import records
from tests.bot.web.conftest import Ask
from workers.domain import Claim, Investigation
from workers.store import Store


@pytest.fixture
def investigation(store: Store) -> Investigation:
    opened = store.incidents.open("acme", [records.alert()], records.AT, place=None, message_ts=None, event_key="e1")
    assert opened.investigation
    return opened.investigation


def path(settings: Settings, investigation_id: str) -> str:
    address = links.page(links.key(settings.link_key_file), "", investigation_id, "E3")
    assert address.endswith("#E3")
    return address.removesuffix("#E3")


def test_the_page_shows_alert_finding_evidence_and_each_query(
    ask: Ask, store: Store, settings: Settings, investigation: Investigation
) -> None:
    records.answered(store, investigation)
    status, text, headers = ask(path(settings, investigation.id))
    assert status == 200
    for part in (
        "its memory limit went from 512Mi to 128Mi",
        "High confidence",
        'id="E3"',
        "kubectl -n shop describe deployment cart",
        "https://console.example.com/shop/cart?a=1&amp;b=2",
        "node metrics",
        "memory leak",
        "KubePodCrashLooping shop/cart",
        "21,300 tokens (estimated)",
        "77 of the first look · 11 tool calls of the model",
        "<details",
        "kubectl -n shop get pods",
        "events: 403",
        "kind: Deployment # the whole object",
    ):
        assert part in text, part
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"


def test_telemetry_cannot_run_in_the_page(
    ask: Ask, store: Store, settings: Settings, investigation: Investigation
) -> None:
    nasty = "<script>alert(1)</script>"
    headline = Claim(text="`<img src=x onerror=alert(1)>` is `cart`")
    dirty = records.finding(
        headline=headline, evidence=(records.evidence(3, nasty, query=nasty, link="javascript:alert(1)"),)
    )
    records.answered(store, investigation, dirty)
    text = ask(path(settings, investigation.id))[1]
    assert "<script" not in text
    assert "<img" not in text
    assert "<code>cart</code>" in text
    assert 'href="javascript' not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_a_running_investigation_has_a_page_already(ask: Ask, settings: Settings, investigation: Investigation) -> None:
    status, text, _ = ask(path(settings, investigation.id))
    assert status == 200
    assert "No answer yet" in text


@pytest.mark.parametrize("query", ["", "?sig=", "?sig=wrong", "?sig=%ff%fe"])
def test_without_its_signature_the_page_is_closed_and_says_what_to_do(
    ask: Ask, investigation: Investigation, query: str
) -> None:
    status, text, _ = ask(f"/i/{investigation.id}{query}")
    assert status == 403
    assert "Open the page from the Evidence button" in text


def test_the_signature_of_one_page_opens_no_other(ask: Ask, settings: Settings, investigation: Investigation) -> None:
    other = path(settings, "n-other").split("?")[1]
    assert ask(f"/i/{investigation.id}?{other}")[0] == 403


def test_a_signed_link_to_what_is_gone_is_404_and_says_what_to_do(ask: Ask, settings: Settings) -> None:
    status, text, _ = ask(path(settings, "n-gone"))
    assert status == 404
    assert "mention @gumshoe" in text


def test_any_other_address_is_a_plain_404(ask: Ask) -> None:
    assert ask("/nothing")[0] == 404


def test_the_key_is_made_once_and_is_private(settings: Settings) -> None:
    first = links.key(settings.link_key_file)
    assert first == links.key(settings.link_key_file)
    assert len(first) > 40
    assert stat.S_IMODE(settings.link_key_file.stat().st_mode) == 0o600


def test_the_picture_of_the_thread_stands_in_the_page_and_fetches_nothing(
    ask: Ask, settings: Settings, store: Store, investigation: Investigation
) -> None:
    drawn = {"text": "5xx of checkout rose", "png": "iVBORw0KGgo=", "title": "5xx", "alt": '5xx <of> "checkout" rose'}
    records.answered(store, investigation, picture=drawn)
    _, page, headers = ask(path(settings, investigation.id))
    assert '<img src="data:image/png;base64,iVBORw0KGgo=" alt="5xx &lt;of&gt; &#34;checkout&#34; rose"' in page
    assert page.count("iVBORw0KGgo=") == 1
    assert "img-src data:" in headers["content-security-policy"]


def test_a_picture_that_is_none_is_not_shown(
    ask: Ask, settings: Settings, store: Store, investigation: Investigation
) -> None:
    records.answered(store, investigation, picture={"text": "", "png": '"><script>', "title": "", "alt": ""})
    _, page, _ = ask(path(settings, investigation.id))
    assert "<img" not in page
