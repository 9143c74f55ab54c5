"""Buttons, modals, commands and shortcuts: round trips between a person and the real slack-bolt."""

from __future__ import annotations

from typing import Any

from slack_bolt import App

from tests.local_slack.conftest import until

BUTTONS = {
    "type": "actions",
    "block_id": "vote",
    "elements": [
        {"type": "button", "action_id": "wrong", "text": {"type": "plain_text", "text": "Wrong"}, "value": "i-1"}
    ],
}
MODAL = {
    "type": "modal",
    "callback_id": "why",
    "title": {"type": "plain_text", "text": "What was wrong?"},
    "submit": {"type": "plain_text", "text": "Send"},
    "private_metadata": "i-1",
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "note",
            "label": {"type": "plain_text", "text": "Note"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        },
        {
            "type": "input",
            "block_id": "part",
            "optional": True,
            "label": {"type": "plain_text", "text": "Part"},
            "element": {
                "type": "static_select",
                "action_id": "choice",
                "options": [{"text": {"type": "plain_text", "text": "Cause"}, "value": "cause"}],
            },
        },
    ],
}


def test_a_button_opens_a_modal_and_its_submission_comes_back(bolt: Any, slack: Any) -> None:
    bodies: list[dict[str, Any]] = []

    def listeners(app: App) -> None:
        @app.action("wrong")
        def wrong(ack: Any, body: Any, client: Any) -> None:
            bodies.append(body)
            ack()
            client.views_open(trigger_id=body["trigger_id"], view=MODAL)

        @app.view("why")
        def why(ack: Any, view: Any, body: Any) -> None:
            bodies.append(body)
            values = view["state"]["values"]
            if values["note"]["text"]["value"] == "nonsense":
                ack(response_action="errors", errors={"note": "Please say more"})
            else:
                ack()

    made = bolt(listeners)
    ts = made.app.client.chat_postMessage(channel="C0ALERTS", text="found", blocks=[BUTTONS])["ts"]
    assert slack.press("amira", "alerts", ts, "wrong")["ok"]
    slack.wait_for(lambda state: state.modal("amira"))
    assert bodies[0]["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": "C0ALERTS",
        "is_ephemeral": False,
    }
    assert bodies[0]["actions"][0]["value"] == "i-1"
    assert bodies[0]["message"]["ts"] == ts
    assert slack.submit("amira", {}) == {
        "ok": False,
        "sent": False,
        "errors": {"note": "Please complete this required field."},
    }
    assert slack.submit("amira", {"note": "nonsense"})["errors"] == {"note": "Please say more"}
    assert slack.submit("amira", {"note": "the limit", "part": "cause"})["ok"]
    values = bodies[-1]["view"]["state"]["values"]
    assert values["note"]["text"] == {"type": "plain_text_input", "value": "the limit"}
    assert values["part"]["choice"]["selected_option"]["value"] == "cause"
    assert bodies[-1]["view"]["private_metadata"] == "i-1"
    assert slack.state().modal("amira") is None


def test_a_slash_command_answers_its_writer_alone(bolt: Any, slack: Any) -> None:
    def listeners(app: App) -> None:
        @app.command("/gumshoe")
        def run(ack: Any, command: Any) -> None:
            ack(f"you said {command['text']} in {command['channel_name']}")

    bolt(listeners)
    assert slack.slash("amira", "alerts", "/gumshoe status")["ok"]
    assert [message["text"] for message in slack.state().ephemeral("amira")] == ["you said status in alerts"]
    assert slack.state().messages("alerts") == []


def test_a_message_shortcut_carries_the_message_and_a_response_url(bolt: Any, slack: Any) -> None:
    bodies: list[dict[str, Any]] = []

    def listeners(app: App) -> None:
        @app.shortcut("investigate_message")
        def run(ack: Any, body: Any, respond: Any) -> None:
            bodies.append(body)
            ack()
            respond("on it")

    bolt(listeners)
    said = slack.say("amira", "alerts", "checkout is slow")
    assert slack.shortcut("jonas", "investigate_message", "alerts", said["ts"])["ok"]
    slack.wait_for(lambda state: state.ephemeral("jonas"))
    assert bodies[0]["message"]["text"] == "checkout is slow"


def test_respond_replaces_the_message_that_was_pressed(bolt: Any, slack: Any) -> None:
    def listeners(app: App) -> None:
        @app.action("wrong")
        def wrong(ack: Any, respond: Any) -> None:
            ack()
            respond(text="thank you", replace_original=True, blocks=[])

    made = bolt(listeners)
    ts = made.app.client.chat_postMessage(channel="C0ALERTS", text="found", blocks=[BUTTONS])["ts"]
    slack.press("amira", "alerts", ts, "wrong")
    slack.wait_for(lambda state: state.message("alerts", ts)["text"] == "thank you")


def test_feedback_buttons_send_the_value_of_the_side_that_was_pressed(bolt: Any, slack: Any) -> None:
    actions: list[dict[str, Any]] = []

    def listeners(app: App) -> None:
        @app.action("vote")
        def vote(ack: Any, action: Any) -> None:
            ack()
            actions.append(action)

    made = bolt(listeners)
    sides = {
        side: {"text": {"type": "plain_text", "text": side}, "value": side[:3]}
        for side in ("positive_button", "negative_button")
    }
    element = {"type": "feedback_buttons", "action_id": "vote", **sides}
    block = {"type": "context_actions", "elements": [element]}
    ts = made.app.client.chat_postMessage(channel="C0ALERTS", text="found", blocks=[block])["ts"]
    slack.press("amira", "alerts", ts, "vote", "neg")
    until(lambda: actions)
    assert (actions[0]["type"], actions[0]["value"]) == ("feedback_buttons", "neg")


def test_an_app_that_does_not_acknowledge_is_an_error_for_the_person(slack: Any, client: Any) -> None:
    ts = client.chat_postMessage(channel="C0ALERTS", text="found", blocks=[BUTTONS])["ts"]
    assert slack.press("amira", "alerts", ts, "wrong")["error"] == "operation_timeout"


def test_the_app_home_is_published_and_opened(bolt: Any, slack: Any) -> None:
    def listeners(app: App) -> None:
        @app.event("app_home_opened")
        def opened(event: Any, client: Any) -> None:
            home = {"type": "home", "blocks": [{"type": "divider"}]}
            client.views_publish(user_id=event["user"], view=home)

    bolt(listeners)
    slack.open_home("amira")
    assert slack.wait_for(lambda state: state.home("amira"))["blocks"][0]["type"] == "divider"
