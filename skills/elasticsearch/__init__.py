"""Logs in Elasticsearch or OpenSearch."""
