"""The outbox's index in the whole order in which letters leave: a wave has one moment for all."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_outbox_state_lane_due_id", "outbox", ["state", "lane", "due", "id"])
    op.drop_index("ix_outbox_state_lane_due", "outbox")


def downgrade() -> None:
    op.create_index("ix_outbox_state_lane_due", "outbox", ["state", "lane", "due"])
    op.drop_index("ix_outbox_state_lane_due_id", "outbox")
