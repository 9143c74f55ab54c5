"""What is wrong with a text that is no PromQL, and where, in the words of the real server: `1:5: parse error: ...`.

The grammar tells what, and rarely where. The place of a token that does not fit is found by asking the grammar again:
it is the first one up to which no continuation of the text is PromQL.
"""

from __future__ import annotations

import re
from itertools import accumulate

import promql_parser

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*
    |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)
    |(?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![\w.]))
    |(?P<number>0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<identifier>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<op>=~|!~|==|!=|>=|<=|[=<>+\-*/%^])
    |(?P<mark>[(){}\[\],:@])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "and", "or", "unless"}
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_CONTINUATIONS = ("", " x", " 1", " (x)", ' "a"', '="a"', "[5m]", " 5m", "5m", " by (x)", " offset 5m")
_UNTOLD = "invalid promql query"
_TYPES = {"vector": "instant vector", "matrix": "range vector", "scalar": "scalar", "string": "string"}


def explained(text: str, words: str) -> str:
    """The server's line for what the grammar said of a text."""
    if words == "no expression found in input":
        return f"unknown position: parse error: {words}"
    at, told = _misfit(text) if words.startswith((_UNTOLD, "unclosed", "unexpected end of input")) else (len(text), "")
    if words.startswith(_UNTOLD) or at < len(text):  # the server's parser stops at the first misfit, ours reads on
        words = told
    else:
        at, words = _place(text, words), _in_words(words)
    line = text.count("\n", 0, at) + 1
    return f"{line}:{at - text.rfind(chr(10), 0, at)}: parse error: {words}"


def _in_words(words: str) -> str:
    """As the server quotes and names things."""
    if words.startswith("illegal regex for "):
        pattern = words.removeprefix("illegal regex for ")
        return f"error parsing regexp: {_regexp_problem(pattern)}: `{pattern}`"
    if words.startswith("bad number or duration syntax: "):
        return re.sub(r": (.*)$", r': "\1"', words)
    if words.startswith("offset modifier must be preceded"):
        return "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery"
    words = re.sub(r"'(\w*)'", r'"\1"', words)
    return re.sub(
        r"expected type (\w+) in (.*), got (\w+)",
        lambda m: f"expected type {_TYPES.get(m[1], m[1])} in {m[2]}, got {_TYPES.get(m[3], m[3])}",
        words,
    )


def _regexp_problem(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        return "missing closing )" if "subpattern" in error.msg else error.msg
    return "invalid or unsupported Perl syntax"


def _place(text: str, words: str) -> int:
    if words.startswith(("unclosed", "unexpected end of input")):
        return len(text)
    if words.startswith("unexpected right parenthesis"):
        depths = [*accumulate((text_of == "(") - (text_of == ")") for _, text_of, _ in _tokens(text))]
        return next((at for (_, _, at), depth in zip(_tokens(text), depths, strict=True) if depth < 0), 0)
    if words.startswith("set operator"):
        return 0
    quoted = re.search(r"'([^']+)'", words) or re.search(r"(?:syntax: |regex for )(.+)$", words)
    named = re.search(r"in call to function '(\w+)'", words)
    if named and (call := re.search(rf"\b{named[1]}\s*\(\s*", text)):
        return call.end()
    return max(0, text.find(quoted[1])) if quoted else 0


def _misfit(text: str) -> tuple[int, str]:
    """The first token that does not fit, or the end."""
    for kind, token, at in _tokens(text):
        if not _can_go_on(text[: at + len(token)]):
            return at, f"unexpected {_said(kind, token)}{_context(text[:at])}"
    return len(text), "unexpected end of input"


def _can_go_on(start: str) -> bool:
    open_ones: list[str] = []
    for _, token, _ in _tokens(start):
        if token in _CLOSING:
            open_ones.append(_CLOSING[token])
        elif open_ones and token == open_ones[-1]:
            open_ones.pop()
    end = "".join(reversed(open_ones))
    for more in _CONTINUATIONS:
        for tail in (end, f"{end} (x)"):
            try:
                promql_parser.parse(start + more + tail)
            except ValueError as error:
                if str(error).startswith((_UNTOLD, "unexpected", "bad number")):
                    continue
            return True
    return False


def _tokens(text: str) -> list[tuple[str, str, int]]:
    """(kind, text, place)"""
    return [(m.lastgroup, m[0], m.start()) for m in _TOKEN.finditer(text) if m.lastgroup]


def _context(before: str) -> str:
    if re.search(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*$", before, re.IGNORECASE):
        return ' in grouping opts, expected "," or ")"'
    return ""


def _said(kind: str, token: str) -> str:
    if kind == "op":
        return f"<op:{token}>"
    if kind == "mark":
        return f'"{token}"'
    if kind == "other":
        return f"character: {token!r}"
    if token.lower() in _KEYWORDS:
        return f"<{token.lower()}>" if token.lower() not in ("and", "or", "unless") else f"<op:{token.lower()}>"
    shown = token.replace("\\", "\\\\").replace('"', '\\"') if kind == "string" else token
    return f'{kind} "{shown}"'
