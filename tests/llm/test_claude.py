"""The real SDK against a scripted Messages API on loopback."""

import pytest

from tests.llm.messages_api import Told, call, error, serve
from workers.llm.base import ModelError, ToolSpec
from workers.llm.claude import Claude

TOOLS = (
    ToolSpec("look", "Looks.", {"type": "object", "properties": {}}),
    ToolSpec("conclude", "Ends.", {"type": "object"}),
)
HELLO = [{"role": "user", "content": [{"type": "text", "text": "why?"}]}]
LONG = "Find the cause. " * 400


def claude(url, **more):
    return Claude("claude-sonnet-5-5", api_key="made-up", base_url=url, first_pause=0.01, **more)


def test_tool_calls_come_back_with_usage_and_price():
    with serve(Told([call("look", {"at": "cart"})])) as api:
        reply = claude(api.url).reply("Find it.", TOOLS, HELLO)
    assert reply.content == [call("look", {"at": "cart"})]
    assert reply.stop_reason == "tool_use"
    assert (reply.usage.input_tokens, reply.usage.cache_read_tokens, reply.usage.output_tokens) == (1000, 2000, 100)
    assert reply.usage.dollars == pytest.approx((1000 * 2 + 2000 * 0.2 + 100 * 10) / 1e6)
    assert not reply.usage.estimated


def test_the_static_prefix_is_marked_for_the_cache_and_nothing_is_kept_on_the_server():
    with serve(Told([call("look", {})])) as api:
        claude(api.url).reply(LONG, TOOLS, HELLO)
    sent = api.requests[0]
    assert sent["system"][-1]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert sent["tools"][-1]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert "cache_control" not in sent["tools"][0]
    assert not {"thread", "temperature", "top_p", "top_k"} & set(sent)


def test_a_prefix_below_the_models_minimum_is_not_marked():
    with serve(Told([call("look", {})])) as api:
        claude(api.url).reply("Short.", TOOLS, HELLO)
    assert "cache_control" not in str(api.requests[0])


def test_a_forced_tool_switches_thinking_off():
    with serve(Told([call("conclude", {})])) as api:
        claude(api.url).reply("Find it.", TOOLS, HELLO, force_tool="conclude")
    assert api.requests[0]["tool_choice"] == {"type": "tool", "name": "conclude"}
    assert "thinking" not in api.requests[0]


def test_thinking_is_sent_back_as_it_came():
    thought = {"type": "thinking", "thinking": "", "signature": "c2lnbmVk"}
    with serve(Told([thought, call("look", {})])) as api:
        reply = claude(api.url).reply("Find it.", TOOLS, HELLO)
    assert reply.content[0] == thought


@pytest.mark.parametrize("status", [429, 500, 529])
def test_what_passes_is_tried_again(status):
    with serve(error(status, "some_error", "busy"), Told([call("look", {})])) as api:
        reply = claude(api.url).reply("Find it.", TOOLS, HELLO)
    assert reply.attempts == 2
    assert len(api.requests) == 2


def test_retry_after_is_obeyed_up_to_a_cap_and_never_past_the_deadline():
    slept = []
    with (
        serve(error(429, "rate_limit_error", "slow down", retry_after="3600")) as api,
        pytest.raises(ModelError) as caught,
    ):
        claude(api.url, sleep=slept.append).reply("Find it.", TOOLS, HELLO, timeout_seconds=10)
    assert caught.value.kind == "rate_limited"
    assert slept == []
    slept.clear()
    with serve(error(429, "rate_limit_error", "slow down", retry_after="3600"), Told([call("look", {})])) as api:
        claude(api.url, sleep=slept.append).reply("Find it.", TOOLS, HELLO, timeout_seconds=60)
    assert slept == [20.0]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "auth"), (403, "auth"), (400, "invalid_request"), (404, "invalid_request"), (413, "invalid_request")],
)
def test_what_does_not_pass_is_told_at_once_in_the_servers_words(status, kind):
    with (
        serve(error(status, "an_error", "the words of the server")) as api,
        pytest.raises(ModelError, match="the words of the server") as caught,
    ):
        claude(api.url).reply("Find it.", TOOLS, HELLO)
    assert caught.value.kind == kind
    assert len(api.requests) == 1


def test_attempts_are_bounded():
    with serve(error(529, "overloaded_error", "overloaded")) as api, pytest.raises(ModelError) as caught:
        claude(api.url).reply("Find it.", TOOLS, HELLO)
    assert caught.value.kind == "overloaded"
    assert len(api.requests) == 4


def test_silence_ends_at_the_deadline():
    with serve(Told([call("look", {})], silence_seconds=1.5)) as api, pytest.raises(ModelError) as caught:
        claude(api.url).reply("Find it.", TOOLS, HELLO, timeout_seconds=0.3)
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize("body", [b"<html>gateway</html>", b"{}", b'"text"', b"[1, 2]", b'{"content": "x"}', b""])
def test_garbage_is_malformed_and_never_a_crash(body):
    with serve(Told(body)) as api, pytest.raises(ModelError) as caught:
        claude(api.url).reply("Find it.", TOOLS, HELLO)
    assert caught.value.kind == "malformed"


def test_arguments_that_are_no_object_are_wrapped():
    with serve(Told([call("look", "{broken")])) as api:
        reply = claude(api.url).reply("Find it.", TOOLS, HELLO)
    assert reply.content[0]["input"] == {"malformed": "{broken"}


def test_nobody_there_is_unreachable():
    with serve(Told([])) as api:
        url = api.url
    with pytest.raises(ModelError) as caught:
        claude(url).reply("Find it.", TOOLS, HELLO, timeout_seconds=5)
    assert caught.value.kind == "unreachable"
