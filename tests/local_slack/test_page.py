"""The page in a real browser: what a person sees and does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait
from slack_bolt import App

from bot.local_slack import Running
from tests.local_slack.test_interactions import BUTTONS, MODAL

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromedriver"), reason="needs chromium and chromedriver"),
]

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1400,900",
)  # fmt: skip


@pytest.fixture
def browser(tmp_path: Path, running: Running) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (*FLAGS, f"--user-data-dir={tmp_path}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    driver.get(running.page_url)
    yield driver
    driver.quit()


def see(browser: Any, selector: str) -> Any:
    """The element once it is there and can be used."""
    return _waiting(browser).until(
        lambda driver: next((e for e in driver.find_elements(By.CSS_SELECTOR, selector) if e.is_displayed()), None)
    )


def click(browser: Any, selector: str) -> None:
    """Clicks it, also when it is drawn anew in that moment."""
    _waiting(browser).until(lambda driver: see(driver, selector).click() is None)


def _waiting(browser: Any) -> WebDriverWait[Any]:
    return WebDriverWait(browser, 5, ignored_exceptions=[StaleElementReferenceException])


def test_a_person_reacts_votes_fills_a_modal_and_runs_a_command(browser: Any, bolt: Any, slack: Any) -> None:
    notes: list[str] = []

    def listeners(app: App) -> None:
        @app.action("wrong")
        def wrong(ack: Any, body: Any, client: Any) -> None:
            ack()
            client.views_open(trigger_id=body["trigger_id"], view=MODAL)

        @app.view("why")
        def why(ack: Any, view: Any) -> None:
            ack()
            notes.append(view["state"]["values"]["note"]["text"]["value"])

        @app.command("/gumshoe")
        def status(ack: Any) -> None:
            ack("all is well")

    made = bolt(listeners)
    alert = slack.post("Alertmanager", "alerts", attachments=[{"title": "[FIRING:1] Down", "color": "danger"}])["ts"]
    finding = made.app.client.chat_postMessage(channel="C0ALERTS", thread_ts=alert, text="found", blocks=[BUTTONS])[
        "ts"
    ]

    click(browser, f'#messages [data-ts="{alert}"] [data-role=open-thread]')
    slack.react("priya", "alerts", finding, "+1")
    click(browser, f'#replies [data-ts="{finding}"] [data-reaction="+1"]')
    slack.wait_for(lambda state: state.reactions("alerts", finding).get("+1") == ["U0PRIYA", "U0AMIRA"])
    click(browser, f'#replies [data-ts="{finding}"] [data-reaction="+1"].mine')
    slack.wait_for(lambda state: state.reactions("alerts", finding).get("+1") == ["U0PRIYA"])

    click(browser, f'#replies [data-ts="{finding}"] [data-action-id=wrong]')
    click(browser, "#modal [data-role=modal-submit]")
    assert see(browser, "#modal [data-block-id=note] .error").text == "Please complete this required field."
    see(browser, "#modal [data-action-id=text]").send_keys("the limit")
    click(browser, "#modal [data-role=modal-submit]")
    slack.wait_for(lambda state: state.modal("amira") is None)
    assert notes == ["the limit"]

    see(browser, "[data-role=input]").send_keys("/gumshoe status\n")
    assert "all is well" in see(browser, "#messages .ephemeral").text


def test_nobodys_message_becomes_markup(browser: Any, slack: Any) -> None:
    assert see(browser, "#messages .empty")
    Select(see(browser, "[data-role=me]")).select_by_value("U0JONAS")
    see(browser, "[data-role=input]").send_keys("<img src=x onerror=alert(1)> & *bold*\n")
    said = slack.wait_for(lambda state: state.messages("alerts"))[0]
    assert said["user"] == "U0JONAS"
    text = see(browser, f'#messages [data-ts="{said["ts"]}"] .content').text
    assert "<img src=x onerror=alert(1)> & bold" in text
    assert not browser.find_elements(By.CSS_SELECTOR, "#messages img")


def test_an_alert_is_posted_by_hand_as_an_alerting_app(browser: Any, slack: Any) -> None:
    click(browser, "#post-as-app")
    click(browser, "#app-form [data-role=post]")
    alert = slack.wait_for(lambda state: state.messages("alerts"))[0]
    assert alert["bot_id"] == "B0ALERTMAN"
    assert "KubePodCrashLooping" in see(browser, f'#messages [data-ts="{alert["ts"]}"] .attachment').text


def test_a_time_of_day_is_drawn_without_emoji(browser: Any, slack: Any) -> None:
    plain = {"type": "header", "text": {"type": "plain_text", "text": "from 1:100:2 to 14:02:33 :eyes:"}}
    said = slack.post("Alertmanager", "alerts", text="at 1:100:2 and 14:02:33 :100:")
    headed = slack.post("Alertmanager", "alerts", text="times", blocks=[plain])
    for message, words in ((said, "at 1:100:2 and 14:02:33 💯"), (headed, "from 1:100:2 to 14:02:33 👀")):
        content = see(browser, f'#messages [data-ts="{message["ts"]}"] .content')
        assert words in content.text
