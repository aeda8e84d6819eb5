"""Retention: which events have no names behind their seats any more, and which letters still have words.

Nobody knows when the members of today were last seen: let it be now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("event", sa.Column("nameless_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_outbox_settled_at",
        "outbox",
        ["settled_at"],
        sqlite_where=sa.text("address IS NOT NULL"),
        postgresql_where=sa.text("address IS NOT NULL"),
    )
    op.execute("UPDATE member SET seen_at = CURRENT_TIMESTAMP WHERE seen_at IS NULL")


def downgrade() -> None:
    op.drop_index("ix_outbox_settled_at", "outbox")
    op.drop_column("event", "nameless_at")
