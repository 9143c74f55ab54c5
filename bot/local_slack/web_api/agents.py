"""agents.sessions.* and assistant.threads.*: what an agent says about its work in a thread."""

from __future__ import annotations

from dataclasses import replace

from bot.local_slack.records import Json, Session
from bot.local_slack.web_api.call import ApiError, Call, Method, invalid_arguments
from bot.local_slack.workspace import Workspace

STATUSES = ("processing", "active", "suspended", "closed")
LONGEST_TITLE = 200
MOST_LOADING_MESSAGES = 10


def set_session_status(call: Call) -> Json:
    before = _session(call)
    status = call.text("status")
    if status not in STATUSES:
        raise invalid_arguments(f"must be a valid enum value: {', '.join(STATUSES)} [json-pointer:/status]")
    title = before.title if before.status else _title(call)
    call.workspace.put_session(replace(before, status=status, title=title))
    answer: Json = {"status": status, "agent_status": status, "title": title}
    if status == "processing" and not call.slack.grant.hears("agent_session_stopped"):
        warning = "missing_agent_session_stopped_event_subscription"
        answer |= {"warning": warning, "response_metadata": {"warnings": [warning]}}
    return answer


def rename_session(call: Call) -> Json:
    before = _session(call)
    if not before.status:
        raise ApiError("session_not_found")
    call.workspace.put_session(replace(before, title=_title(call)))
    return {"title": call.text("title")}


def _title(call: Call) -> str:
    if len(call.text("title")) > LONGEST_TITLE:
        raise invalid_arguments(f"must be less than {LONGEST_TITLE + 1} characters [json-pointer:/title]")
    return call.text("title")


def _session(call: Call) -> Session:
    if not call.slack.grant.is_agent:
        raise ApiError("not_an_agent")
    room = call.channel("channel_id", member=True)
    root = call.message(room, "thread_ts", error="thread_not_found")
    thread = root.thread_ts or root.ts
    return call.workspace.sessions.get((room.id, thread)) or Session(room.id, thread)


def set_hint(call: Call) -> Json:
    loading = call.items("loading_messages")
    if len(loading) > MOST_LOADING_MESSAGES:
        raise invalid_arguments(f"no more than {MOST_LOADING_MESSAGES} items allowed [json-pointer:/loading_messages]")
    call.workspace.put_session(replace(_session(call), hint=call.text("status"), loading=tuple(map(str, loading))))
    return {}


def set_title(call: Call) -> Json:
    call.workspace.put_session(replace(_session(call), title=_title(call)))
    return {}


def set_suggested_prompts(call: Call) -> Json:
    prompts = call.items("prompts")
    if not prompts or not all(isinstance(p, dict) and p.get("title") and p.get("message") for p in prompts):
        raise invalid_arguments("must provide title and message [json-pointer:/prompts]")
    if call.text("thread_ts"):
        call.workspace.put_session(replace(_session(call), prompts=tuple(prompts[:4])))
    return {}


def clear_hint(workspace: Workspace, channel: str, thread_ts: str) -> None:
    """A message of the agent in the thread ends the rotating hint."""
    session = workspace.sessions.get((channel, thread_ts))
    if session and session.hint:
        workspace.put_session(replace(session, hint="", loading=()))


_THREAD = ("channel_id", "thread_ts")

METHODS = {
    "agents.sessions.setStatus": Method(set_session_status, ("chat:write",), (*_THREAD, "status")),
    "agents.sessions.rename": Method(rename_session, ("chat:write",), (*_THREAD, "title")),
    "assistant.threads.setStatus": Method(set_hint, ("chat:write", "assistant:write"), _THREAD),
    "assistant.threads.setTitle": Method(set_title, ("assistant:write",), (*_THREAD, "title")),
    "assistant.threads.setSuggestedPrompts": Method(set_suggested_prompts, ("assistant:write",), ("channel_id",)),
}
