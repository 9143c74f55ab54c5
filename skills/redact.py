"""Masks secrets and personal data in everything that was read, before a record, a model or Slack sees it.

A table of rules, each guarded by cheap substring tests, so that an innocent line costs microseconds. Secrets become
`[redacted]`; personal data becomes a pseudonym (`[email:5f3a9c01]`) that is the same for the same value under the same
key, so that "one user" and "many users" can still be told apart. What a diagnosis needs stays byte for byte: names of
pods and hosts, addresses, digests, commits, trace ids, times, values, and the words around a secret.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MASK = "[redacted]"
_SHORT = 200
_LONG = 600
_REACH = 64

Pseudonym = Callable[[str, str], str]
"""(kind, value) -> what stands in the value's place."""


@dataclass(frozen=True)
class Rule:
    hints: tuple[str, ...]
    """Lower-case substrings, one of which any match contains; empty when there is none to rely on."""
    pattern: re.Pattern[str]
    replace: Callable[[re.Match[str], Pseudonym], str]
    near: bool = False
    """A match begins at most `_REACH` characters before its hint, and its shortest form ends `_REACH` after it: then
    only what surrounds the hints of a long text is searched."""


class Redactor:
    """Redacts text and JSON. `key` makes pseudonyms unguessable; without it they hide values from readers only."""

    def __init__(self, key: bytes = b"") -> None:
        self._key = key
        self._known = lru_cache(maxsize=4096)(self._redacted)

    def text(self, s: str) -> str:
        # Short texts are names, keys and words of objects, which come by the thousand and are a few hundred.
        return self._known(s) if len(s) <= _SHORT else self._redacted(s)

    def _redacted(self, s: str) -> str:
        lowered = s.lower()
        for rule in RULES:
            if not _hinted(rule.hints, lowered):
                continue
            if rule.near and len(s) > _LONG:
                s = self._around_hints(rule, s)
            else:
                s = rule.pattern.sub(lambda match, rule=rule: rule.replace(match, self._pseudonym), s)  # type: ignore[misc]  # mypy cannot type a lambda with a default
        return s

    def _around_hints(self, rule: Rule, s: str) -> str:
        """What `rule.pattern.sub` gives, in a fiftieth of the time: the engine is slow where it has no first letter to
        look for, and the results of tools are megabytes with a dozen hints in them."""
        lowered = s.lower()
        places = _places(rule.hints, lowered)
        # Either nothing is saved, or a letter's small form is two letters, so that the places do not agree.
        if len(places) * 3 * _REACH > len(s) or len(lowered) != len(s):
            return rule.pattern.sub(lambda match: rule.replace(match, self._pseudonym), s)
        parts: list[str] = []
        done = 0
        for at in places:
            start = max(done, at - _REACH)
            while at >= done and (found := rule.pattern.search(s, start, at + 2 * _REACH)) and found.start() <= at:
                # The end of the stretch may have cut it short.
                whole = rule.pattern.match(s, found.start()) or found
                parts += [s[done : whole.start()], rule.replace(whole, self._pseudonym)]
                start = done = whole.end()
        return "".join([*parts, s[done:]])

    def value(self, obj: Any) -> Any:
        """The same JSON value with every string redacted, and whole strings under the name of a secret masked."""
        if isinstance(obj, str):
            return self.text(obj)
        if isinstance(obj, (dict, Mapping)):  # dict first: asking an abstract class costs ten times as much
            named = obj.get("name")
            secret_env = isinstance(named, str) and _names_a_secret(named)
            return {
                self.text(key) if isinstance(key, str) else key: MASK
                if isinstance(item, str) and item and (_names_a_secret(key) or (secret_env and key == "value"))
                else self.value(item)
                for key, item in obj.items()
            }
        if isinstance(obj, (list, tuple)):
            return [self.value(item) for item in obj]
        return obj

    def _pseudonym(self, kind: str, value: str) -> str:
        digest = hmac.new(self._key or b"gumshoe", f"{kind}:{value.lower()}".encode(errors="replace"), "sha256")
        return f"[{kind}:{digest.hexdigest()[:8]}]"


def _places(hints: tuple[str, ...], lowered: str) -> list[int]:
    """Where the hints stand, in order."""
    found: set[int] = set()
    for hint in hints:
        at = lowered.find(hint)
        while at >= 0:
            found.add(at)
            at = lowered.find(hint, at + 1)
    return sorted(found)


def _hinted(hints: tuple[str, ...], lowered: str) -> bool:
    for hint in hints:  # a plain loop: any() with a generator costs three times as much on this path
        if hint in lowered:
            return True
    return not hints


# --- names of secrets, and values that only look like one ---------------------------------------------------------

_PASSWORD = r"password|passwd|passphrase|pwd|_pass|passwordhash|password_hash|requirepass|masterauth"
_SECRET = (
    r"secret|secret_?key|secret-key|secretaccesskey|secret_access_key|api_?key|api-key|access_?key|access-key|accountkey"
    r"|sharedaccesskey|private_?key|private-key|client-key-data|dockerconfigjson|credentials?|connection_?string"
    r"|encryption_?key|signing_?key|x-amz-signature|signature|(?<=[?&])sig"
    r"|(?<!page)(?<!page[_-])(?<!next)(?<!next[_-])(?<!continue)(?<!continuation)(?<!continuation[_-])(?<!ation)token"
)
_SESSION = r"session_?id|session-id|jsessionid|phpsessid|connect\.sid|sessid|session_?key|session_?token"
_NAME = re.compile(rf"(?:{_PASSWORD}|{_SECRET}|{_SESSION})$", re.IGNORECASE)

_PROSE = re.compile(
    r"(?:yes|no|true|false|null|none|nil|undefined|empty|missing|invalid|required|expired|incorrect|wrong|unset|unknown"
    r"|authentication|authorization|auth|failed|must|is|was|not|has|error|mismatch|does|cannot|should|and|or|for|in"
    r"|from|field|fields|value|type|string|str|bytes|int|redacted|masked|hidden|ok|valid|unauthorized|forbidden|denied"
    r"|the|a|an|used|see|file|env|with|when|rejected|revoked)\Z"
)
_PLACEHOLDERS = ("[redacted", "[session", "***", "<", "${", "$(", "{{", "%")


@lru_cache(maxsize=4096)
def _names_a_secret(name: object) -> bool:
    return isinstance(name, str) and len(name) <= 80 and _NAME.search(name) is not None


def _named_value(match: re.Match[str], pseudonym: Pseudonym) -> str:
    """`key<separator>value`, in any of the forms of JSON, YAML, environment, DSN, query string and struct dumps."""
    name, separator, value = match["name"], match["separator"], match["value"]
    bare = value.strip("\"'\\")
    spaced = separator.endswith((" ", "\t")) and not match["quote"]
    if _is_innocent(name, bare, spaced):
        return match[0]
    if re.search(rf"(?:{_SESSION})$", name, re.IGNORECASE):
        return f"{name}{separator}{match['quote']}{pseudonym('session', bare)}"
    return f"{name}{separator}{match['quote']}{MASK}"


def _is_innocent(name: str, bare: str, spaced: bool) -> bool:
    lowered = bare.lower().rstrip(".,;:!)")
    if not lowered or _PROSE.match(lowered) or lowered.startswith(_PLACEHOLDERS):
        return True
    if name.lower() == "pwd" and bare.startswith("/"):  # the working directory
        return True
    if re.search(rf"(?:{_PASSWORD})$", name, re.IGNORECASE):
        return False
    if bare.isdigit() and len(bare) < 6:  # token: 17, a position
        return True
    # "invalid token: unexpected end", "secret: not found": prose after a colon has no digit in its first word.
    return spaced and not (len(bare) >= 8 and any(c.isdigit() for c in bare))


_NAMED = re.compile(
    rf"(?P<name>{_PASSWORD}|{_SECRET}|{_SESSION})"
    r"(?P<separator>\\?[\"']?\s{0,3}(?:=>|:=|[:=])\s{0,3}|\\?[\"']?\]\s?=\s?)"
    r"(?P<quote>\\?[\"']?)(?P<value>(?<=\")[^\"\\\n]+|(?<=')[^'\n]+|[^\s\"'&,;}}\]]+)",
    re.IGNORECASE,
)
_FLAG = re.compile(
    r"(--?(?:password|passwd|pass|token|secret|api-key|requirepass|masterauth)[ =]\"?)([^\s\"\[-][^\s\"]*)",
    re.IGNORECASE,
)


# --- shapes ----------------------------------------------------------------------------------------------------------


def _basic(match: re.Match[str], _: Pseudonym) -> str:
    """`Basic dXNlcjpwYXNz`, but not the words "Basic authentication": it must decode to user:password."""
    try:
        decoded = base64.b64decode(match[2], validate=True)
    except (binascii.Error, ValueError):
        return match[0]
    return f"{match[1]}{MASK}" if b":" in decoded and decoded.isascii() else match[0]


def _bearer(match: re.Match[str], _: Pseudonym) -> str:
    return f"{match[1]}{MASK}" if any(c.isdigit() for c in match[2]) else match[0]


_MACHINE_USERS = ("rabbit", "celery", "kafka", "git", "root", "system")
_MACHINE_ENDS = (
    ".local",
    ".svc",
    ".internal",
    ".service",
    ".socket",
    ".timer",
    ".target",
    ".mount",
    ".slice",
    ".scope",
)


def _email(match: re.Match[str], pseudonym: Pseudonym) -> str:
    """An address of a person; not rabbit@node, user@service.namespace.svc, module@v1.2.x or a systemd unit."""
    user, domain = match[1], match[2]
    if user.lower() in _MACHINE_USERS or domain.lower().endswith(_MACHINE_ENDS) or re.match(r"v?\d+\.", domain):
        return match[0]
    return pseudonym("email", match[0])


_CARD = re.compile(r"(?:4\d{15}|5[1-5]\d{14}|2[2-7]\d{14}|6011\d{12}|65\d{14}|35\d{14}|3[47]\d{13})\Z")


def _card(match: re.Match[str], pseudonym: Pseudonym) -> str:
    digits = re.sub(r"\D", "", match[0])
    if _inside_a_word(match) or not _CARD.match(digits):
        return match[0]
    doubled = (sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    luhn = (sum(int(d) for d in digits[-1::-2]) + sum(doubled)) % 10 == 0
    return pseudonym("card", digits) if luhn else match[0]


def _iban(match: re.Match[str], pseudonym: Pseudonym) -> str:
    account = match[0].replace(" ", "")
    if _inside_a_word(match):
        return match[0]
    number = "".join(str(int(c, 36)) for c in account[4:] + account[:4])
    return pseudonym("iban", account) if int(number) % 97 == 1 else match[0]


def _inside_a_word(match: re.Match[str]) -> bool:
    before = match.string[match.start() - 1 : match.start()]
    return before.isalnum() or before in ("_", ".", "-", "+")


def _phone(match: re.Match[str], pseudonym: Pseudonym) -> str:
    digits = re.sub(r"\D", "", match[0])
    return pseudonym("phone", digits) if 10 <= len(digits) <= 15 else match[0]


def _masked(match: re.Match[str], _: Pseudonym) -> str:
    return MASK


def _after_first(match: re.Match[str], _: Pseudonym) -> str:
    return f"{match[1]}{MASK}"


def _between(match: re.Match[str], _: Pseudonym) -> str:
    return f"{match[1]}{MASK}{match[3]}"


_TOKEN_SHAPES = re.compile(
    r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}"  # AWS access key id
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[\w-]{18,}"  # GitHub, GitLab
    r"|xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{10,}"  # Slack
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/]{16,}"  # Stripe
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,}"  # Google
    r"|sk-(?:ant-|proj-|svcacct-)?[\w-]{20,}"  # Anthropic, OpenAI
    r"|npm_[A-Za-z0-9]{30,}|pypi-AgE[\w-]{30,}|hf_[A-Za-z0-9]{30,}|dop_v1_[a-f0-9]{40,}|dapi[a-f0-9]{32}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|hv[sb]\.[\w-]{20,}|glsa_[A-Za-z0-9_]{30,})"  # SendGrid, Vault, Grafana
)

RULES: tuple[Rule, ...] = (
    Rule(
        ("private key-----",),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        lambda m, p: "-----BEGIN PRIVATE KEY----- " + MASK,
    ),
    Rule(("eyj",), re.compile(r"\beyJ[\w-]{8,}\.(?:eyJ)?[\w-]{4,}\.[\w-]*"), _masked),
    Rule(
        (
            "akia",
            "asia",
            "ghp_",
            "gho_",
            "ghu_",
            "ghs_",
            "ghr_",
            "github_pat_",
            "glpat-",
            "xox",
            "xapp-",
            "k_live_",
            "k_test_",
            "whsec_",
            "aiza",
            "ya29.",
            "sk-",
            "npm_",
            "pypi-",
            "hf_",
            "dop_v1_",
            "dapi",
            "sg.",
            "hvs.",
            "hvb.",
            "glsa_",
        ),
        _TOKEN_SHAPES,
        _masked,
    ),
    Rule(
        ("hooks.slack.com/",),
        re.compile(r"(hooks\.slack\.com/(?:services|workflows|triggers)/)([\w/-]+)"),
        _after_first,
    ),
    Rule(
        ("cookie",),
        re.compile(r"((?:set-)?cookie[\"']?\]?\s*[:=](?!\s*\[redacted)\s*\[?[\"']?)([^\"'\n\]\[]+)", re.I),
        _after_first,
    ),
    Rule(("bearer",), re.compile(r"(\bbearer[\s:=]+[\"']?)([\w.~+/=-]{16,})", re.I), _bearer),
    Rule(("basic",), re.compile(r"(\bbasic\s+)([A-Za-z0-9+/]{6,}={0,2})", re.I), _basic),
    Rule(
        ("authorization",),
        re.compile(
            r"(authorization[\"']?\]?\s*[:=]\s*\[?[\"']?(?:(?:basic|bearer|token|digest|apikey|negotiate)\s+)?)"
            r"((?=[^\s\"'\]]*\d)(?!\[redacted)[\w.~+/=-]{10,})",
            re.I,
        ),
        _after_first,
    ),
    Rule(("://",), re.compile(r"(://[^\s:/@\"'<>]*:)([^\s/\"'<>]+)(@)"), _between),
    Rule(("://",), re.compile(r"(://)([A-Za-z0-9_-]{20,})(@)"), _between),
    Rule(("@tcp(", "@unix("), re.compile(r"([\w.-]+:)([^\s@/]+)(@(?:tcp|unix)\()"), _between),
    Rule(
        (
            "pass",
            "pwd",
            "secret",
            "key",
            "token",
            "credential",
            "session",
            "sessid",
            "connect.sid",
            "masterauth",
            "connectionstring",
            "connection_string",
            "signature",
            "sig=",
            "dockerconfigjson",
        ),
        _NAMED,
        _named_value,
        near=True,
    ),
    Rule(("--pass", "--token", "--secret", "--api-key", "-requirepass", "-masterauth"), _FLAG, _after_first),
    Rule(
        ("identified", "password '", "pass>", "password>", "secret>"),
        re.compile(r"(identified (?:with \S+ )?by '|password '|<(?:\w*password|\w*secret|pass)>)([^'<]+)(['<])", re.I),
        _between,
    ),
    Rule(("$2",), re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}"), _masked),
    Rule(
        ("@",),
        re.compile(
            r"(?<![\w.+%/:@-])([A-Za-z0-9][\w.+%-]{0,63})@((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})(?![\w(:/@])"
        ),
        _email,
    ),
    Rule(("+",), re.compile(r"(?<![\w.+-])\+[1-9]\d{0,2}(?:[ .-]?\(?\d{1,4}\)?){2,5}(?![\w.:])"), _phone),
    # No words to rely on: these two begin with a character set, which the regex engine scans for fast.
    Rule((), re.compile(r"[2-6]\d\d\d[ -]?\d{4,6}[ -]?\d{4,5}(?:[ -]?\d{4})?(?![\w.-])"), _card),
    Rule((), re.compile(r"[A-Z][A-Z]\d\d(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"), _iban),
)
"""In order: whole shapes first, then names with values, then personal data."""
