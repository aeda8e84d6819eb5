"""Seats are counted from their index alone, guests included, without a look at each RSVP."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_rsvp_session_id_state", "rsvp")
    op.create_index("ix_rsvp_session_id_state_guests", "rsvp", ["session_id", "state", "guests"])


def downgrade() -> None:
    op.drop_index("ix_rsvp_session_id_state_guests", "rsvp")
    op.create_index("ix_rsvp_session_id_state", "rsvp", ["session_id", "state"])
