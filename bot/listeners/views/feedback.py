"""The drill-down of a "wrong": what was wrong, the true cause, a note."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App

from bot.blocks import feedback_modal
from bot.desk import Desk
from bot.listeners.views import state


def register(app: App, desk: Desk) -> None:
    @app.view(feedback_modal.CALLBACK)
    def on_detail(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        ack()
        desk.store.feedback.explain(
            state.metadata(view)["about"],
            body["user"]["id"],
            desk.clock(),
            parts=[p for p in state.chosen(view, "parts") if p in feedback_modal.PARTS],
            true_cause=desk.redactor.text(state.words(view, "true_cause")),
            note=desk.redactor.text(state.words(view, "note")),
        )
