"""What can go wrong with the records, in one line that a person can act on."""

from __future__ import annotations

from config.settings import ConfigError


class StoreError(ConfigError):
    """The records cannot be read or written. The text names the database (without its password) and what to do.

    A ConfigError, so that a command that cannot open its records ends like one with any other wrong setting.
    """


class NoSuchRecord(StoreError):
    """There is no record of that id (any more). Whoever holds the id should look again."""


class StaleAttempt(Exception):
    """Another run has taken this investigation over, or it has ended: stop, and write nothing more."""
