"""Logging set-up. Every line carries the id of the investigation that it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_investigation: ContextVar[str] = ContextVar("investigation", default="-")


@contextmanager
def about(investigation_id: str) -> Iterator[None]:
    """Lines logged inside carry this id."""
    token = _investigation.set(investigation_id)
    try:
        yield
    finally:
        _investigation.reset(token)


def set_up(process: str, level: str = "INFO", log_format: str = "text") -> None:
    """Logs to standard error: one line a decision, as text or as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_mark)
    handler.setFormatter(_JsonLines(process) if log_format == "json" else _Text(process))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("slack_bolt", "slack_sdk", "urllib3", "elastic_transport", "rq.worker", "httpx2", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def _mark(record: logging.LogRecord) -> bool:
    record.investigation = _investigation.get()
    return True


class _Text(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__(f"%(asctime)s {process} %(levelname)s %(investigation)s %(name)s: %(message)s", "%H:%M:%S")


class _JsonLines(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "process": self._process,
            "level": record.levelname,
            "investigation": getattr(record, "investigation", "-"),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
