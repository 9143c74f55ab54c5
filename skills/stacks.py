"""Stack traces of Python, Go, Java, Node and .NET: what was raised, what caused it, and the frame that is ours.

"Ours" is by exclusion: not the language's own library, not an installed package, not a known framework. The innermost
such frame of the root cause is where an engineer starts to read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    function: str
    file: str
    line: int | None

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line is not None else self.file
        return f"{self.function} ({where})" if where else self.function


@dataclass(frozen=True)
class Crash:
    language: str
    kind: str
    """Type of the root cause: KeyError, java.lang.NullPointerException, "panic"."""
    message: str
    frame: Frame | None
    """The innermost frame that is ours; None when every frame is a library's."""
    raised: str
    """Type of what was raised at the end of the chain, when it differs from the root cause; else the same."""
    deferred: bool = False
    """It was raised as a consequence (a chained exception)."""
    frames: tuple[Frame, ...] = ()
    """Of the root cause, the innermost first; where the trace shows any."""


def crash_in(text: str) -> Crash | None:
    """The crash that a record tells of; None when it holds no stack trace."""
    for mark, read in _READERS:
        if mark in text and (crash := read(text)):
            return crash
    return None


def is_of_a_library(frame: Frame, language: str) -> bool:
    """Of Python and Go: the language's own, or an installed package's."""
    if language == "python":
        return _PY_LIBRARY.search(frame.file) is not None
    return _GO_LIBRARY.search(frame.file) is not None or frame.function.startswith(("runtime.", "panic"))


# --- Python -----------------------------------------------------------------------------------------------------------

_PY_FRAME = re.compile(r'File "([^"]+)", line (\d+)(?:,? in (\S+))?')
_PY_RAISED = re.compile(r"^[\s|]*([A-Za-z_][\w.]*?)(?:: (.*))?$")
_PY_MEMBER = re.compile(r"^[\s|]*\+[-+]+ (?:\d+|\.\.\.) -+$")
_PY_GROUPS = ("ExceptionGroup", "BaseExceptionGroup")
_PY_FATAL = re.compile(r"Fatal Python error: ([^\n]*)")
_PY_LIBRARY = re.compile(r"site-packages|dist-packages|/lib/python\d|<frozen|<string>|\\lib\\|/usr/lib/python")


def _python(text: str) -> Crash | None:
    if fatal := _PY_FATAL.search(text):
        return _python_fatal(text[fatal.end() :], fatal[1])
    raised: list[tuple[str, str, tuple[Frame, ...]]] = []
    frames: list[Frame] = []
    in_group = False
    for row in text.split("\n"):
        if at := _PY_FRAME.search(row):
            frames.append(Frame(at[3] or "<module>", at[1], int(at[2])))
        elif _PY_MEMBER.match(row):  # of an exception group: it may have no frames of its own
            frames, in_group = [], True
        elif (frames or in_group) and (match := _PY_RAISED.match(row)) and not _is_code(row):
            raised.append((match[1], match[2] or "", tuple(reversed(frames))))
            frames, in_group = [], False
    if not raised:
        return None
    single = [r for r in raised if r[0].rpartition(".")[2] not in _PY_GROUPS] or raised
    kind, message, of_root = single[0]
    grouped = next((r[0] for r in raised if r[0].rpartition(".")[2] in _PY_GROUPS), None)
    frame = _first_of_ours(of_root) or next((f for r in reversed(raised) if (f := _first_of_ours(r[2]))), None)
    return Crash("python", kind, message, frame, grouped or raised[-1][0], deferred=len(raised) > 1, frames=of_root)


def _first_of_ours(frames: tuple[Frame, ...]) -> Frame | None:
    return next((f for f in frames if not is_of_a_library(f, "python")), None)


def _python_fatal(text: str, message: str) -> Crash | None:
    """What faulthandler leaves of an interpreter that died: the most recent call first."""
    frames = tuple(Frame(m[3] or "<module>", m[1], int(m[2])) for m in _PY_FRAME.finditer(text))
    kind = "Fatal Python error"
    return Crash("python", kind, message, _first_of_ours(frames), kind, frames=frames) if frames else None


def _is_code(row: str) -> bool:
    """The source line under a frame, or the carets under that; a raised exception stands at the margin."""
    margin = row.lstrip("| ") if "|" in row[:12] else row
    return margin[:1] in (" ", "\t", "~", "^", "") or ("|" in row[:12] and row.split("|", 1)[1].startswith("    "))


# --- Go ---------------------------------------------------------------------------------------------------------------

_GO_HEAD = re.compile(
    r"(?:^|\n|: )(panic|fatal error)(?:: | serving \S+: )(.*?)(?: \[recovered\].*)?(?:\n|$)"  # net/http recovers panics
)
_GO_FRAME = re.compile(r"^([\w./\-%·*()\[\]]+?)\((?:[^()]*|\.\.\.)\)\n\t(\S+?):(\d+)", re.MULTILINE)
_GO_LOGGED = re.compile(r"^([\w./\-%·*()\[\]]+)\n\t(\S+?\.go):(\d+)$", re.MULTILINE)  # zap and logrus: no arguments
_GO_RECOVERED = re.compile(
    r"(?:^|[\n: ])(runtime error: [^\n]*|assignment to entry in nil map|[a-z]+ (?:on|of) closed channel)"
)
_GO_CREATED = re.compile(r"^created by ([^\n]+?)(?: in goroutine \d+)?\n\t(\S+?):(\d+)", re.MULTILINE)
_GO_STANDARD = (
    "archive bufio bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go "
    "hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime slices sort "
    "strconv strings sync syscall testing text time unicode unique unsafe vendor"
).replace(" ", "|")
_GO_LIBRARY = re.compile(
    rf"(?:^|/go[\d.]*/src/|/libexec/src/)(?:{_GO_STANDARD})/|/pkg/mod/|@v\d|/vendor/|/usr/lib/go|_testmain\.go"
)
"""GOROOT, the module cache (with -trimpath: path@version) and vendored packages. Code below GOPATH/src is ours."""


def _go(text: str) -> Crash | None:
    head = _GO_HEAD.search(text)
    frames = _go_stack(text)
    ours = go_frames(text)
    if head is None:
        recovered = _GO_RECOVERED.search(text)
        frame = ours[0] if ours else None
        return (
            Crash("go", "panic", recovered[1], frame, "panic", frames=tuple(frames)) if recovered and frames else None
        )
    if not (frames or "goroutine " in text):
        return None
    kind = "panic" if head[1] == "panic" else "fatal error"
    return Crash("go", kind, head[2], ours[0] if ours else None, kind, frames=tuple(frames))


def _go_stack(text: str) -> list[Frame]:
    frames = [Frame(m[1], m[2], int(m[3])) for m in _GO_FRAME.finditer(text)]
    frames = frames or [Frame(m[1], m[2], int(m[3])) for m in _GO_LOGGED.finditer(text)]
    return frames + [Frame(m[1], m[2], int(m[3])) for m in _GO_CREATED.finditer(text)]


def go_frames(text: str) -> list[Frame]:
    """Those of a Go stack that are ours, the innermost first."""
    return [f for f in _go_stack(text) if not is_of_a_library(f, "go")]


# --- Java, Node, .NET -------------------------------------------------------------------------------------------------

_JAVA_HEAD = re.compile(
    r"(?:^|\n|[\s:])(?:Caused by: )?((?:[a-z_][\w$]*\.)+[A-Z][\w$.]*|[A-Z]\w*(?:Exception|Error))(?:: ([^\n]*))?(?=\n)"
)
_JAVA_FRAME = re.compile(
    r"^\s+at (?:[\w.@]+/+)?([\w.$<>]+)\(([\w$]+\.(?:java|kt|scala|groovy)):?(\d+)?\)", re.MULTILINE
)
_JAVA_LIBRARY = (
    "java.", "javax.", "jdk.", "sun.", "com.sun.", "jakarta.", "org.springframework.", "org.apache.", "io.netty.",
    "com.mysql.", "org.postgresql.", "com.mongodb.", "com.zaxxer.", "org.hibernate.", "reactor.", "kotlin.", "scala.",
    "com.fasterxml.", "feign.", "io.grpc.", "com.google.", "io.lettuce.", "redis.clients.", "org.eclipse.", "okhttp3.",
    "io.opentelemetry.", "org.slf4j.", "ch.qos.", "io.undertow.", "com.rabbitmq.", "com.alibaba.", "org.aspectj.",
)  # fmt: skip


def _java(text: str) -> Crash | None:
    sections = re.split(r"\n\s*Caused by: ", text)
    heads = [m for m in (_JAVA_HEAD.search(("\n" if i else "") + s) for i, s in enumerate(sections)) if m]
    if not heads or not _JAVA_FRAME.search(text):
        return None
    ours: Frame | None = None
    for section in reversed(sections):
        frames = [Frame(m[1], m[2], int(m[3]) if m[3] else None) for m in _JAVA_FRAME.finditer(section)]
        ours = next((f for f in frames if not f.function.startswith(_JAVA_LIBRARY)), None)
        if ours:
            break
    return Crash("java", heads[-1][1], heads[-1][2] or "", ours, heads[0][1], deferred=len(heads) > 1)


_NODE_HEAD = re.compile(r"(?:^|\n|[\s:])([A-Z]\w*(?:Error|Exception))(?: \[[A-Z_0-9]+\])?(?:: ([^\n]*))?(?=\n\s+at )")
_NODE_FRAME = re.compile(
    r"^\s+at (?:async )?(?:(.+?) \()?((?:file://|node:|/|[A-Za-z]:\\|internal/)[^\n():]*):(\d+):\d+\)?", re.MULTILINE
)


def _node(text: str) -> Crash | None:
    frames = [Frame(m[1] or "<anonymous>", m[2], int(m[3])) for m in _NODE_FRAME.finditer(text)]
    head = _NODE_HEAD.search(text)
    if not frames or head is None:
        return None
    ours = [f for f in frames if "node_modules" not in f.file and not f.file.startswith(("node:", "internal/"))]
    return Crash("node", head[1], head[2] or "", ours[0] if ours else None, head[1])


_NET_HEAD = re.compile(r"((?:[A-Z]\w*\.)+[A-Z]\w*(?:Exception|Error))(?:: ([^\n]*))?")
_NET_FRAME = re.compile(r"^\s+at ([\w.`<>+\[\]]+)\([^\n]*\)(?: in ([^\n]+):line (\d+))?", re.MULTILINE)
_NET_LIBRARY = ("System.", "Microsoft.", "Grpc.", "StackExchange.", "Npgsql.", "OpenTelemetry.", "Google.")


def _dotnet(text: str) -> Crash | None:
    head = _NET_HEAD.search(text)
    frames = [Frame(m[1], m[2] or "", int(m[3]) if m[3] else None) for m in _NET_FRAME.finditer(text)]
    if head is None or not frames:
        return None
    inner = re.findall(r"---> ((?:[A-Z]\w*\.)+[A-Z]\w*)(?:: ([^\n]*))?", text)
    kind, message = inner[-1] if inner else (head[1], head[2] or "")
    ours = next((f for f in frames if not f.function.startswith(_NET_LIBRARY)), None)
    return Crash("dotnet", kind, message, ours, head[1], deferred=bool(inner))


_READERS = (
    ('File "', _python),
    ("goroutine ", _go),
    ("panic: ", _go),
    ("panic serving ", _go),
    (".go:", _go),
    ("\tat ", _java),
    (".java:", _java),
    ("    at ", _node),
    ("   at ", _dotnet),
)
