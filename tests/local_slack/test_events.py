"""Events reach the real slack-bolt in the shapes that Slack sends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_sdk import WebClient
from websockets.sync.client import connect

from bot.local_slack import Running
from tests.local_slack.conftest import until


def test_a_webhooks_alert_arrives_as_a_classic_bot_message(bolt: Any, slack: Any) -> None:
    app = bolt()
    slack.post("Alertmanager", "#alerts", attachments=[{"title": "[FIRING:1] Down & out", "color": "danger"}])
    until(lambda: app.events)
    event = app.events[0]
    assert (event["subtype"], event["bot_id"], event["username"]) == ("bot_message", "B0ALERTMAN", "Alertmanager")
    assert "user" not in event
    assert event["attachments"][0]["color"] == "a30200"
    assert event["attachments"][0]["title"] == "[FIRING:1] Down &amp; out"
    assert event["channel_type"] == "channel"
    assert event["event_ts"] == event["ts"]
    assert set(app.bodies[0]["authorizations"][0]) == {
        "enterprise_id", "team_id", "user_id", "is_bot", "is_enterprise_install",
    }  # fmt: skip
    assert app.bodies[0]["event_id"].startswith("Ev")


def test_an_app_with_a_bot_user_posts_with_its_profile(bolt: Any, slack: Any) -> None:
    app = bolt()
    slack.post("PagerDuty", "alerts", text="Triggered: <https://x.invalid|#1>")
    until(lambda: app.events)
    event = app.events[0]
    assert event["bot_profile"]["name"] == "PagerDuty"
    assert event["user"] == "U0PAGERDUTY"
    assert "subtype" not in event


def test_a_mention_comes_as_message_and_as_app_mention(bolt: Any, slack: Any) -> None:
    app = bolt()
    said = slack.say("amira", "alerts", "@Gumshoe is 5 < 6 & true?")
    until(lambda: len(app.events) == 2)
    message, mention = app.heard("message")[0], app.heard("app_mention")[0]
    assert message["ts"] == mention["ts"] == said["ts"]
    assert message["text"] == "<@U0GUMSHOE> is 5 &lt; 6 &amp; true?"
    assert message["blocks"][0]["elements"][0]["elements"][0] == {"type": "user", "user_id": "U0GUMSHOE"}
    assert "client_msg_id" in message
    assert "channel_type" not in mention


def test_a_reaction_names_the_author_of_the_message_and_can_be_taken_back(bolt: Any, slack: Any) -> None:
    app = bolt()
    said = slack.say("jonas", "alerts", "hello")
    assert slack.react("amira", "alerts", said["ts"], "thumbsdown")
    assert not slack.react("amira", "alerts", said["ts"], "thumbsdown")
    assert slack.unreact("amira", "alerts", said["ts"], "thumbsdown")
    until(lambda: app.heard("reaction_removed"))
    added = app.heard("reaction_added")
    assert len(added) == 1
    assert added[0]["item"] == {"type": "message", "channel": "C0ALERTS", "ts": said["ts"]}
    assert added[0]["item_user"] == "U0JONAS"
    assert slack.state().reactions("alerts", said["ts"]) == {}


def test_an_edit_carries_the_message_before_and_after(bolt: Any, slack: Any, client: WebClient) -> None:
    app = bolt()
    ts = client.chat_postMessage(channel="C0ALERTS", text="looking")["ts"]
    client.chat_update(channel="C0ALERTS", ts=ts, text="found")
    until(lambda: app.heard("message", "message_changed"))
    event = app.heard("message", "message_changed")[0]
    assert (event["previous_message"]["text"], event["message"]["text"]) == ("looking", "found")
    assert event["message"]["edited"]["user"] == "U0GUMSHOE"


def test_nothing_is_heard_from_channels_that_the_bot_is_not_in(bolt: Any, slack: Any) -> None:
    app = bolt()
    slack.act("create_channel", user="amira", name="quiet")
    slack.say("amira", "quiet", "psst @Gumshoe")
    slack.invite("amira", "quiet", "Gumshoe")
    until(lambda: app.heard("member_joined_channel"))
    assert [event.get("subtype") for event in app.heard("message")] == ["channel_join"]
    assert app.heard("member_joined_channel")[0]["inviter"] == "U0AMIRA"


def test_an_event_that_nobody_acknowledges_comes_four_times_and_is_counted(running: Running, slack: Any) -> None:
    address = WebClient(base_url=running.api_url).apps_connections_open(app_token=running.app_token)["url"]
    with connect(address) as socket:
        hello = json.loads(socket.recv(timeout=5))
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        slack.say("amira", "alerts", "is anybody there?")
        envelopes = [json.loads(socket.recv(timeout=5)) for _ in range(4)]
        assert [envelope["retry_attempt"] for envelope in envelopes] == [0, 1, 2, 3]
        assert [envelope["retry_reason"] for envelope in envelopes] == ["", "timeout", "timeout", "timeout"]
        assert len({envelope["payload"]["event_id"] for envelope in envelopes}) == 1
        assert len({envelope["envelope_id"] for envelope in envelopes}) == 4
        with pytest.raises(TimeoutError):
            socket.recv(timeout=1)


def test_an_acknowledged_event_comes_once(running: Running, slack: Any) -> None:
    address = WebClient(base_url=running.api_url).apps_connections_open(app_token=running.app_token)["url"]
    with connect(address) as socket:
        socket.recv(timeout=5)
        slack.say("amira", "alerts", "hello")
        socket.send(json.dumps({"envelope_id": json.loads(socket.recv(timeout=5))["envelope_id"]}))
        with pytest.raises(TimeoutError):
            socket.recv(timeout=1)


def test_an_event_whose_first_delivery_was_lost_arrives_by_the_second(bolt: Any, slack: Any) -> None:
    app = bolt()
    slack.disturb_deliveries("lose")
    slack.say("amira", "alerts", "first")
    until(lambda: app.events)
    assert app.events[0]["text"] == "first"


def test_an_event_can_be_delivered_twice_on_request(bolt: Any, slack: Any) -> None:
    app = bolt()
    slack.disturb_deliveries("duplicate")
    slack.say("amira", "alerts", "once")
    until(lambda: len(app.bodies) == 2)
    assert app.bodies[0]["event_id"] == app.bodies[1]["event_id"]


def test_after_dropped_and_refreshed_sockets_the_app_comes_back_and_misses_nothing(bolt: Any, slack: Any) -> None:
    app = bolt()
    slack.refresh_sockets()
    slack.say("amira", "alerts", "one")
    until(lambda: "one" in [event["text"] for event in app.events])
    slack.drop_sockets()
    slack.say("amira", "alerts", "two")
    until(lambda: "two" in [event["text"] for event in app.events], 12)


def test_two_connections_share_the_deliveries(bolt: Any, slack: Any) -> None:
    first, second = bolt(), bolt()
    for number in range(6):
        slack.say("amira", "alerts", f"message {number}")
    until(lambda: len(first.events) + len(second.events) == 6)
    assert len(first.events) == 3
    assert len(second.events) == 3


def test_the_stop_button_of_a_working_agent_sends_its_event(bolt: Any, slack: Any, client: WebClient) -> None:
    app = bolt()
    said = slack.say("amira", "alerts", "@Gumshoe look")
    client.agents_sessions_setStatus(channel_id="C0ALERTS", thread_ts=said["ts"], status="processing", title="Looking")
    assert slack.state().session("alerts", said["ts"])["status"] == "processing"
    slack.stop("amira", "alerts", said["ts"])
    until(lambda: app.heard("agent_session_stopped"))
    assert app.heard("agent_session_stopped")[0]["thread_ts"] == said["ts"]
