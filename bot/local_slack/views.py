"""Modals and Home tabs in front of people: opening, stacking, changing, closing."""

from __future__ import annotations

from dataclasses import replace

from bot.local_slack import normalise
from bot.local_slack.records import Json, View
from bot.local_slack.validate import views as rules
from bot.local_slack.workspace import Workspace

DEEPEST = 3


class ViewError(Exception):
    """In Slack's words; `problems` says what is wrong with the definition."""

    def __init__(self, error: str, problems: list[str] | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.problems = problems or []


def checked(workspace: Workspace, definition: object, *, home: bool = False) -> Json:
    """The definition as it is stored."""
    problems = rules.view(definition, home=home)
    if problems or not isinstance(definition, dict):
        raise ViewError("invalid_arguments", problems)
    if rules.too_large(definition):
        raise ViewError("view_too_large")
    blocks = list(normalise.blocks(definition.get("blocks") or [], workspace.new_id))
    for block in blocks:
        if block["type"] == "input":
            block.setdefault("optional", False)
            block.setdefault("dispatch_action", False)
    shown: Json = {
        "type": definition["type"],
        "callback_id": definition.get("callback_id") or "",
        "private_metadata": definition.get("private_metadata") or "",
        "blocks": blocks,
    }
    if not home:
        titles = {
            key: {"emoji": True, **definition[key]} for key in ("title", "submit", "close") if definition.get(key)
        }
        shown |= {"close": None, "submit": None, **titles}
        shown |= {flag: bool(definition.get(flag)) for flag in ("clear_on_close", "notify_on_close", "submit_disabled")}
    return shown


def open_modal(workspace: Workspace, user: str, definition: Json) -> View:
    view = _new(workspace, user, definition)
    workspace.set_modals(user, [replace(view, root_id=view.id)])
    return workspace.modals[user][-1]


def push_modal(workspace: Workspace, user: str, definition: Json) -> View:
    stack = workspace.modals.get(user) or []
    if not stack:
        raise ViewError("not_found")
    if len(stack) >= DEEPEST:
        raise ViewError("push_limit_reached")
    view = replace(_new(workspace, user, definition), root_id=stack[0].id, previous_id=stack[-1].id)
    workspace.set_modals(user, [*stack, view])
    return view


def update_modal(workspace: Workspace, view: View, definition: Json, expected_hash: str = "") -> View:
    if expected_hash and expected_hash != view.hash:
        raise ViewError("hash_conflict")
    external = str(definition.get("external_id") or "")
    after = replace(
        view,
        definition=checked(workspace, definition),
        hash=_hash(workspace),
        external_id=external or view.external_id,
    )
    stack = [after if open_view.id == view.id else open_view for open_view in workspace.modals.get(view.user, [])]
    workspace.set_modals(view.user, stack)
    return after


def close_top(workspace: Workspace, user: str, *, everything: bool = False) -> list[View]:
    """What was closed, the top one first."""
    stack = workspace.modals.get(user) or []
    keep = [] if everything else stack[:-1]
    workspace.set_modals(user, keep)
    return list(reversed(stack[len(keep) :]))


def publish_home(workspace: Workspace, user: str, definition: Json, expected_hash: str = "") -> View:
    before = workspace.homes.get(user)
    if before and expected_hash and expected_hash != before.hash:
        raise ViewError("hash_conflict")
    view_id = before.id if before else workspace.new_id("V0")
    external = str(definition.get("external_id") or "") if isinstance(definition, dict) else ""
    home = View(
        view_id,
        user,
        checked(workspace, definition, home=True),
        _hash(workspace),
        view_id,
        external_id=external,
    )
    workspace.put_home(home)
    return home


def _new(workspace: Workspace, user: str, definition: Json) -> View:
    stored = checked(workspace, definition)
    external = str(definition.get("external_id") or "")
    if external and any(view.external_id == external for stack in workspace.modals.values() for view in stack):
        raise ViewError("duplicate_external_id")
    view_id = workspace.new_id("V0")
    return View(view_id, user, stored, _hash(workspace), view_id, external_id=external)


def _hash(workspace: Workspace) -> str:
    return f"{int(workspace.clock())}.{workspace.new_id('', 8)}"
