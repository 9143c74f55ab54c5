"""The keys of `skills.golang` in a customer's file."""

from skills.runtimes.settings import Settings

__all__ = ["Settings"]
