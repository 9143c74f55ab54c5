"""Many questions in few range queries: joined with `or`, each row marked with the question that it answers.

A bundle that the server rejects is asked one by one, so that one exporter's oddity (many-to-many matching, a limit on
samples) costs its own question alone. `label_replace` with an empty source is PromQL's way to set a label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from skills.contract import Series, ToolError
from skills.prometheus.client import Rejected

MARK = "gumshoe_question"
Range = Callable[[str], tuple[Series, ...]]
"""An expression over the window in question. Raises ToolError."""
Answers = dict[str, tuple[Series, ...] | ToolError]


def ask_all(questions: Mapping[str, str], ask: Range, parallel: int) -> Answers:
    """The answer to each question, by its name, or why there is none. Sends `parallel` queries where all goes well."""
    with ThreadPoolExecutor(parallel) as pool:
        answers: Answers = {}
        alone: list[str] = []
        bundles = [names for i in range(parallel) if (names := [*questions][i::parallel])]
        for names, told in zip(bundles, pool.map(lambda n: _tried(ask, bundle(questions, n)), bundles), strict=True):
            if isinstance(told, Rejected):
                alone += names
            elif isinstance(told, ToolError):
                answers |= dict.fromkeys(names, told)
            else:
                answers |= unbundled(names, told)
        for name, told in zip(alone, pool.map(lambda n: _tried(ask, questions[n]), alone), strict=True):
            answers[name] = told
    return {name: answers[name] for name in questions}


def bundle(questions: Mapping[str, str], names: Sequence[str]) -> str:
    if len(names) == 1:
        return questions[names[0]]
    return " or ".join(f'label_replace({questions[name]}, "{MARK}", "{name}", "", "")' for name in names)


def unbundled(names: Sequence[str], series: Sequence[Series]) -> dict[str, tuple[Series, ...]]:
    if len(names) == 1:
        return {names[0]: tuple(series)}
    rows: dict[str, list[Series]] = {name: [] for name in names}
    for one in series:
        labels = {k: v for k, v in one.labels.items() if k != MARK}
        if (name := one.labels.get(MARK, "")) in rows:
            rows[name].append(replace(one, labels=labels))
    return {name: tuple(found) for name, found in rows.items()}


def _tried(ask: Range, expression: str) -> tuple[Series, ...] | ToolError:
    try:
        return ask(expression)
    except ToolError as error:
        return error
