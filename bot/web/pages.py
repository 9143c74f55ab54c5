"""The evidence page, /i/ID?sig=…#E3: read-only, for whoever holds its signed link."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot import links
from bot.desk import Desk
from bot.web.page_view import view_of

Handler = Callable[[Request], Response]


@cache
def _templates() -> Environment:
    folder = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["ticks"] = ticks
    return environment


def ticks(text: str) -> Markup:
    """What stands between back-ticks as code; everything is escaped first."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))


def _page(template: str, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(_templates().get_template(template).render(**values), status_code=status)


def evidence(desk: Desk, key: bytes) -> Handler:
    def answer(request: Request) -> Response:
        investigation_id = request.path_params["investigation_id"]
        if not links.is_signed(key, investigation_id, request.query_params.get("sig", "")):
            return _page(
                "notice.html",
                403,
                title="This link is not complete",
                what="The address lacks its signature, or the signature is of another page.",
                remedy="Open the page from the Evidence button or an [E…] link in the Slack thread; "
                "when you copy the address, take all of it, ?sig=… included.",
            )
        view = view_of(desk.store, investigation_id)
        if view is None:
            return _page(
                "notice.html",
                404,
                title="No such investigation",
                what="The link is genuine, but its investigation is not in the records of this Gumshoe.",
                remedy="Perhaps the database was replaced or the link belongs to another installation. "
                "Ask for the alert to be investigated again: mention @gumshoe in its thread.",
            )
        return _page("evidence.html", view=view)

    return answer


def not_found(request: Request, error: Exception) -> Response:
    return _page(
        "notice.html",
        404,
        title="Nothing here",
        what="Gumshoe has no page at this address.",
        remedy="Evidence pages are opened from the Slack thread of an incident.",
    )
