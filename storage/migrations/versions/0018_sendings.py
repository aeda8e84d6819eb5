"""Sending announcements: moments, a cursor over them, the team's cards, groups and channels."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def _to(column: str, parent: str, of: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{of}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    for column in ("counted_to", "size"):
        op.add_column(
            "announcement", sa.Column(column, sa.Integer(), nullable=False, server_default="0")
        )
    moment = sa.DateTime(timezone=True)
    op.add_column("announcement", sa.Column("cursor_due", moment, nullable=True))
    tally = sa.Column("tally", sa.JSON(none_as_null=True), nullable=True)
    op.add_column("announcement", tally)
    op.add_column("recipient", sa.Column("due", moment, nullable=True))
    unsettled = sa.text("outcome IS NULL")
    op.create_index(
        "ix_recipient_open",
        "recipient",
        ["announcement_id", "due", "id"],
        sqlite_where=unsettled,
        postgresql_where=unsettled,
    )
    op.add_column("outbox", sa.Column("to_channel", sa.String(length=16), nullable=True))
    op.add_column("outbox", sa.Column("to_address", sa.String(length=64), nullable=True))
    op.create_table(
        "sending_card",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("announcement_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=True),
        sa.Column("told", sa.String(length=32), nullable=False),
        sa.Column("edited_at", moment, nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False, server_default=sa.false()),
        _to("announcement_id", "announcement", "sending_card"),
        _to("member_id", "member", "sending_card"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sending_card")),
        sa.UniqueConstraint(
            "announcement_id", "member_id", name=op.f("uq_sending_card_announcement_id_member_id")
        ),
    )
    op.create_index("ix_sending_card_done", "sending_card", ["done"])
    op.create_index("ix_sending_card_member_id", "sending_card", ["member_id"])
    op.create_table(
        "group_chat",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=128), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("left_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_chat")),
        sa.UniqueConstraint("channel", "address", name=op.f("uq_group_chat_channel_address")),
    )
    op.create_table(
        "group_posting",
        sa.Column("announcement_id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("settled_at", moment, nullable=True),
        _to("announcement_id", "announcement", "group_posting"),
        _to("group_id", "group_chat", "group_posting"),
        sa.PrimaryKeyConstraint("announcement_id", "group_id", name=op.f("pk_group_posting")),
    )
    op.create_index("ix_group_posting_group_id", "group_posting", ["group_id"])


def downgrade() -> None:
    op.drop_table("group_posting")
    op.drop_table("group_chat")
    op.drop_table("sending_card")
    op.drop_column("outbox", "to_address")
    op.drop_column("outbox", "to_channel")
    op.drop_index("ix_recipient_open", "recipient")
    op.drop_column("recipient", "due")
    for column in ("tally", "cursor_due", "size", "counted_to"):
        op.drop_column("announcement", column)
