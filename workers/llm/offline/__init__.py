"""The offline investigator: a deterministic diagnostician that sees messages and tool specs like any model.

It serves where no key is set, in CI, and as the floor that Claude must beat.
"""

from workers.llm.offline.investigator import Offline

__all__ = ["Offline"]
