"""Who speaks in a session."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("session", sa.Column("speakers", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("session", "speakers")
