"""auth.test, api.test and apps.connections.open."""

from __future__ import annotations

from bot.local_slack.records import Json
from bot.local_slack.web_api.call import ApiError, Call, Method


def auth_test(call: Call) -> Json:
    workspace = call.workspace
    app, team = workspace.installed, workspace.team
    return {
        "url": f"https://{team.domain}.slack.com/",
        "team": team.name,
        "user": app.name.lower(),
        "team_id": team.id,
        "user_id": app.bot_user_id,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }


def api_test(call: Call) -> Json:
    if call.text("error"):
        raise ApiError(call.text("error"), args=call.args)
    return {"args": call.args} if call.args else {}


def open_connection(call: Call) -> Json:
    return {"url": call.slack.socket_mode.new_address()}


METHODS = {
    "auth.test": Method(auth_test),
    "api.test": Method(api_test),
    "apps.connections.open": Method(open_connection, app_token=True),
}
