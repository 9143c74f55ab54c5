"""Guessers say what a hunch would say, from what the skills show."""

from __future__ import annotations

from datetime import datetime

from skills.contract import LogBatch, LogLine, LogQuery, Series, Sources, ToolError, Window
from tests.evaluation.made import AT, HEALTHY, entity, span, truth
from workers.domain import Alert
from workers.evaluation.guessers import GUESSERS, Scene, candidates, guesses


class Restarts:
    def __init__(self, **counts: float) -> None:
        self.counts = counts

    def range(self, expression: str, window: Window, step_seconds: float) -> tuple[Series, ...]:
        assert "restarts_total" in expression
        return tuple(
            Series({"namespace": "shop", "pod": f"{name}-7d9f8c6b5-x2lqp"}, ((window.end, count),))
            for name, count in self.counts.items()
        )


class Silent:
    def range(self, expression: str, window: Window, step_seconds: float) -> tuple[Series, ...]:
        raise ToolError("no answer")

    def read(self, query: LogQuery) -> LogBatch:
        raise ToolError("no answer")


class Lines:
    def __init__(self, *workloads: str) -> None:
        self.workloads = workloads

    def read(self, query: LogQuery) -> LogBatch:
        assert query.errors_only
        lines = tuple(LogLine(AT, "error", entity(name)) for name in self.workloads)
        return LogBatch(lines, len(lines), "q")


ALERT = Alert(
    source="alertmanager",
    alert_type="KubePodCrashLooping",
    title="",
    fingerprint="f",
    labels={"namespace": "shop", "pod": "cart-7d9f8c6b5-x2lqp"},
)


def change(of: str, at: datetime) -> dict[str, object]:
    return {"id": of, "at": at.isoformat(), "entity": entity(of).model_dump()}


def scene(**sources: Sources) -> Scene:
    changes = [change("Deployment shop/cart", AT.replace(hour=13)), change("Deployment shop/search", AT)]
    return Scene((ALERT,), changes, sources, AT)


def test_each_guesser_names_what_a_hunch_would_name() -> None:
    seen = scene(
        prometheus=Sources(series=Restarts(pricing=1, cart=6)),
        logs=Sources(logs=Lines("Deployment shop/checkout", "Deployment shop/cart", "Deployment shop/checkout")),
    )
    said = {name: str(guess(seen)) for name, guess in GUESSERS.items()}
    assert said == {
        "alerting service": "Deployment shop/cart",
        "last deploy": "Deployment shop/search",
        "most restarts": "Deployment shop/cart",
        "loudest logs": "Deployment shop/checkout",
    }


def test_a_guess_is_right_when_it_names_a_true_entity_and_never_where_nothing_is_wrong() -> None:
    seen = scene(prometheus=Sources(series=Restarts(cart=6)))
    assert {name: g.right for name, g in guesses(seen, truth()).items()} == {
        "alerting service": True,
        "last deploy": False,
        "most restarts": True,
        "loudest logs": False,
    }
    assert not any(g.right for g in guesses(seen, HEALTHY).values())


def test_a_system_that_does_not_answer_leaves_a_guesser_without_a_guess() -> None:
    seen = scene(prometheus=Sources(series=Silent()), logs=Sources(logs=Silent()))
    assert [guesses(seen, truth())[name].entity for name in ("most restarts", "loudest logs")] == ["", ""]
    quiet = scene(prometheus=Sources(series=Restarts(cart=0)))
    assert guesses(quiet, truth())["most restarts"].entity == ""


def test_chance_is_one_in_the_entities_that_were_met() -> None:
    def symptom(of: str) -> dict[str, object]:
        return {"entity": entity(of).model_dump(), "faults": []}

    met = span(symptoms=[symptom("Deployment shop/a"), symptom("Pod shop/a-7d9f8c6b5-x2lqp"), symptom("Node n")])
    assert candidates([met]) == 2
