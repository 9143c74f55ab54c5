"""Signed addresses of Gumshoe's own pages. Whoever has the link may read the page; nobody can guess another one.

The signature covers the investigation, not the place in it: `#E3` is added by whoever points at a piece of evidence.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from itsdangerous import Signer

from config.settings import Settings

_SALT = "gumshoe-evidence-page"


def key(file: Path) -> bytes:
    """The key of this installation, made at the first use and readable by its owner alone."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent)  # created 0600
        with os.fdopen(handle, "w") as new:
            new.write(secrets.token_urlsafe(48))
        try:
            os.link(name, file)  # whole or not at all, and only one of several processes wins
        except FileExistsError:
            pass
        finally:
            Path(name).unlink()
    return file.read_bytes().strip()


def base_url(settings: Settings) -> str | None:
    """How people reach the pages; None when nobody said and the port is not known beforehand."""
    if settings.public_url:
        return settings.public_url
    return f"http://{settings.web_host}:{settings.web_port}" if settings.web_port else None


def pages(secret: bytes, base: str | None) -> Callable[[str, str | None], str | None]:
    return lambda investigation_id, evidence: page(secret, base, investigation_id, evidence) if base else None


def page(secret: bytes, base: str, investigation_id: str, evidence: str | None = None) -> str:
    anchor = f"#{evidence}" if evidence else ""
    return f"{base}/i/{investigation_id}?sig={_signer(secret).get_signature(investigation_id).decode()}{anchor}"


def is_signed(secret: bytes, investigation_id: str, signature: str) -> bool:
    return _signer(secret).verify_signature(investigation_id, signature)


def _signer(secret: bytes) -> Signer:
    return Signer(secret, salt=_SALT)
