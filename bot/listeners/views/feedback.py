"""The drill-down of a "wrong": what was wrong, what was really true, a note."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.blocks import feedback_modal
from bot.desk import Desk
from bot.listeners import voting
from bot.listeners.private import whisper
from bot.listeners.views import state
from skills.redact import Redactor
from workers import correction
from workers.correction import Correction


def register(app: App, desk: Desk) -> None:
    @app.view(feedback_modal.CALLBACK)
    def on_detail(ack: Ack, body: dict[str, Any], view: dict[str, Any], client: WebClient) -> None:
        true, problems = _truth(desk.redactor, view)
        if problems:
            ack(response_action="errors", errors=problems)
            return
        ack()
        _keep(desk, client, view, body["user"]["id"], true)


def _keep(desk: Desk, client: WebClient, view: dict[str, Any], person: str, true: Correction | None) -> None:
    """With the vote that it explains; whoever has taken that back meanwhile is told nothing."""
    about = state.metadata(view)["about"]
    words = desk.redactor.text(state.words(view, "true_cause"))
    explained = desk.store.feedback.explain(
        about,
        person,
        desk.clock(),
        parts=[p for p in state.chosen(view, "parts") if p in feedback_modal.PARTS],
        true_cause=f"{true}\n{words}".strip() if true else words,
        note=desk.redactor.text(state.words(view, "note")),
    )
    if explained is not None:
        # Who has voted otherwise since has corrected nothing: cases are made of what was found wrong.
        counts = explained.vote == "wrong"
        _tell(desk, client, about, person, correction.read(explained.true_cause) if counts else None)


def _truth(redactor: Redactor, view: dict[str, Any]) -> tuple[Correction | None, dict[str, str]]:
    """What was chosen, or what is missing of it; by block."""
    verdict, fault = state.picked(view, "verdict"), state.picked(view, "fault")
    said = redactor.text(state.words(view, "culprit"))
    if verdict == "false_alarm":
        both = said or fault
        return Correction("false_alarm"), {"verdict": "A false alarm has no culprit and no fault."} if both else {}
    if not (said or fault):
        return None, {"culprit": "What was it that is over? Kind and name."} if verdict == "recovered" else {}
    entity = correction.culprit(said)
    if entity is None:
        return None, {"culprit": "Kind and name, as Deployment shop/cart or Node worker-3."}
    if not fault:
        return None, {"fault": "Which kind of fault was it? Leave the culprit empty if you do not know."}
    return Correction("recovered" if verdict == "recovered" else "incident", entity, fault), {}


def _tell(desk: Desk, client: WebClient, about: str, person: str, true: Correction | None) -> None:
    post, investigation = voting.living(desk, about), desk.store.investigations.get(about)
    incident = desk.store.incidents.get(investigation.incident_id) if investigation else None
    if post is not None and incident is not None:
        told = feedback_modal.kept(about, true, incident.alert_type)
        whisper(client, post.place.channel, person, told, thread_ts=post.place.thread_ts)
