"""How log records become excerpts: verbatim, bounded, with the query and link that found them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skills.contract import Entity, Excerpt, LogLine


@dataclass(frozen=True)
class Source:
    """Where the lines of one call came from."""

    query: str
    link: str | None

    def cite(self, records: Sequence[LogLine], writer: Entity) -> tuple[Excerpt, ...]:
        """At most three: the first, the last, and one between them that reads otherwise."""
        first, last = records[0], records[-1]
        chosen = [first]
        other = next((r for r in records[1:200] if r.text[-60:] != first.text[-60:]), None)
        chosen += [r for r in (other, last) if r is not None and all(r is not c and r.text != c.text for c in chosen)]
        return tuple(Excerpt(bounded(r.text), self.query, link=self.link, entity=writer, at=r.at) for r in chosen)


def bounded(text: str, characters: int = 400, rows: int = 30) -> str:
    """A line cut at 400 characters; a stack trace at 30 rows, its head and its end kept."""
    lines = text.split("\n")
    if len(lines) > rows:
        head, tail = rows * 2 // 3, rows - rows * 2 // 3
        lines = [*lines[:head], f"… {len(lines) - rows} more rows", *lines[-tail:]]
    return "\n".join(line if len(line) <= characters else line[: characters - 1] + "…" for line in lines)
