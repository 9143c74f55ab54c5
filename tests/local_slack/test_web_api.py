"""The Web API is as strict as Slack, asked by the real WebClient."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from bot.local_slack import Control, Running, start
from bot.local_slack.manifest import DEFAULT

ALERTS = "C0ALERTS"


def refusal(call: Any, *args: Any, **more: Any) -> dict[str, Any]:
    with pytest.raises(SlackApiError) as refused:
        call(*args, **more)
    return dict(refused.value.response.data)


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def test_tokens_are_checked(running: Running) -> None:
    base = running.api_url
    assert refusal(WebClient(base_url=base).auth_test)["error"] == "not_authed"
    assert refusal(WebClient("xoxb-wrong", base_url=base).auth_test)["error"] == "invalid_auth"
    assert refusal(WebClient(running.app_token, base_url=base).users_list)["error"] == "not_allowed_token_type"
    answer = WebClient(running.bot_token, base_url=base).auth_test()
    assert (answer["team_id"], answer["bot_id"], answer["user_id"]) == ("T0ACME", "B0GUMSHOE", "U0GUMSHOE")
    assert "chat:write" in answer.headers["x-oauth-scopes"]


def test_a_missing_scope_says_what_is_needed() -> None:
    running = start(manifest={**DEFAULT, "oauth_config": {"scopes": {"bot": ["channels:read"]}}})
    try:
        answer = refusal(
            WebClient(running.bot_token, base_url=running.api_url).chat_postMessage, channel=ALERTS, text="x"
        )
        assert (answer["error"], answer["needed"], answer["provided"]) == (
            "missing_scope", "chat:write", "channels:read",
        )  # fmt: skip
    finally:
        running.close()


def test_addresses_become_links_but_in_verbatim_text(client: WebClient, slack: Control) -> None:
    words = "see https://a.example/x & <https://b.example|there>"
    linked = section(words)
    verbatim = {"type": "section", "text": {**linked["text"], "verbatim": True}}
    ts = client.chat_postMessage(channel=ALERTS, text="x", blocks=[linked, verbatim])["ts"]
    stored = slack.state().message("alerts", ts)
    assert stored is not None
    assert [block["text"]["text"] for block in stored["blocks"]] == [
        "see <https://a.example/x> &amp; <https://b.example|there>",
        "see https://a.example/x &amp; <https://b.example|there>",
    ]


@pytest.mark.parametrize(
    ("blocks", "error", "says"),
    [
        ([{"type": "sectoin"}], "invalid_blocks", "unsupported type: sectoin [json-pointer:/blocks/0/type]"),
        (
            [section("x" * 3001)],
            "invalid_blocks",
            "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
        ),
        ([{"type": "divider"}] * 51, "invalid_blocks", "no more than 50 items allowed [json-pointer:/blocks]"),
        ([section("")], "invalid_blocks", "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        ([{"type": "section"}], "invalid_blocks", "missing required field: text [json-pointer:/blocks/0]"),
        (
            [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
            "invalid_blocks",
            "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        ),
        (
            [{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}],
            "invalid_blocks",
            '`block_id` "a" already exists [json-pointer:/blocks/1/block_id]',
        ),
        (
            [{"type": "alert", "text": {"type": "mrkdwn", "text": "only in modals"}}],
            "invalid_blocks",
            "unsupported type: alert [json-pointer:/blocks/0/type]",
        ),
        (
            [{"type": "actions", "elements": [{"type": "plain_text_input", "action_id": "a"}]}],
            "invalid_blocks",
            "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
        ),
        (
            [{"type": "task_card", "task_id": "a", "title": "b", "status": "completed"}],
            "invalid_blocks",
            "must be a valid enum value: pending, in_progress, complete, error [json-pointer:/blocks/0/status]",
        ),
        (
            [{**section("x"), "colour": "red"}],
            "invalid_blocks",
            "invalid additional property: colour [json-pointer:/blocks/0]",
        ),
    ],
)
def test_bad_blocks_lose_the_whole_message(
    client: WebClient, slack: Control, blocks: list[Any], error: str, says: str
) -> None:
    answer = refusal(client.api_call, "chat.postMessage", json={"channel": ALERTS, "text": "x", "blocks": blocks})
    assert answer["error"] == error
    assert f"[ERROR] {says}" in answer["response_metadata"]["messages"]
    assert slack.state().messages("alerts") == []


def test_good_blocks_of_every_kind_are_taken_in_json_and_in_forms(client: WebClient, slack: Control) -> None:
    rich = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "done"}]}],
    }
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Header"}},
        {**section("a & b"), "fields": [{"type": "mrkdwn", "text": "*x*\n1"}]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "38 s"}]},
        {"type": "markdown", "text": "# Title"},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]], "column_settings": [None]},
        {
            "type": "plan",
            "title": "Working",
            "tasks": [{"type": "task_card", "task_id": "1", "title": "t", "status": "complete", "output": rich}],
        },
    ]
    for how in ("json", "params"):
        import json

        sent: Any = json.dumps(blocks) if how == "params" else blocks
        ts = client.api_call("chat.postMessage", **{how: {"channel": ALERTS, "text": "x", "blocks": sent}})["ts"]
        stored = slack.state().message("alerts", ts)
        assert stored is not None
        assert stored["blocks"][1]["text"]["text"] == "a &amp; b"
        assert all(block["block_id"] for block in stored["blocks"])


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": ALERTS, "text": " "}, "no_text"),
        ({"channel": ALERTS, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": ALERTS, "text": "x", "thread_ts": "1.000000"}, "thread_not_found"),
        ({"channel": ALERTS, "attachments": [{"text": "x"}] * 101}, "too_many_attachments"),
        ({"channel": ALERTS, "blocks": "[{"}, "invalid_blocks_format"),
        ({"text": "x"}, "invalid_arguments"),
    ],
)
def test_a_post_is_refused_in_slacks_words(client: WebClient, args: dict[str, Any], error: str) -> None:
    assert refusal(client.api_call, "chat.postMessage", json=args)["error"] == error


def test_channels_that_the_bot_is_not_in_or_that_are_archived_take_no_post(client: WebClient, slack: Control) -> None:
    slack.act("create_channel", user="amira", name="away")
    away = slack.state().channel("away")["id"]
    assert refusal(client.chat_postMessage, channel=away, text="x")["error"] == "not_in_channel"
    slack.act("archive_channel", channel="alerts")
    assert refusal(client.chat_postMessage, channel=ALERTS, text="x")["error"] == "is_archived"
    assert refusal(client.api_call, "chat.nonsense")["error"] == "unknown_method"


def test_only_own_messages_can_be_edited_or_deleted(client: WebClient, slack: Control) -> None:
    theirs = slack.say("amira", "alerts", "mine")["ts"]
    assert refusal(client.chat_update, channel=ALERTS, ts=theirs, text="x")["error"] == "cant_update_message"
    assert refusal(client.chat_delete, channel=ALERTS, ts=theirs)["error"] == "cant_delete_message"
    assert refusal(client.chat_update, channel=ALERTS, ts="1.0", text="x")["error"] == "message_not_found"


def test_reactions_are_refused_twice_and_by_nonsense(client: WebClient, slack: Control) -> None:
    ts = slack.say("amira", "alerts", "look")["ts"]
    client.reactions_add(channel=ALERTS, timestamp=ts, name="eyes")
    for change, name, error in [
        (client.reactions_add, "eyes", "already_reacted"),
        (client.reactions_add, "no such thing", "invalid_name"),
        (client.reactions_remove, "tada", "no_reaction"),
    ]:
        assert refusal(change, channel=ALERTS, timestamp=ts, name=name)["error"] == error
    assert client.reactions_get(channel=ALERTS, timestamp=ts)["message"]["reactions"][0]["users"] == ["U0GUMSHOE"]


def test_history_and_replies_are_ordered_paged_and_carry_metadata_on_request(client: WebClient) -> None:
    root = client.chat_postMessage(
        channel=ALERTS, text="root", metadata={"event_type": "post", "event_payload": {"key": "p-1"}}
    )["ts"]
    for number in range(3):
        client.chat_postMessage(channel=ALERTS, text=f"reply {number}", thread_ts=root)
    client.chat_postMessage(channel=ALERTS, text="later")
    history = client.conversations_history(channel=ALERTS, include_all_metadata=True)["messages"]
    assert [message["text"] for message in history] == ["later", "root"]
    assert history[1]["reply_count"] == 3
    assert history[1]["metadata"]["event_payload"] == {"key": "p-1"}
    first = client.conversations_replies(channel=ALERTS, ts=root, limit=2)
    assert [message["text"] for message in first["messages"]] == ["root", "reply 0", "reply 1"]
    rest = client.conversations_replies(
        channel=ALERTS, ts=root, limit=2, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [message["text"] for message in rest["messages"]] == ["root", "reply 2"]
    assert "metadata" not in first["messages"][0]
    assert refusal(client.conversations_replies, channel=ALERTS, ts="1.0")["error"] == "thread_not_found"


def test_a_trigger_is_good_once_and_for_a_short_while(client: WebClient, running: Running) -> None:
    from bot.local_slack.triggers import new_trigger

    view = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": []}
    trigger = new_trigger(running.slack, "U0AMIRA")
    assert client.views_open(trigger_id=trigger, view=view)["view"]["id"]
    assert refusal(client.views_open, trigger_id=trigger, view=view)["error"] == "exchanged_trigger_id"
    late = new_trigger(running.slack, "U0AMIRA")
    time.sleep(running.slack.timings.trigger_seconds + 0.05)
    assert refusal(client.views_open, trigger_id=late, view=view)["error"] == "expired_trigger_id"
    assert refusal(client.views_open, trigger_id="x", view=view)["error"] == "invalid_trigger_id"
    bad = {**view, "title": {"type": "plain_text", "text": "x" * 25}}
    answer = refusal(client.views_open, trigger_id="x", view=bad)
    assert answer["error"] == "invalid_arguments"
    assert answer["errors"] == ["must be less than 25 characters [json-pointer:/view/title/text]"]


def test_a_rate_limit_is_waited_out_by_the_clients_retry_handler(running: Running, slack: Control) -> None:
    patient = WebClient(
        running.bot_token,
        base_url=running.api_url,
        retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=1)],
    )
    slack.fail_calls("chat.postMessage", "ratelimited", seconds=1)
    began = time.monotonic()
    patient.chat_postMessage(channel=ALERTS, text="patience")
    assert time.monotonic() - began >= 1
    assert [call["status"] for call in slack.calls("chat.postMessage")] == [429, 200]


def test_posts_can_be_limited_to_one_a_second_for_each_channel(client: WebClient, slack: Control) -> None:
    slack.limit_posts(1)
    client.chat_postMessage(channel=ALERTS, text="one")
    client.chat_postMessage(channel="C0GENERAL", text="elsewhere")
    with pytest.raises(SlackApiError) as limited:
        client.chat_postMessage(channel=ALERTS, text="two")
    assert limited.value.response.status_code == 429
    assert int(limited.value.response.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("kind", ["error_after", "drop_after"])
def test_a_call_can_be_performed_and_its_answer_lost(client: WebClient, slack: Control, kind: str) -> None:
    client.retry_handlers.clear()
    slack.fail_calls("chat.postMessage", kind)
    with pytest.raises(Exception, match=r"non-JSON|closed|reset|Remote"):
        client.chat_postMessage(channel=ALERTS, text="did it arrive?")
    assert [message["text"] for message in slack.state().messages("alerts")] == ["did it arrive?"]


@pytest.mark.parametrize("kind", ["error", "drop"])
def test_a_call_can_fail_before_anything_is_done(client: WebClient, slack: Control, kind: str) -> None:
    client.retry_handlers.clear()
    slack.fail_calls("chat.postMessage", kind)
    with pytest.raises(Exception, match=r"non-JSON|closed|reset|Remote"):
        client.chat_postMessage(channel=ALERTS, text="lost")
    assert slack.state().messages("alerts") == []


def test_a_file_is_uploaded_in_three_steps_and_shared(client: WebClient, slack: Control) -> None:
    client.files_upload_v2(channel=ALERTS, filename="note.txt", content="hello", initial_comment="see")
    message = slack.wait_for(lambda state: state.messages("alerts"))[0]
    (file,) = message["files"]
    assert (message["text"], file["name"], file["size"]) == ("see", "note.txt", 5)
    with urllib.request.urlopen(file["url_private"], timeout=5) as answer:
        assert answer.read() == b"hello"


def test_bytes_that_were_not_announced_are_refused(client: WebClient, slack: Control) -> None:
    place = client.files_getUploadURLExternal(filename="note.txt", length=5)
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(str(place["upload_url"]), b"hello, longer", timeout=5)
    lacking = refusal(client.files_completeUploadExternal, files=[{"id": place["file_id"]}], channel_id=ALERTS)
    assert lacking["error"] == "file_not_found"
    assert slack.state().messages("alerts") == []


def test_a_stream_grows_and_ends(client: WebClient, slack: Control) -> None:
    root = slack.say("amira", "alerts", "@Gumshoe why?")["ts"]
    lacking = refusal(client.chat_startStream, channel=ALERTS, thread_ts=root)
    assert lacking["error"] == "missing_recipient_user_id"
    ts = client.chat_startStream(
        channel=ALERTS,
        thread_ts=root,
        recipient_user_id="U0AMIRA",
        recipient_team_id="T0ACME",
        task_display_mode="plan",
    )["ts"]
    task = {"type": "task_update", "id": "1", "title": "Read logs", "status": "in_progress"}
    client.chat_appendStream(channel=ALERTS, ts=ts, chunks=[task])
    client.chat_appendStream(channel=ALERTS, ts=ts, chunks=[{**task, "status": "complete"}])
    client.chat_appendStream(channel=ALERTS, ts=ts, markdown_text="**Cause:** x")
    client.chat_stopStream(channel=ALERTS, ts=ts)
    message = slack.state().message("alerts", ts)
    assert message is not None
    assert message["blocks"][0]["tasks"][0]["status"] == "complete"
    assert message["text"] == "**Cause:** x"
    late = refusal(client.chat_appendStream, channel=ALERTS, ts=ts, markdown_text="more")
    assert late["error"] == "message_not_in_streaming_state"
