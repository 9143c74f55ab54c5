"""What the skill offers to other skills: changes and edges, as the objects of a namespace tell them."""

from __future__ import annotations

from collections.abc import Callable

from skills.contract import Change, Edge, Window
from skills.kubernetes import rollouts, topology
from skills.kubernetes.look import Look


class Changes:
    """A ChangeSource: what the objects of a namespace tell of their own past."""

    def __init__(self, look_at: Callable[[str, Window | None], Look]) -> None:
        self._look_at = look_at

    def changes(self, window: Window, namespace: str = "") -> tuple[Change, ...]:
        """Raises ToolError."""
        return tuple(rollouts.changes(self._look_at(namespace, window).snapshot, window))


class Edges:
    """An EdgeSource: selectors, addresses, routes."""

    def __init__(self, look_at: Callable[[str, Window | None], Look]) -> None:
        self._look_at = look_at

    def edges(self, namespace: str = "") -> tuple[Edge, ...]:
        """Raises ToolError."""
        return tuple(topology.edges(self._look_at(namespace, None).snapshot))
