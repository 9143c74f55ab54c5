"""Kubernetes, read and never written: what runs, what is wrong with it, and what changed."""
