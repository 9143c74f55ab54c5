"""Feature flags that were switched: what the system that keeps them tells by webhook."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flag_events",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "id", name="pk_flag_events"),
    )
    op.create_index("ix_flag_events_customer_at", "flag_events", ["customer", "at"])
