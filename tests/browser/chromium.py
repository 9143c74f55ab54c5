"""A headless Chromium, driven the way a person uses a page: wait until it is there, then read or press it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
DRAWN_ANEW = (StaleElementReferenceException, ElementClickInterceptedException, ElementNotInteractableException)
"""The page redraws what changed, also between the finding of an element and its use: then it is found again."""


class Chromium:
    def __init__(self, profile: Path, *, width: int = 1280, height: int = 860, seconds: float = 20) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for flag in (*FLAGS, f"--window-size={width},{height}", f"--user-data-dir={profile}"):
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
        self._seconds = seconds

    def see(self, selector: str, containing: str = "") -> str:
        """The text of the first such element that shows these words, once there is one."""
        found: str = self._until(lambda: self._shown(selector, containing).text, f"{selector} with {containing!r}")
        return found

    def see_none(self, selector: str) -> None:
        self._until(lambda: not self.driver.find_elements(By.CSS_SELECTOR, selector), f"no {selector}")

    def press(self, selector: str, *, over: str = "") -> None:
        """Clicks it; `over`: what the mouse must hover for it to appear."""

        def pressed() -> bool:
            if over:
                webdriver.ActionChains(self.driver).move_to_element(self._shown(over)).perform()
            self._shown(selector).click()
            return True

        self._until(pressed, f"pressing {selector}")

    def choose(self, selector: str, value: str) -> None:
        """One option of a list."""

        def chosen() -> bool:
            Select(self._shown(selector)).select_by_value(value)
            return True

        self._until(chosen, f"choosing {value} of {selector}")

    def enter(self, selector: str, words: str) -> None:
        """Types and presses Enter."""

        def entered() -> bool:
            self._shown(selector).send_keys(words, Keys.ENTER)
            return True

        self._until(entered, f"typing into {selector}")

    def address_of(self, selector: str) -> str:
        address: str = self._until(lambda: self._shown(selector).get_attribute("href"), f"the address of {selector}")
        return address

    def _shown(self, selector: str, containing: str = "") -> WebElement:
        every = self.driver.find_elements(By.CSS_SELECTOR, selector)
        fits = next((e for e in every if e.is_displayed() and containing in e.text), None)
        if fits is None:
            raise StaleElementReferenceException(f"{selector} does not show {containing!r} yet")
        return fits

    def _until(self, ready: Callable[[], Any], what: str) -> Any:
        waiting = WebDriverWait(self.driver, self._seconds, 0.1, ignored_exceptions=DRAWN_ANEW)
        return waiting.until(lambda _: ready(), f"waited in vain: {what}")
