"""Introductions: profiles for meeting, rounds, and the two or three sides of each introduction."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _to(column: str, parent: str, of: str, *, ends: str = "CASCADE") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{of}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete=ends)


def upgrade() -> None:
    op.create_table(
        "meeting_block",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=True),
        sa.Column("organisation", sa.String(length=80), nullable=True),
        sa.Column("folded", sa.String(length=80), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _to("member_id", "member", "meeting_block"),
        _to("other_id", "member", "meeting_block"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_block")),
        sa.UniqueConstraint("member_id", "folded", name=op.f("uq_meeting_block_member_id_folded")),
        sa.UniqueConstraint(
            "member_id", "other_id", name=op.f("uq_meeting_block_member_id_other_id")
        ),
    )
    op.create_index("ix_meeting_block_other_id", "meeting_block", ["other_id"])
    op.create_table(
        "meeting_language",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        _to("member_id", "member", "meeting_language"),
        sa.PrimaryKeyConstraint("member_id", "code", name=op.f("pk_meeting_language")),
    )
    op.create_table(
        "meeting_profile",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(length=160), nullable=True),
        sa.Column("contact", sa.String(length=120), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("silent", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("passed_over", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        _to("member_id", "member", "meeting_profile"),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_meeting_profile")),
    )
    op.create_table(
        "meeting_topic",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("topic", sa.String(length=16), nullable=False),
        _to("member_id", "member", "meeting_topic"),
        sa.PrimaryKeyConstraint("member_id", "direction", "topic", name=op.f("pk_meeting_topic")),
    )
    op.create_index("ix_meeting_topic_topic_direction", "meeting_topic", ["topic", "direction"])
    op.create_table(
        "round_schedule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("weekday", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("minute", sa.Integer(), nullable=False, server_default="600"),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=True),
        _to("set_by", "member", "round_schedule", ends="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_schedule")),
        sa.UniqueConstraint("name", name=op.f("uq_round_schedule_name")),
    )
    op.create_table(
        "introduction_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occasion", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=True),
        sa.Column("crossing", sa.Integer(), nullable=False, server_default="2"),
        sa.Column("follows_id", sa.Integer(), nullable=True),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pool", sa.Integer(), nullable=False, server_default="0"),
        _to("event_id", "event", "introduction_round"),
        _to("follows_id", "introduction_round", "introduction_round", ends="SET NULL"),
        _to("made_by", "member", "introduction_round", ends="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_introduction_round")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_introduction_round_stage", "introduction_round", ["stage"])
    op.create_table(
        "introduction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occasion", sa.String(length=16), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("progress", sa.String(length=16), nullable=False),
        sa.Column("affinity", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("asker_id", sa.Integer(), nullable=True),
        sa.Column("asked_why", sa.String(length=200), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("meets_at", sa.DateTime(timezone=True), nullable=True),
        _to("asker_id", "member", "introduction", ends="SET NULL"),
        _to("round_id", "introduction_round", "introduction"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_introduction")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_introduction_progress_lapses_at", "introduction", ["progress", "lapses_at"])
    op.create_index("ix_introduction_round_id", "introduction", ["round_id"])
    op.create_table(
        "left_out",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=False),
        _to("member_id", "member", "left_out"),
        _to("round_id", "introduction_round", "left_out"),
        sa.PrimaryKeyConstraint("round_id", "member_id", name=op.f("pk_left_out")),
    )
    op.create_index("ix_left_out_member_id", "left_out", ["member_id"])
    op.create_table(
        "introduction_side",
        sa.Column("introduction_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("nudged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("met", sa.Boolean(), nullable=True),
        sa.Column("stars", sa.Integer(), nullable=True),
        _to("introduction_id", "introduction", "introduction_side"),
        _to("member_id", "member", "introduction_side"),
        sa.PrimaryKeyConstraint("introduction_id", "member_id", name=op.f("pk_introduction_side")),
        sa.UniqueConstraint(
            "introduction_id", "place", name=op.f("uq_introduction_side_introduction_id_place")
        ),
    )
    op.create_index("ix_introduction_side_member_id", "introduction_side", ["member_id"])
    op.create_table(
        "meeting_time",
        sa.Column("introduction_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        _to("introduction_id", "introduction", "meeting_time"),
        sa.PrimaryKeyConstraint("introduction_id", "starts_at", name=op.f("pk_meeting_time")),
    )
    op.create_table(
        "meeting_time_choice",
        sa.Column("introduction_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        _to("introduction_id", "introduction", "meeting_time_choice"),
        _to("member_id", "member", "meeting_time_choice"),
        sa.PrimaryKeyConstraint(
            "introduction_id", "starts_at", "member_id", name=op.f("pk_meeting_time_choice")
        ),
    )
    op.create_index("ix_meeting_time_choice_member_id", "meeting_time_choice", ["member_id"])
    op.add_column("event", sa.Column("crossing", sa.Integer(), nullable=False, server_default="2"))


def downgrade() -> None:
    op.drop_column("event", "crossing")
    for table in (
        "meeting_time_choice",
        "meeting_time",
        "introduction_side",
        "left_out",
        "introduction",
        "introduction_round",
        "round_schedule",
        "meeting_topic",
        "meeting_profile",
        "meeting_language",
        "meeting_block",
    ):
        op.drop_table(table)
