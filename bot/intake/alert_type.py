"""From a title to an alert type: what stays the same when the same monitor fires again.

Ids, numbers, hosts, times and quoted values become placeholders (`<id>`, `<n>`, `<host>`, `<time>`, `<value>`), and
the status is taken off, so that a firing and its recovery have one type. Masking twice changes nothing.
"""

from __future__ import annotations

import re

from bot.intake import words
from bot.intake.mrkdwn import without_emoji

_LONGEST = 200
# Beyond this a title is a text, and a pattern that looks far ahead would take its time over it.
_READ = 400
_BRACKET = re.compile(r"^\[([^\[\]]{1,120})\]\s*")
_PREFIX = re.compile(r"^((?:[A-Za-z][\w/-]*\s){0,4}[A-Za-z][\w/-]*)\s*(?::|\s-\s|\s\|\s|\s–\s|\s—\s)\s*(?=\S)")
_MONITOR_IS = re.compile(r"^(?:Monitor|Check|Service|Host) is ([A-Za-z]+)\s*[:\-]\s*(?=\S)", re.I)
_SUFFIX = re.compile(
    r"\s*(?:\bis (?:now )?(?:back|firing|resolved|ok|critical)"
    r"|\b(?:has|have|was|is) (?:been )?(?:recovered|resolved|triggered|acknowledged|failed|cleared)"
    r"|(?<!\d )\b(?:recovered|resolved|acknowledged)"
    r"|[-–:(\[]\s*(?:resolved|recovered|firing|critical|warning|ok|down|up|problem|acknowledged)[)\]]?)\s*[.!]?$",
    re.I,
)
_TRANSITION = re.compile(r"[\s:|(–-]+(\w+)\s*(?:->|=>|→)\s*(\w+)\)?$")
_LASTED = re.compile(r"^(resolved|recovered|cleared)\s+(?:in|after)\s[^:]{1,30}:\s*", re.I)
_SHOUTED = re.compile(r"^(FIRING|CRITICAL|ALERT|ALARM|WARNING|RESOLVED|RECOVERED|RECOVERY|PROBLEM|DOWN|UP)\s+(?=\S)")
# What follows "X is DOWN" tells of this one time: since when, why, for how long.
_CUT = re.compile(
    r"(?<=\S)\s+(?:is|went|was|has gone)\s+(?:now\s+)?(?:back\s+)?"
    r"(?:down|up|offline|online|unreachable|unhealthy|healthy)\b"
    r"|(?<=\S)\s+[\[(]\W*(?:down|up)\b[\])]"
    r"|\s+-\s+Reason:|\.\s+It was down for\b",
    re.I,
)
_SUBJECT_STATE = re.compile(r"^\s*\[(?:FIRING|RESOLVED)[^\[\]]{0,40}\]\s*")
_COUNTED = re.compile(r"^[\s,]*(?:firing|resolved|alerts?)\s*[:=]\s*\d+", re.I)

# Digits that are part of a name and never change from one firing to the next.
_NAMES_WITH_DIGITS = re.compile(
    r"(?:[1-5]xx|p\d{2,3}|s3|ec2|k8s|k3s|http[123]|h2|ipv[46]|sha(?:1|256|512)|md5|oauth2?|l[47]|route53|neo4j|log4j"
    r"|x86|utf8|base64|e2e|i18n|b2b|d3|m3|gp[23]|x509|grpc2|v[12](?:alpha\d|beta\d)?)",
    re.I,
)
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bhttps?://[^\s<>|)]+", re.I), "<url>"),
    (re.compile(r"\barn:aws[\w-]*:[^\s,)]+", re.I), "<id>"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"), "<email>"),
    (re.compile(r"\"[^\"]{1,120}\"|“[^”]{1,120}”|`[^`]{1,120}`|(?<!\w)'[^']{1,120}'(?!\w)"), "<value>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "<id>"),
    (
        re.compile(
            r"\b\d{4}[-/]\d{2}[-/]\d{2}"
            r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|\s?[+-]\d{2}:?\d{2}|\s?UTC)?)?"
        ),
        "<time>",
    ),
    (re.compile(r"\b\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?(?:am|pm|UTC|GMT|Z))?\b", re.I), "<time>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:/\d+)?\b"), "<host>"),
    (re.compile(r"\b(?:[0-9a-f]{1,4}:){3,7}:?[0-9a-f]{1,4}\b", re.I), "<host>"),
    (re.compile(r"\bip-\d+(?:-\d+){3}(?:\.[\w.-]+)?\b"), "<host>"),
    (
        re.compile(
            r"\b(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+"
            r"(?:com|net|org|io|local|internal|svc|cloud|dev|corp|lan|intra|eu|de|fr|uk|us|co|consul|test|example)(?::\d+)?\b",
            re.I,
        ),
        "<host>",
    ),
    (re.compile(r"\b(?:i|vol|sg|subnet|vpc|eni|ami|snap|rtb|igw|nat)-[0-9a-f]{6,}\b"), "<id>"),
    # A pod of a Deployment: name-<replica set>-<five characters>.
    (re.compile(r"\b([a-z][a-z0-9]*(?:-[a-z0-9]+)*?)-(?=[a-z]*\d)[a-z0-9]{6,10}-[a-z0-9]{5}\b"), r"\1-<id>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b", re.I), "<id>"),
    (re.compile(r"\b(?=(?:[A-Za-z]*\d){4})(?=\d*[A-Za-z])[A-Za-z0-9]{12,}\b"), "<id>"),
)  # fmt: skip
_SIGN = re.compile(r"(?<!\S)[-+](?=\d)")
_WORD = re.compile(r"[A-Za-z0-9_]*\d[A-Za-z0-9_]*(?:[.,]\d+[A-Za-z0-9_]*)*")


def masked_title(title: str, *, keeps_title: bool = False) -> str:
    """The alert type of a title: status off, what varies masked. Never empty for a title with a letter in it.

    `keeps_title`: the source never rewrites a title when the state changes (PagerDuty, Opsgenie), so that "API is
    down" is its name; only Alertmanager's "[FIRING:2]", which it may carry, is taken off.
    """
    bare = masked = _unquoted(_closed_up(_SUBJECT_STATE.sub("", title[:_READ])) if keeps_title else bare_title(title))
    for pattern, placeholder in _MASKS:
        masked = pattern.sub(placeholder, masked)
    masked = _WORD.sub(_mask_digits, _SIGN.sub("", masked))
    if not re.search(r"[^\W\d_]", re.sub(r"<[a-z]+>", "", masked)):
        # Nothing but placeholders would be one type for all hosts there are.
        masked = bare
    return _closed_up(masked)[:_LONGEST].rstrip()


def bare_title(title: str) -> str:
    """A title without emoji, status, priority: "[FIRING:2] X", "Recovered: X" and "X is UP" are X."""
    left = _closed_up(without_emoji(title.strip()[:_READ]))
    for _ in range(6):
        shorter = _one_off(left)
        if shorter == left or not re.search(r"\w", shorter):
            break
        left = shorter
    return left


def status_prefix(title: str) -> str:
    """What stands before the name of the alert and says its state: "[P1] [Recovered] X" -> "P1 Recovered"."""
    left, said = _closed_up(without_emoji(title.strip()[:_READ])), []
    for _ in range(4):
        found = next((m for p in _STATE_FIRST if (m := p.match(left)) and _says_state(m[1])), None)
        if found is None:
            break
        said.append(found[1].strip())
        left = left[found.end() :]
    return " ".join(said)


def status_suffix(title: str) -> str:
    """The words after the name of the alert that say its status: "API is DOWN" -> "is DOWN"."""
    found = _CUT.search(title[:_READ]) or _SUFFIX.search(title[-_READ:])
    return found[0].strip(" ()[]-–:.!") if found else ""


def only_state(title: str) -> bool:
    """A title that says a state or a severity and names nothing: "Alert firing, high"."""
    return bool(title) and len(title) < 100 and _says_state(re.sub(r"[^\w\s-]+", " ", title).strip())


def _one_off(title: str) -> str:
    for pattern in _STATE_FIRST:
        found = pattern.match(title)
        if found and _says_state(found[1]):
            return title[found.end() :].strip()
    change = _TRANSITION.search(title)
    if change and words.status(change[1]) and words.status(change[2]):
        return title[: change.start()].strip()
    cut = _CUT.search(title)
    return _SUFFIX.sub("", title[: cut.start()] if cut else title).strip(" -–:|")


def _unquoted(title: str) -> str:
    """A title that is one quoted name is that name."""
    found = re.fullmatch(r"[\"“'`]([^\"“”'`]+)[\"”'`]", title)
    return found[1] if found else title


def _says_state(words_before: str) -> bool:
    if _COUNTED.match(words_before):
        return True
    # "Triggered on {host:a}" says its status in its first part; "Error handling" names something.
    head = re.split(r"\s+on\s+", words_before)[0]
    if len(head.split()) > 5:
        return False
    if words.status(head) is not None:
        spoken = [w.lower() for w in re.split(r"[^A-Za-z]+", head.replace("Re-", "Re")) if w]
        known = words.RESOLVED | words.ACKNOWLEDGED | words.FIRING | words.SEVERITY_WORDS | _FILLERS
        return all(w in known or w in ("p", "sev") for w in spoken)
    return bool(_ONLY_SEVERITY.fullmatch(head))


_ONLY_SEVERITY = re.compile(
    r"(?:priority |severity )?(?:p[0-5]|sev-?\d|high|low|medium|info|major|minor)(?: (?:priority|severity|alert))?",
    re.I,
)
_STATE_FIRST = (_BRACKET, _LASTED, _MONITOR_IS, _PREFIX, _SHOUTED)
_FILLERS = words.listed(
    "priority issue after new no data insufficient manually automatically auto incident monitor is state the still not"
    " re on has been"
)


def _mask_digits(word: re.Match[str]) -> str:
    if _NAMES_WITH_DIGITS.fullmatch(word[0]):
        return word[0]
    return re.sub(r"\d+(?:[.,]\d+)*", "<n>", word[0])


def _closed_up(title: str) -> str:
    return re.sub(r"\s+", " ", title).strip()
