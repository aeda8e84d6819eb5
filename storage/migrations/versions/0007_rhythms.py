"""The rhythm of each member: a zone, unknown at first, and quiet hours."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    usual = "|1320|480"
    op.add_column(
        "member", sa.Column("rhythm", sa.String(length=80), nullable=False, server_default=usual)
    )
    op.create_index("ix_member_rhythm", "member", ["rhythm"])


def downgrade() -> None:
    op.drop_index("ix_member_rhythm", "member")
    op.drop_column("member", "rhythm")
