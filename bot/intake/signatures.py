"""Is this webhook from who it says? Constant time, over the raw bytes of the body, before anybody parses them.

A secret that is not configured lets nothing in: an unsigned door would let anyone spend the customer's budget.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping


def pagerduty(headers: Mapping[str, str], body: bytes, secret: str | None) -> bool:
    """`X-PagerDuty-Signature: v1=<hex>,v1=<hex>`: HMAC-SHA256 of the body.

    While a secret is rotated there are several signatures; any match passes. Versions that we do not know are ignored.
    """
    if not secret:
        return False
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
    matched = False
    for part in _header(headers, "x-pagerduty-signature").split(",")[:20]:
        version, _, signature = part.strip().partition("=")
        # No early end: how long it takes must not tell which one matched.
        matched |= version == "v1" and _equal(signature.lower(), wanted)
    return matched


def launchdarkly(headers: Mapping[str, str], body: bytes, secret: str | None) -> bool:
    """`X-LD-Signature`: the hexadecimal HMAC-SHA256 of the body."""
    if not secret:
        return False
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
    return _equal(_header(headers, "x-ld-signature").strip().lower(), wanted)


def shared_secret(headers: Mapping[str, str], secret: str | None) -> bool:
    """Alertmanager, Grafana and the generic webhook: the secret as a bearer token, as the password of basic
    authentication (any user name), or in `X-Gumshoe-Secret`."""
    if not secret:
        return False
    scheme, _, credentials = _header(headers, "authorization").strip().partition(" ")
    offered = [_header(headers, "x-gumshoe-secret")]
    if scheme.lower() == "bearer":
        offered.append(credentials.strip())
    elif scheme.lower() == "basic":
        offered.append(_password(credentials.strip()))
    results = [_equal(one, secret.encode()) for one in offered]
    return any(results)


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode("utf-8", "replace").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _equal(offered: str, wanted: bytes) -> bool:
    # compare_digest refuses text that is not ASCII, so bytes are compared.
    return hmac.compare_digest(offered.encode("utf-8", "replace"), wanted)


def _header(headers: Mapping[str, str], name: str) -> str:
    """Header names are compared without case; ASGI servers give them in lower case, others do not."""
    return next((value for key, value in headers.items() if key.lower() == name), "")
