"""Thinks, remembers, practises and is marked. Knows nothing of Slack."""
