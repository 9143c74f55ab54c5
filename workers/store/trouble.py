"""A database's own words for what is wrong, turned into one line with the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from workers.store.errors import StoreError

_REMEDIES = (
    ("is locked", "another process holds it; wait for it, or find it with `fuser` and end it"),
    ("not a database", "it is damaged or something else; restore a copy, or move it away to begin anew"),
    ("malformed", "it is damaged; restore a copy, or move it away to begin anew"),
    ("readonly", "make the file and its directory writable for this user"),
    ("unable to open", "make the directory writable for this user, or let DATABASE_URL name another file"),
    ("disk is full", "make room on the disk"),
    ("authentication failed", "correct user and password in DATABASE_URL"),
    ("no password supplied", "put the password into DATABASE_URL"),
    ("does not exist", "create it, or correct DATABASE_URL"),
    ("permission denied", "grant this user the right to create and use tables there"),
    ("too many clients", "raise max_connections of the server, or run fewer workers"),
    ("connection", "start the server, or correct DATABASE_URL"),
    ("resolve", "correct the host in DATABASE_URL"),
    ("timeout", "check that the server can be reached from here, or correct DATABASE_URL"),
)


@contextmanager
def in_one_line(url: sa.URL, *, also: tuple[type[sa.exc.DBAPIError], ...] = ()) -> Iterator[None]:
    """Turns what the database cannot do into StoreError. What we did wrong (constraints, SQL) flies as it is, unless
    its type is in `also`."""
    try:
        yield
    except sa.exc.TimeoutError:
        raise StoreError(f"{shown(url)}: no free connection in time; run fewer threads, or wait") from None
    except sa.exc.DBAPIError as error:
        ours = (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError, sa.exc.InterfaceError)
        if isinstance(error, ours) and not isinstance(error, also):
            raise
        words = " ".join(str(error.orig).splitlines()[0].split()) if str(error.orig) else type(error.orig).__name__
        remedy = next((advice for sign, advice in _REMEDIES if sign in words.lower()), "see the server's log")
        raise StoreError(f"{shown(url)}: {words}: {remedy}") from error


def shown(url: sa.URL) -> str:
    """The URL without its password, wherever it was put."""
    secret = {key: "***" for key in url.query if "password" in key}
    return url.update_query_dict(secret).render_as_string(hide_password=True)
