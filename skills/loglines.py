"""What a log line says about itself: its level, its message, and which lines are one record.

Programs write plain text, JSON, logfmt and klog; stack traces come as many lines. Everything that reads logs (the
digest, the recognition of faults, the python and golang skills) looks at records joined and levelled here.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from skills.contract import LogLine

MAX_JOINED_LINES = 1200
MAX_JOINED_CHARACTERS = 64_000

# --- level ------------------------------------------------------------------------------------------------------------

_LEVELS = {
    "fatal": "fatal panic dpanic critical crit emerg emergency alert f c 60 ftl pnc",
    "error": "error err eror severe e 50 failure",
    "warning": "warning warn w 40 wrn",
    "info": "info information notice log i 30 n normal inf",
    "debug": "debug trace verbose fine finer finest config d t 10 20 hint detail dbg trc",
}
_CANONICAL = {word: level for level, words in _LEVELS.items() for word in words.split()}

_KEYED_LEVEL = re.compile(
    r"[\"']?\b(?:log\.)?(?:level|severity(?:_text|Text)?|lvl|levelname|loglevel|s)[\"']?\s*(?:=|:)\s*[\"']?([A-Za-z]+|\d\d)\b",
)
_KLOG = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d")
_REDIS = re.compile(r"\d+:[XCSM] \d\d? \w{3} \d{4} [\d:.]+ ([.\-*#]) ")
_WORD = re.compile(
    r"\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|CRITICAL|FATAL|PANIC|EMERG)\b"
    r"|\b(INF|WRN|ERR|FTL|PNC|DBG|TRC)\b"
    r"|[\[<(](?i:(debug|trace|info|notice|note|warn(?:ing)?|error|crit(?:ical)?|alert|emerg|fatal|system))[\]>)]"
    r"|^(?:\S+ ){0,3}(?i:(debug|info|warn(?:ing)?|error|fail|crit|fatal))(?::|\s*\|)"
)
_CRASH = re.compile(
    r"^(?:panic: |fatal error: |Traceback \(most recent|Exception in thread|Unhandled |Uncaught |\s*\+ Exception Group)"
    r"|^[\w.$]*(?:Error|Exception)(?::|$)|\b(?:Error|Exception): "
)


def canonical_level(word: str) -> str:
    """fatal, error, warning, info or debug; empty for a word that is no level."""
    return _CANONICAL.get(word.strip().lower(), "")


def level_of(line: LogLine) -> str:
    """The level that the line states (its field, JSON, logfmt, klog, a word); else error for what reads as a crash."""
    return (line.level and canonical_level(line.level)) or level_of_text(line.text)


def level_of_text(text: str) -> str:
    head = text[:400]
    keyed = _KEYED_LEVEL.search(head if head[:1] != "{" else text[:4000])
    if keyed and (level := canonical_level(keyed[1])):
        return level
    if _KLOG.match(head):
        return canonical_level(head[0])
    if redis := _REDIS.match(head):
        return {"#": "warning", "*": "info"}.get(redis[1], "debug")
    if word := _WORD.search(head[:160]):
        found = next(group for group in word.groups() if group).lower()
        return canonical_level({"note": "info", "system": "info", "fail": "error"}.get(found, found))
    return "error" if _CRASH.search(head) else ""


# --- envelope ---------------------------------------------------------------------------------------------------------

_CRI = re.compile(r"\d{4}-\d\d-\d\dT\S+ (?:stdout|stderr) [FP] ")


def opened(text: str) -> str:
    """The line that a program wrote, out of what the container runtime wrapped it in where no shipper took that off:
    `2026-11-24T14:00:00.1Z stderr F …` (CRI) or `{"log":"…","stream":"stderr","time":"…"}` (Docker)."""
    if text[:2] == "20" and (match := _CRI.match(text)):
        return text[match.end() :]
    if text.startswith('{"log":') and '"stream":' in text:
        try:
            fields = json.loads(text)
        except ValueError:
            return text
        if isinstance(fields.get("log"), str) and set(fields) <= {"log", "stream", "time", "attrs"}:
            return str(fields["log"]).rstrip("\n")
    return text


# --- message ----------------------------------------------------------------------------------------------------------

_MESSAGE_KEYS = (
    "message",
    "msg",
    "log",
    "event",
    "body",
    "textPayload",
    "@m",
    "RenderedMessage",
    "short_message",
    "text",
)
_DETAIL_KEYS = (
    "error", "err", "exception", "exc_info", "stack", "stack_trace", "stacktrace", "errorVerbose", "cause", "reason",
    "@x", "Exception", "attr", "detail", "exception.message", "exception.stacktrace", "error.stack_trace",
    "url", "upstream", "target", "endpoint",
)  # fmt: skip


def message_of(text: str) -> str:
    """The words of a record: of a JSON line its message and error fields, unescaped; else the text itself."""
    start = text.find("{")
    if start < 0 or start > 80 or not text.rstrip().endswith("}"):
        return text
    try:
        fields = json.loads(text[start:])
    except ValueError:
        return text
    if not isinstance(fields, dict):
        return text
    parts = [_words(fields[key]) for key in (*_MESSAGE_KEYS, *_DETAIL_KEYS) if fields.get(key)]
    return "\n".join(part for part in parts if part) or text


def _words(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}: {_words(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "\n".join(_words(item) for item in value)
    return str(value).rstrip("\n")


# --- records of many lines --------------------------------------------------------------------------------------------

_GO_TRACE = re.compile(r"panic: |fatal error: |goroutine \d+ \[|SIGQUIT: |runtime: ")
_GO_LINE = re.compile(
    r"\s|$|goroutine \d+ |\[signal |created by |\[recovered\]|exit status |panic(?:: |\()|main\.|runtime\.|"
    r"[\w./\-%·]+(?:\.\(?\*?[\w\[\].]+\)?)*\.[\w\-·.\[\]]+\(.*\)?$|r(?:ax|bx|cx|dx|di|si|bp|sp|8|9|1\d|ip|flags)\s+0x"
)
_PYTHON_START = re.compile(r"Traceback \(most recent call last\):|  \+ Exception Group Traceback")
_PYTHON_BETWEEN = re.compile(
    r"(?:During handling of the above exception, another|The above exception was the direct cause of)"
)
_PYTHON_RAISED = re.compile(r"[A-Za-z_][\w.]*(?::|$)")
_FAULTHANDLER_ROW = re.compile(r"(?:Current thread|Thread) 0x|Python runtime state: |Extension modules: ")
_ASYNCIO_ROW = re.compile(
    r"(?:future|task|handle|protocol|transport|source_traceback): |Traceback \(most recent call last\)"
)
_EXCEPTION_HEAD = re.compile(
    r"(?:[a-z][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable|Failure)\b|Caused by: |Suppressed: "
)
_CLOSING = re.compile(r"[}\])]+[,;]?\s*$")

_APART = timedelta(seconds=2)
_MAY_GO_ON = frozenset(" \tTCSabcdefghijklmnopqrstuvwxyz")
"""How a row may begin that goes on with a record which nothing has given a shape; most lines begin otherwise."""
_WAITING = 2000


def join(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """Lines as records: a stack trace becomes one line of many rows, under the line that announced it.

    Streams (entity and container) are kept apart. Order is that of the first rows. Knows Python (chained, grouped, of
    tasks, of faulthandler), Go panics and goroutine dumps, Java with its causes, Node and .NET.
    """
    last: dict[tuple[str, str | None, str], _Record] = {}
    waiting: deque[_Record] = deque()
    for line in lines:
        entity, text = line.entity, line.text
        # Not the entity itself: hashing a record of names costs more than all the rest of this loop.
        key = ("", None, line.container) if entity is None else (entity.name, entity.namespace, line.container)
        record = last.get(key)
        if record is not None and not record.closed:
            if (record.shape or not text or text[0] in _MAY_GO_ON) and record.takes(line):
                record.add(line)
                continue
            record.closed = True
        last[key] = record = _Record(line, _shape_of(text))
        waiting.append(record)
        while waiting[0].closed or len(waiting) > _WAITING:
            done = waiting.popleft()
            done.closed = True  # with very many streams at once a record ends before its stream goes on
            yield done.line()
    for record in waiting:
        yield record.line()


class _Record:
    """A record that may still grow."""

    __slots__ = ("closed", "first", "last_at", "rows", "shape", "size")

    def __init__(self, line: LogLine, shape: str) -> None:
        self.first = line
        self.shape = shape
        self.closed = False
        self.rows: list[str] | None = None
        """Made with the second row: most records have one."""

    def takes(self, line: LogLine) -> bool:
        """Whether this row goes on with the record: by its own look, or by what the record is in the middle of."""
        text = line.text
        if self.rows is None:
            if line.at - self.first.at > _APART:
                return False
        elif len(self.rows) >= MAX_JOINED_LINES or self.size > MAX_JOINED_CHARACTERS or line.at - self.last_at > _APART:
            return False
        if text[:1] in (" ", "\t") or not text:
            return True
        if self.shape == "go":
            return _GO_LINE.match(text) is not None
        if self.shape == "faulthandler":
            return _FAULTHANDLER_ROW.match(text) is not None
        if self.shape == "asyncio":
            return _ASYNCIO_ROW.match(text) is not None
        if self.shape in ("python", "python-raised"):
            goes_on = _PYTHON_BETWEEN.match(text) or _PYTHON_START.match(text)
            return bool(goes_on or (self.shape == "python" and _PYTHON_RAISED.match(text)))
        if _PYTHON_START.match(text) or _EXCEPTION_HEAD.match(text):
            announced = self.rows is None and level_of(self.first) not in ("info", "debug")
            return announced or self.shape == "at" or text.startswith(("Caused by", "Suppressed"))
        return self.shape == "at" and _CLOSING.match(text) is not None

    def add(self, line: LogLine) -> None:
        text = line.text
        if self.rows is None:
            self.rows, self.size = [self.first.text], len(self.first.text)
        self.rows.append(text)
        self.size += len(text) + 1
        self.last_at = line.at
        if self.shape == "go":
            return
        stripped = text.lstrip(" \t|+")
        if stripped.startswith(("Traceback (most", "Exception Group Traceback")) or _PYTHON_BETWEEN.match(text):
            self.shape = "python"
        elif self.shape == "python" and text and text[0] not in " \t" and _PYTHON_RAISED.match(text):
            self.shape = "python-raised"
        elif stripped.startswith(("at ", "... ")) or _EXCEPTION_HEAD.match(text):
            self.shape = self.shape or "at"
        elif _GO_TRACE.match(text):
            self.shape = "go"

    def line(self) -> LogLine:
        if self.rows is None:
            return self.first
        while len(self.rows) > 1 and not self.rows[-1].strip():
            self.rows.pop()
        return self.first if len(self.rows) == 1 else replace(self.first, text="\n".join(self.rows))


def _shape_of(text: str) -> str:
    """Cheap questions first: every line is asked."""
    if text[:1] in _GO_BEGINS and _GO_TRACE.match(text):
        return "go"
    if "(most recent call last):" in text:
        return "python" if "Traceback (most recent call last):" in text[:300] and "\n" not in text else ""
    if "http: panic serving " in text:
        return "go"
    if "exception was never retrieved" in text:
        return "asyncio" if "\n" not in text else ""
    return "faulthandler" if text[:1] == "F" and text.startswith("Fatal Python error: ") and "\n" not in text else ""


_GO_BEGINS = ("p", "f", "g", "S", "r")
