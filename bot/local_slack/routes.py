"""The addresses of the local Slack and what answers there.

Bodies are read on the event loop, because Starlette offers no other way; everything else is ordinary blocking code in
a thread.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path

import anyio.to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.local_slack import acts, answers, control_api
from bot.local_slack.records import Json
from bot.local_slack.slack import Slack
from bot.local_slack.transport import OpenConnections
from bot.local_slack.web_api import files
from bot.local_slack.web_api.call import ApiError
from bot.local_slack.web_api.serve import Dropped, arguments_of, serve, token_of

PAGE = Path(__file__).parent / "page"
THREADS = 200
"""Those who look on wait in a thread each."""
STRICT = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: http: https:; style-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class Incoming:
    request: Request
    body: bytes
    form: FormData | None

    def json(self) -> Json:
        """The body as an object; ValueError when it is none."""
        decoded = json.loads(self.body or b"{}")
        if not isinstance(decoded, dict):
            raise ValueError("a JSON object is expected")
        return decoded


Handler = Callable[[Incoming], Response]


def application(slack: Slack, connections: OpenConnections) -> Starlette:
    def reading(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            kind = request.headers.get("content-type", "")
            is_form = kind.startswith(("multipart/form-data", "application/x-www-form-urlencoded"))
            # urllib calls any bytes a form; Starlette keeps the body when it is read first.
            body = b"" if kind.startswith("multipart/") else await request.body()
            form = await request.form(max_part_size=files.LARGEST) if is_form else None
            try:
                return await run_in_threadpool(handler, Incoming(request, body, form))
            except Dropped:
                client = request.client
                if client is not None:
                    connections.cut((client.host, client.port))
                return Response(status_code=503)

        return endpoint

    def route(path: str, handler: Callable[[Slack, Incoming], Response], *methods: str) -> Route:
        return Route(path, reading(lambda incoming: handler(slack, incoming)), methods=list(methods or ("POST",)))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        yield

    return Starlette(
        lifespan=lifespan,
        routes=[
            route("/api/{method}", _web_api, "GET", "POST"),
            route("/commands/{team}/{id}/{token}", _response_url),
            route("/actions/{team}/{id}/{token}", _response_url),
            route("/app/{team}/{id}/{token}", _response_url),
            route("/services/{app}/{channel}", _incoming_webhook),
            route("/upload/v1/{file}", _upload),
            route("/files/{file}/{name:path}", _download, "GET"),
            route("/avatars/{owner}.svg", _avatar, "GET"),
            route("/control/state", _state, "GET"),
            route("/control/calls", _calls, "GET"),
            route("/control/changes", _changes, "GET"),
            route("/control/{act}", _control),
            route("/", _page, "GET"),
            route("/archives/{channel}/{message}", _page, "GET"),
            Mount("/page", StaticFiles(directory=PAGE)),
        ],
    )


def _web_api(slack: Slack, incoming: Incoming) -> Response:
    args = arguments_of(incoming.request, incoming.body, incoming.form)
    token = token_of(incoming.request, args)
    return serve(slack, incoming.request.path_params["method"], args, token)


def _response_url(slack: Slack, incoming: Incoming) -> Response:
    try:
        door = answers.take(slack, incoming.request.path_params["token"])
    except answers.UrlError as problem:
        return JSONResponse({"ok": False, "error": str(problem)}, 404)
    try:
        answers.at_response_url(slack, door, incoming.json())
    except ApiError as problem:
        return JSONResponse(problem.answer, 400)
    except ValueError:
        return JSONResponse({"ok": False, "error": "invalid_payload"}, 400)
    return PlainTextResponse("ok")


def _incoming_webhook(slack: Slack, incoming: Incoming) -> Response:
    """Where an alerting system posts as it would to hooks.slack.com: JSON, or a form with `payload`."""
    where = incoming.request.path_params
    try:
        payload = json.loads(str(incoming.form["payload"])) if incoming.form else incoming.json()
        acts.post_as_app(slack, where["app"], payload.pop("channel", None) or where["channel"], payload)
    except (ValueError, KeyError):
        return PlainTextResponse("invalid_payload", 400)
    except acts.ActError as problem:
        return PlainTextResponse(str(problem), 400)
    return PlainTextResponse("ok")


def _upload(slack: Slack, incoming: Incoming) -> Response:
    parts = incoming.form.values() if incoming.form else ()
    content = next((part.file.read() for part in parts if isinstance(part, UploadFile)), incoming.body)
    file = files.receive(slack.workspace, incoming.request.path_params["file"], content)
    if file is None:
        return PlainTextResponse("not the file that was announced", 400)
    return PlainTextResponse(f"OK - {file.size}")


def _download(slack: Slack, incoming: Incoming) -> Response:
    file, content = slack.workspace.files.get(incoming.request.path_params["file"], (None, None))
    if file is None or content is None:
        return PlainTextResponse("file_not_found", 404)
    # What was uploaded is never run as part of the page.
    kind = file.mimetype if file.mimetype in {"image/png", "image/jpeg", "image/gif"} else "text/plain; charset=utf-8"
    return Response(content, media_type=kind, headers=STRICT)


def _avatar(slack: Slack, incoming: Incoming) -> Response:
    owner = incoming.request.path_params["owner"]
    who, app = slack.workspace.people.get(owner), slack.workspace.apps.get(owner)
    name, colour = (who.real_name, who.color) if who else (app.name, app.color) if app else ("?", "4b5563")
    initials = escape("".join(word[0] for word in name.split()[:2]).upper())
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="72" height="72"><rect width="72" height="72" rx="12" '
        f'fill="#{colour}"/><text x="36" y="46" font-family="sans-serif" font-size="28" font-weight="600" '
        f'fill="#fff" text-anchor="middle">{initials}</text></svg>'
    )
    return Response(picture, media_type="image/svg+xml", headers=STRICT)


def _state(slack: Slack, incoming: Incoming) -> Response:
    return JSONResponse(control_api.look(slack, incoming.request.query_params))


def _calls(slack: Slack, incoming: Incoming) -> Response:
    return JSONResponse(control_api.calls(slack, incoming.request.query_params))


def _changes(slack: Slack, incoming: Incoming) -> Response:
    query, headers = incoming.request.query_params, incoming.request.headers
    since = int(headers.get("last-event-id") or query.get("since") or 0)
    events = control_api.stream(slack, since)
    return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _control(slack: Slack, incoming: Incoming) -> Response:
    try:
        return JSONResponse(control_api.perform(slack, incoming.request.path_params["act"], incoming.json()))
    except acts.ActError as problem:
        return JSONResponse({"ok": False, "error": str(problem)}, 400)
    except ValueError as problem:
        return JSONResponse({"ok": False, "error": f"bad JSON: {problem}"}, 400)


def _page(slack: Slack, incoming: Incoming) -> Response:
    return FileResponse(PAGE / "index.html", headers=STRICT)
