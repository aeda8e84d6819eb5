"""Networking sessions: their rounds, guests and tables."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "networking",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("course", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("board", sa.String(length=32), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False, server_default="5"),
        sa.Column("minutes", sa.Integer(), nullable=False, server_default="8"),
        sa.Column("round", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left", sa.Integer(), nullable=True),
        sa.Column("drawn", sa.Integer(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["session.id"],
            name=op.f("fk_networking_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_networking")),
        sa.UniqueConstraint("board", name=op.f("uq_networking_board")),
    )
    for table, keys, columns in (
        (
            "networking_guest",
            ("session_id", "member_id"),
            (
                sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
                sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
                sa.Column("silent", sa.Integer(), nullable=False, server_default="0"),
            ),
        ),
        (
            "networking_seat",
            ("session_id", "round", "member_id"),
            (
                sa.Column("table", sa.Integer(), nullable=False),
                sa.Column("here_at", sa.DateTime(timezone=True), nullable=True),
            ),
        ),
    ):
        op.create_table(
            table,
            *(sa.Column(key, sa.Integer(), nullable=False) for key in keys),
            *columns,
            sa.ForeignKeyConstraint(
                ["session_id"],
                ["networking.session_id"],
                name=op.f(f"fk_{table}_session_id"),
                ondelete="CASCADE",
            ),
            sa.ForeignKeyConstraint(
                ["member_id"], ["member.id"], name=op.f(f"fk_{table}_member_id"), ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{table}")),
        )
        op.create_index(f"ix_{table}_member_id", table, ["member_id"])


def downgrade() -> None:
    op.drop_table("networking_seat")
    op.drop_table("networking_guest")
    op.drop_table("networking")
