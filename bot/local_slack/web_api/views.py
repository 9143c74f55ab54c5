"""views.*"""

from __future__ import annotations

from collections.abc import Callable

from bot.local_slack import shapes, views
from bot.local_slack.inputs import values_of
from bot.local_slack.records import Json, Trigger, View
from bot.local_slack.triggers import TriggerError, exchange
from bot.local_slack.web_api.call import ApiError, Call, Method, invalid


def open_view(call: Call) -> Json:
    return _answer(call, lambda: views.open_modal(call.workspace, _trigger(call).user, call.args["view"]))


def push(call: Call) -> Json:
    return _answer(call, lambda: views.push_modal(call.workspace, _trigger(call).user, call.args["view"]))


def update(call: Call) -> Json:
    def change() -> View:
        external = call.text("external_id")
        modals = [view for stack in call.workspace.modals.values() for view in stack]
        found = next(
            (v for v in modals if v.id == call.text("view_id") or (external and v.external_id == external)), None
        )
        if found is None:
            raise ApiError("not_found")
        return views.update_modal(call.workspace, found, call.args["view"], call.text("hash"))

    return _answer(call, change)


def publish(call: Call) -> Json:
    user = call.text("user_id")
    if user not in call.workspace.people:
        raise ApiError("user_not_found")
    return _answer(call, lambda: views.publish_home(call.workspace, user, call.args["view"], call.text("hash")))


def _trigger(call: Call) -> Trigger:
    # A view that Slack refuses costs no trigger.
    views.checked(call.workspace, call.args["view"])
    try:
        return exchange(call.slack, call.text("trigger_id"))
    except TriggerError as problem:
        raise ApiError(str(problem)) from None


def _answer(call: Call, act: Callable[[], View]) -> Json:
    try:
        with call.workspace.lock:
            shown = act()
    except views.ViewError as problem:
        if problem.problems:
            raise invalid(problem.error, problem.problems) from None
        raise ApiError(problem.error) from None
    return {"view": shapes.view(call.workspace, shown, values_of(call.workspace, shown.user, shown))}


METHODS = {
    "views.open": Method(open_view, (), ("trigger_id", "view")),
    "views.push": Method(push, (), ("trigger_id", "view")),
    "views.update": Method(update, (), ("view",)),
    "views.publish": Method(publish, (), ("user_id", "view")),
}
