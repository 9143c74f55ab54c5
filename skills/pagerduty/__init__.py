"""Reads PagerDuty: the incident and what people wrote, how often it fired, who is on call."""
