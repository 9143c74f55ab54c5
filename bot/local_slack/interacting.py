"""What people do with the app: press, fill in, submit, run commands. Each waits for the app as Slack does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.local_slack import answers, events, inputs, interactions, posting, text, views
from bot.local_slack.acts import ActError, mentions, message_at, room_called, rooms_by_name, who_is
from bot.local_slack.records import Channel, Json, Message, Person, View
from bot.local_slack.slack import Slack
from bot.local_slack.web_api.call import ApiError
from bot.local_slack.web_api.content import checked


def press(
    slack: Slack, user: str, action_id: str, *, channel: str = "", ts: str = "", view_id: str = "",
    block_id: str = "", given: Any = None,
) -> Json:  # fmt: skip
    """Presses a button or chooses something, in a message (channel, ts) or a view; without either, in the top modal."""
    who = who_is(slack, user)
    shown = _shown_to(slack, who, channel, ts, view_id)
    blocks = shown.definition["blocks"] if isinstance(shown, View) else _blocks_of(shown)
    found = inputs.find(blocks, action_id, block_id)
    if found is None:
        raise ActError(f"there is nothing called {action_id!r} to press here")
    block, element = found
    try:
        acted = interactions.action(slack, block, element, given)
        if inputs.has_state(element):
            inputs.put_in(slack.workspace, who.id, shown, block, element, given)
    except (inputs.UnknownChoice, StopIteration):
        raise ActError(f"{action_id!r} has no option {given!r}") from None
    if block["type"] == "input" and not block.get("dispatch_action"):
        return {"ok": True, "sent": False}
    if isinstance(shown, View):
        return _interact(slack, interactions.on_view(slack, who, shown, acted))[0]
    return _interact(slack, interactions.on_message(slack, who, shown, acted))[0]


def _blocks_of(message: Message) -> list[Json]:
    return [*message.blocks, *(block for item in message.attachments for block in item.get("blocks") or ())]


def _shown_to(slack: Slack, who: Person, channel: str, ts: str, view_id: str) -> View | Message:
    if channel and ts:
        return message_at(slack, room_called(slack, channel, who), ts, who.id)
    stack = slack.workspace.modals.get(who.id) or []
    view = slack.workspace.view(view_id) if view_id else (stack[-1] if stack else None)
    if view is None or view.user != who.id:
        raise ActError(f"{who.real_name} has no such view open")
    return view


def submit(slack: Slack, user: str, values: Mapping[str, Any] | None = None) -> Json:
    """Fills in and submits the open modal. `values`: {action or block id: what to put in}, or by both."""
    who = who_is(slack, user)
    view = _shown_to(slack, who, "", "", "")
    assert isinstance(view, View)
    _fill(slack, who, view, values or {})
    if missing := _missing(slack, who, view):
        return {"ok": False, "errors": missing, "sent": False}
    done, answer = _interact(slack, interactions.submission(slack, who, view), answers_back=True)
    if not done["ok"]:
        return done
    return _after_submission(slack, who, view, answer or {})


def _fill(slack: Slack, who: Person, view: View, values: Mapping[str, Any]) -> None:
    for key, given in values.items():
        nested = (
            given.items() if isinstance(given, dict) and inputs.find(view.definition["blocks"], key) is None else None
        )
        for action_id, value in nested or [(key, given)]:
            found = inputs.find(view.definition["blocks"], action_id, key if nested else "") or next(
                (pair for pair in inputs.elements_in(view.definition["blocks"]) if pair[0]["block_id"] == key), None
            )
            if found is None:
                raise ActError(f"this modal has no field {action_id!r}")
            try:
                inputs.put_in(slack.workspace, who.id, view, found[0], found[1], value)
            except inputs.UnknownChoice as problem:
                raise ActError(str(problem)) from None


def _missing(slack: Slack, who: Person, view: View) -> dict[str, str]:
    """What a client itself refuses to submit, by block."""
    values, problems = inputs.values_of(slack.workspace, who.id, view), {}
    for block, element in inputs.elements_in(view.definition["blocks"]):
        if block["type"] != "input":
            continue
        value = values[block["block_id"]][element["action_id"]]
        if inputs.is_empty(value):
            if not block.get("optional"):
                problems[block["block_id"]] = "Please complete this required field."
        elif problem := _out_of_bounds(element, str(value.get("value") or "")):
            problems[block["block_id"]] = problem
    return problems


def _out_of_bounds(element: Json, value: str) -> str | None:
    if element["type"] != "plain_text_input":
        return None
    if len(value) > element.get("max_length", 3000):
        return f"Must be less than {element.get('max_length', 3000) + 1} characters."
    if len(value) < element.get("min_length", 0):
        return f"Must be at least {element['min_length']} characters."
    return None


def _after_submission(slack: Slack, who: Person, view: View, answer: Json) -> Json:
    """Does what the acknowledgement says: errors keep the modal open; update, push and clear change the stack."""
    workspace, action = slack.workspace, answer.get("response_action")
    try:
        if action == "errors":
            return {"ok": False, "errors": answer.get("errors") or {}, "sent": True}
        if action == "update":
            views.update_modal(workspace, view, answer["view"])
        elif action == "push":
            views.push_modal(workspace, who.id, answer["view"])
        elif any(open_view.id == view.id for open_view in workspace.modals.get(who.id, [])):
            views.close_top(workspace, who.id, everything=action == "clear")
    except (views.ViewError, KeyError) as problem:
        problems = problem.problems if isinstance(problem, views.ViewError) else ["missing required field: view"]
        return {"ok": False, "error": "invalid_response_action", "problems": problems, "sent": True}
    return {"ok": True, "sent": True}


def close_view(slack: Slack, user: str, *, everything: bool = False) -> Json:
    who = who_is(slack, user)
    for view in views.close_top(slack.workspace, who.id, everything=everything):
        if view.definition.get("notify_on_close"):
            _interact(slack, interactions.closing(slack, who, view, cleared=everything))
    return {"ok": True}


def slash(slack: Slack, user: str, channel: str, command: str, said: str = "") -> Json:
    """Runs a slash command as if typed in the channel; the acknowledgement's text is shown to the person."""
    who = who_is(slack, user)
    room = room_called(slack, channel, who)
    known = next((c for c in slack.grant.commands if c.name == command), None)
    if known is None:
        raise ActError(f"{command} is not a valid command")
    named = text.from_person(said, mentions(slack), rooms_by_name(slack))
    typed = named if known.escapes else text.escaped(said)
    payload = interactions.slash_command(slack, who, room, command, typed)
    done, answer = _interact(slack, payload, kind="slash_commands", answers_back=True)
    if done["ok"] and answer and (answer.get("text") or answer.get("blocks") or answer.get("attachments")):
        try:
            content = checked(slack.workspace, answer)
        except ApiError as problem:
            return {**problem.answer, "sent": True}
        answers.say(slack, who.id, room.id, content, answer)
    return done


def shortcut(slack: Slack, user: str, callback_id: str, *, channel: str = "", ts: str = "") -> Json:
    who = who_is(slack, user)
    known = next((s for s in slack.grant.shortcuts if s.callback_id == callback_id), None)
    if known is None:
        raise ActError(f"there is no shortcut {callback_id!r}")
    if known.type == "message":
        message = message_at(slack, room_called(slack, channel), ts)
        return _interact(slack, interactions.shortcut_on_message(slack, who, message, callback_id))[0]
    return _interact(slack, interactions.global_shortcut(slack, who, callback_id))[0]


def open_home(slack: Slack, user: str, tab: str = "home") -> Channel:
    """Opens the app's page; `tab` is home or messages."""
    who = who_is(slack, user)
    direct = slack.workspace.direct(slack.bot_user, who.id)
    home = slack.workspace.homes.get(who.id)
    slack.announce(events.home_opened(slack.workspace, who.id, direct, tab, home), None)
    return direct


def stop_session(slack: Slack, user: str, channel: str, thread_ts: str) -> None:
    """Presses the native stop button of a working agent: its streams end here, the rest is up to the agent."""
    who, room = who_is(slack, user), room_called(slack, channel)
    session = slack.workspace.sessions.get((room.id, thread_ts))
    if session is None or session.status != "processing" or not slack.grant.hears("agent_session_stopped"):
        raise ActError("there is nothing to stop")
    running = [m for m in slack.workspace.thread(room.id, thread_ts) if m.streaming == "in_progress"]
    for message in running:
        posting.edit(slack, message, replace(message, streaming="completed"))
    stopped = events.session_stopped(slack.workspace, room.id, thread_ts, who.id, [m.ts for m in running])
    slack.announce(stopped, None)


def _interact(
    slack: Slack, payload: Json, *, kind: str = "interactive", answers_back: bool = False
) -> tuple[Json, Json | None]:
    """Hands an interaction to the app and waits as long as Slack does: (outcome for the person, the app's answer)."""
    delivery = slack.socket_mode.deliver(kind, payload, answers=answers_back)
    if not delivery.wait(slack.timings.ack_seconds):
        return {"ok": False, "error": "operation_timeout", "sent": True}, None
    return {"ok": True, "sent": True}, delivery.answer
