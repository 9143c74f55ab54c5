"""`gumshoe run bot` without an app-level token: Slack comes by HTTP, to the port of the web pages."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_sdk.signature import SignatureVerifier

from bot import local_slack
from workers import valkey

SECRET = "a-made-up-signing-secret"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Of the bot's process, once it serves."""
    (tmp_path / "acme.yaml").write_text("name: acme\nslack: {channels: [alerts]}\n", encoding="utf-8")
    slack, queue, port = local_slack.start(), valkey.start(tmp_path), _free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "GUMSHOE_STATE": str(tmp_path),
        "GUMSHOE_CUSTOMERS": str(tmp_path),
        "GUMSHOE_WEB_PORT": str(port),
        "REDIS_URL": queue.url,
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": SECRET,
    }
    bot = subprocess.Popen([sys.executable, "-m", "bot.cli.main", "run", "bot"], env=environment)
    try:
        _wait_for(bot, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        bot.terminate()
        assert bot.wait(10) in (0, -15)
        queue.stop()
        slack.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(bot: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(300):
        assert bot.poll() is None, "the bot ended by itself"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the bot does not serve")


def test_with_a_signing_secret_alone_slack_is_served_by_http(url: str) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "are-you-there", "token": "made-up"}).encode()
    now = str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=now, body=body)
    head = {"Content-Type": "application/json", "X-Slack-Request-Timestamp": now, "X-Slack-Signature": str(signature)}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/slack/events", body, head), timeout=5) as answer:
        assert "are-you-there" in answer.read().decode()
    with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
        assert answer.status == 200
