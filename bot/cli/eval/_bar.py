"""The progress of a run on standard error: done of all, right so far, time left, dollars."""

from __future__ import annotations

import sys
from typing import TextIO

from workers.evaluation.runner import Progress

WIDTH = 30


class Bar:
    """Redrawn on a terminal; elsewhere a line at every tenth."""

    def __init__(self, out: TextIO = sys.stderr, good: str = "right") -> None:
        """`good`: what is said of those that came out well."""
        self._good = good
        self._out = out
        self._tenth = -1
        self._begun: int | None = None

    def __call__(self, at: Progress) -> None:
        if self._begun is None:
            self._begun = at.done
        line = self._line(at)
        if self._out.isatty():
            self._out.write(f"\r{line}\x1b[K" + ("\n" if at.done == at.total else ""))
        elif (tenth := at.done * 10 // max(1, at.total)) != self._tenth:
            self._tenth = tenth
            self._out.write(line + "\n")
        self._out.flush()

    def _line(self, at: Progress) -> str:
        filled = WIDTH * at.done // max(1, at.total)
        share = f"{at.right / at.done:.0%}" if at.done else "-"
        said = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {at.done}/{at.total}, {self._good} {at.right:g} ({share})"
        now = at.done - (self._begun or 0)
        if now > 0 and at.done < at.total:
            said += f", {clock(at.seconds / now * (at.total - at.done))} left"
        return said + (f", ${at.dollars:.2f}" if at.dollars else "")


def clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
