"""Logs in Grafana Loki."""
