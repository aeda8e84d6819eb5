"""Guests, ways to fill a freed seat, leads of an event, late arrivals, zones and quiet hours.

Columns are added and dropped as they are, never by rebuilding a table: on SQLite that would drop
the old one, and everything that hangs on it with it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The leads that registration gave to everybody: whoever has others chose them.
_FIRST = (24 * 60, 15)


def upgrade() -> None:
    no = sa.false()
    op.add_column("event", sa.Column("guests", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("event", sa.Column("promotes", sa.Boolean(), nullable=False, server_default=no))
    op.add_column("event", sa.Column("leads", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("rsvp", sa.Column("guests", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("rsvp", sa.Column("late_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("member", sa.Column("timezone", sa.String(length=64), nullable=True))
    # Old rows get the usual quiet hours, 22:00 to 08:00.
    op.add_column(
        "member", sa.Column("quiet_from", sa.Integer(), nullable=True, server_default="1320")
    )
    op.add_column(
        "member", sa.Column("quiet_until", sa.Integer(), nullable=True, server_default="480")
    )
    op.add_column("member", sa.Column("own_leads", sa.Boolean(), nullable=False, server_default=no))

    member = sa.table("member", sa.column("id"), sa.column("registered_at"), sa.column("own_leads"))
    lead = sa.table("member_lead", sa.column("member_id"), sa.column("minutes"))
    mine = sa.select(sa.func.count()).select_from(lead).where(lead.c.member_id == member.c.id)
    first = mine.where(lead.c.minutes.in_(_FIRST)).scalar_subquery()
    op.execute(
        sa.update(member)
        .where(
            member.c.registered_at.is_not(None),
            sa.or_(mine.scalar_subquery() != len(_FIRST), first != len(_FIRST)),
        )
        .values(own_leads=sa.true())
    )


def downgrade() -> None:
    for table, column in (
        ("member", "own_leads"),
        ("member", "quiet_until"),
        ("member", "quiet_from"),
        ("member", "timezone"),
        ("rsvp", "late_at"),
        ("rsvp", "guests"),
        ("event", "leads"),
        ("event", "promotes"),
        ("event", "guests"),
    ):
        op.drop_column(table, column)
