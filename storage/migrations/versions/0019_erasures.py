"""Erasures; whose answer an update's is; when a member was last seen, and asked."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wiped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_erasure")),
    )
    op.create_index("ix_erasure_wiped_at", "erasure", ["wiped_at"])
    op.create_table(
        "erasure_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_key")),
    )
    op.add_column("update", sa.Column("member_id", sa.Integer(), nullable=True))
    op.create_index("ix_update_member_id", "update", ["member_id"])
    op.add_column("member", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_member_seen_at", "member", ["seen_at"])
    op.add_column("member", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("member", "asked_at")
    op.drop_index("ix_member_seen_at", "member")
    op.drop_column("member", "seen_at")
    op.drop_index("ix_update_member_id", "update")
    op.drop_column("update", "member_id")
    op.drop_table("erasure_key")
    op.drop_table("erasure")
