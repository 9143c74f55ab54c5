"""Recognises faults in log lines: a table of wordings, and the reasoning that tells twins apart."""

from skills.logfaults.recognition import recognise

__all__ = ["recognise"]
