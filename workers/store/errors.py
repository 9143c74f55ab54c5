"""What can go wrong with the records, in one line that a person can act on."""

from __future__ import annotations


class StoreError(Exception):
    """The records cannot be read or written. The text names the database (without its password) and what to do."""


class NoSuchRecord(StoreError):
    """There is no record of that id (any more). Whoever holds the id should look again."""


class StaleAttempt(Exception):
    """Another run has taken this investigation over, or it has ended: stop, and write nothing more."""
