"""The grammar in which the rules are written: small checks that are put together into shapes.

A check looks at a value and notes every problem with the JSON pointer to it, in the words of Slack's own validator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Problems:
    """What is wrong, in order; the answer's `errors` and `response_metadata.messages`."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, message: str, pointer: str) -> None:
        self.found.append(f"{message} [json-pointer:{pointer}]")

    def __bool__(self) -> bool:
        return bool(self.found)


Check = Callable[[Any, str, Problems], None]
Fields = dict[str, Check]


def anything(value: Any, at: str, problems: Problems) -> None:
    """No rule."""


def string(longest: int, shortest: int = 0) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.add("must be a string", at)
        elif len(value) < shortest:
            problems.add(f"must be more than {shortest - 1} characters", at)
        elif len(value) > longest:
            problems.add(f"must be less than {longest + 1} characters", at)

    return check


def boolean(value: Any, at: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        problems.add("must be a boolean", at)


def integer(lowest: int, highest: int) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            problems.add("must be an integer", at)
        elif not lowest <= value <= highest:
            problems.add(f"must be between {lowest} and {highest}", at)

    return check


def one_of(*allowed: str) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if value not in allowed:
            problems.add(f"must be a valid enum value: {', '.join(allowed)}", at)

    return check


def listed(item: Check, highest: int, lowest: int = 1) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.add("must provide an array", at)
            return
        if len(value) < lowest:
            problems.add(f"must provide at least {lowest} items" if lowest > 1 else "no less than 1 items allowed", at)
        if len(value) > highest:
            problems.add(f"no more than {highest} items allowed", at)
        for number, element in enumerate(value):
            item(element, f"{at}/{number}", problems)

    return check


@dataclass(frozen=True)
class Shape:
    """An object: what it must have, what it may have, and nothing else."""

    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)
    also: Check | None = None
    """A rule about the object as a whole."""

    def __call__(self, value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add("must provide an object", at)
            return
        known = {**self.required, **self.optional, "type": anything}
        for name in value:
            if name not in known:
                problems.add(f"invalid additional property: {name}", at)
        for name in self.required:
            if value.get(name) is None:
                problems.add(f"missing required field: {name}", at)
        for name, check in known.items():
            if value.get(name) is not None:
                check(value[name], f"{at}/{name}", problems)
        if self.also:
            self.also(value, at, problems)


def by_type(shapes: Mapping[str, Check], allowed: Iterable[str] | None = None) -> Check:
    """An object whose `type` says which shape it has; types that are not `allowed` here count as unknown."""
    fits = frozenset(shapes if allowed is None else allowed)

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add("must provide an object", at)
        elif not isinstance(value.get("type"), str):
            problems.add("missing required field: type", at)
        elif value["type"] not in fits or value["type"] not in shapes:
            problems.add(f"unsupported type: {value['type']}", f"{at}/type")
        else:
            shapes[value["type"]](value, at, problems)

    return check


def exactly_one(*names: str) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        given = [name for name in names if value.get(name) is not None]
        if len(given) != 1:
            problems.add(f"must provide exactly one of: {', '.join(names)}", at)

    return check


def at_least_one(*names: str) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if not any(value.get(name) for name in names):
            problems.add(f"missing required field: {names[0]}", at)

    return check
