"""Alembic's scripts, run by `workers.store.schema` alone."""
