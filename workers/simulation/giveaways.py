"""Words and addresses that give a made-up company away, wherever they are said."""

from __future__ import annotations

import re

NAMES = re.compile(
    r"\b(foo|bar|baz|foobar|demo|dummy|lorem|ipsum|mock|fake|todo|acme|sample-app|hello-?world|my-?(app|service|pod))\b"
    r"|\b(test|tmp|example|node|host|server|service)-?\d{1,2}\b|simulat|chaos|example\.(com|org|net)\b",
    re.IGNORECASE,
)
LOOPBACK = re.compile(r"\b127\.0\.0\.\d+\b|\blocalhost\b|\[::1\]")
ADDRESS = re.compile(r"(?<![\d.])((?:10|172|192)\.\d{1,3}\.\d{1,3}\.\d{1,3})(?![\d.])")
