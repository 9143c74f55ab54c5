"""Serves /api/<method>: reads every form of body that Slack takes, checks token and scope, misbehaves if asked to."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.local_slack.misbehave import ApiFault
from bot.local_slack.records import Json
from bot.local_slack.slack import Slack
from bot.local_slack.web_api import agents, auth, chat, conversations, files, reactions, streams, users, views
from bot.local_slack.web_api.call import ApiError, Call, Method, RateLimited, invalid_arguments

METHODS: Mapping[str, Method] = {
    **auth.METHODS,
    **chat.METHODS,
    **streams.METHODS,
    **conversations.METHODS,
    **reactions.METHODS,
    **users.METHODS,
    **views.METHODS,
    **files.METHODS,
    **agents.METHODS,
}

_NESTED = {
    "blocks": "invalid_blocks_format",
    "attachments": "invalid_attachments",
    "metadata": "invalid_metadata_format",
    "view": "invalid_arguments",
    "files": "invalid_arguments",
    "chunks": "invalid_arguments",
    "prompts": "invalid_arguments",
    "loading_messages": "invalid_arguments",
}
"""Arguments that a form carries as JSON, and the error when they are not."""


class Dropped(Exception):
    """The connection is to be cut instead of answered."""


def serve(slack: Slack, method: str, request_args: Json | ApiError, token: str) -> Response:
    """One call from decoded arguments to the response. Raises Dropped when misbehaviour says so."""
    known = METHODS.get(method)
    args = {} if isinstance(request_args, ApiError) else {k: v for k, v in request_args.items() if k != "token"}
    fault = slack.misbehaviour.next_api_fault(method)
    status, headers = 200, {"x-slack-req-id": slack.workspace.new_id("", 16)}
    try:
        if fault:
            _before(fault)
        if isinstance(request_args, ApiError):
            raise request_args
        answer = _perform(slack, method, known, args, token)
    except ApiError as problem:
        answer = problem.answer
    except RateLimited as limit:
        status, answer = 429, {"ok": False, "error": "ratelimited"}
        headers["Retry-After"] = str(max(1, round(limit.seconds + 0.499)))
    except _Broken as broken:
        status, answer = broken.status, {}
    except Dropped:
        slack.calls.add(slack.workspace.clock(), method, args, 0, {}, fault.kind if fault else None)
        raise
    slack.calls.add(slack.workspace.clock(), method, args, status, answer, fault.kind if fault else None)
    if fault and fault.kind == "drop_after":
        raise Dropped
    if fault and fault.kind == "error_after":
        return Response("upstream request timeout", fault.status, headers)
    if status >= 500:
        return Response("upstream request timeout", status, headers)
    if known and token == slack.tokens.bot:
        headers["x-oauth-scopes"] = ",".join(sorted(slack.grant.scopes))
        headers["x-accepted-oauth-scopes"] = ",".join(known.scopes)
    return JSONResponse(answer, status, headers)


class _Broken(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


def _before(fault: ApiFault) -> None:
    if fault.kind == "ratelimited":
        raise RateLimited(fault.seconds)
    if fault.kind == "error":
        raise _Broken(fault.status)
    if fault.kind == "drop":
        raise Dropped
    if fault.kind == "slack_error":
        raise ApiError(fault.error)
    if fault.kind == "slow":
        time.sleep(fault.seconds)


def _perform(slack: Slack, method: str, known: Method | None, args: Json, token: str) -> Json:
    if known is None:
        raise ApiError("unknown_method", req_method=method)
    if method != "api.test":
        _check_token(slack, known, token)
    call = Call(slack, method, args)
    call.need(*known.scopes)
    missing = [name for name in known.required if args.get(name) in (None, "")]
    if missing:
        raise invalid_arguments(*(f"missing required field: {name}" for name in missing))
    with slack.workspace.lock:
        return {"ok": True, **known.run(call)}


def _check_token(slack: Slack, known: Method, token: str) -> None:
    if not token:
        raise ApiError("not_authed")
    if slack.misbehaviour.revoked:
        raise ApiError("token_revoked")
    if token not in {slack.tokens.bot, slack.tokens.app}:
        raise ApiError("invalid_auth")
    if (token == slack.tokens.app) != known.app_token:
        raise ApiError("not_allowed_token_type")


def arguments_of(request: Request, body: bytes, form: FormData | None) -> Json | ApiError:
    """The call's arguments from query, form or JSON. What cannot be read is the error that Slack answers."""
    args: Json = dict(request.query_params)
    if form is not None:
        args |= {key: value for key, value in form.items() if isinstance(value, str)}
    elif "application/json" in request.headers.get("content-type", "") and body.strip():
        try:
            decoded = json.loads(body)
        except ValueError:
            return ApiError("invalid_json")
        if not isinstance(decoded, dict):
            return ApiError("json_not_object")
        args |= decoded
    for name, error in _NESTED.items():
        if isinstance(args.get(name), str):
            try:
                args[name] = _nested(args[name])
            except ValueError:
                return ApiError(error)
    return args


def _nested(text: str) -> Any:
    return json.loads(text) if text.strip() else None


def token_of(request: Request, args: Json | ApiError) -> str:
    header = request.headers.get("authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer ").strip()
    return "" if isinstance(args, ApiError) else str(args.get("token") or "")
