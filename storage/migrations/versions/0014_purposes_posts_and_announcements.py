"""Purposes, posts, the audit and announcements: the ground of what staff send.

Whoever registered agreed to events and their reminders, by the notice of November 2026.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _to(column: str, parent: str, of: str, *, ends: str = "SET NULL") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{of}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete=ends)


def upgrade() -> None:
    op.create_table(
        "post",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("cities", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
    )
    op.add_column("member", sa.Column("post_id", sa.Integer(), nullable=True))
    op.create_index("ix_member_post_id", "member", ["post_id"])
    op.add_column(
        "member", sa.Column("everywhere", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("invitation", sa.Column("made_by", sa.Integer(), nullable=True))
    op.add_column("invitation", sa.Column("post_id", sa.Integer(), nullable=True))
    op.add_column("invitation", sa.Column("made_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("invitation", sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "agreement",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        _to("member_id", "member", "agreement", ends="CASCADE"),
        sa.PrimaryKeyConstraint("member_id", "purpose", name=op.f("pk_agreement")),
    )
    for purpose in ("events", "reminders"):
        op.execute(
            "INSERT INTO agreement (member_id, purpose, version, since) "  # noqa: S608  # ours
            f"SELECT id, '{purpose}', '2026-11', registered_at FROM member "
            "WHERE registered_at IS NOT NULL"
        )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=48), nullable=False),
        sa.Column("about", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("touched", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "audience",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("rule", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("post_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        _to("made_by", "member", "audience"),
        _to("post_id", "post", "audience"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audience")),
    )
    op.create_table(
        "announcement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("post_id", sa.Integer(), nullable=True),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("fallback", sa.String(length=8), nullable=True),
        sa.Column("answers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("local_time", sa.String(length=16), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.Column("quietly", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.Column("joiner_days", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("shown", sa.Integer(), nullable=True),
        sa.Column("approver_id", sa.Integer(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cursor", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        _to("author_id", "member", "announcement"),
        _to("post_id", "post", "announcement"),
        _to("corrects_id", "announcement", "announcement"),
        _to("approver_id", "member", "announcement"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_announcement_stage", "announcement", ["stage"])
    op.create_index("ix_announcement_author_id", "announcement", ["author_id"])
    op.create_table(
        "announcement_text",
        sa.Column("announcement_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("media", sa.String(length=16), nullable=True),
        sa.Column("file", sa.String(length=255), nullable=True),
        sa.Column("file_name", sa.String(length=255), nullable=True),
        sa.Column("link_label", sa.String(length=64), nullable=True),
        sa.Column("link_url", sa.String(length=2048), nullable=True),
        _to("announcement_id", "announcement", "announcement_text", ends="CASCADE"),
        sa.PrimaryKeyConstraint("announcement_id", "language", name=op.f("pk_announcement_text")),
    )
    op.create_table(
        "recipient",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("announcement_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        _to("announcement_id", "announcement", "recipient", ends="CASCADE"),
        _to("member_id", "member", "recipient"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipient")),
        sa.UniqueConstraint(
            "announcement_id", "member_id", name=op.f("uq_recipient_announcement_id_member_id")
        ),
    )
    op.create_index("ix_recipient_member_id", "recipient", ["member_id"])


def downgrade() -> None:
    for table in (
        "recipient",
        "announcement_text",
        "announcement",
        "audience",
        "audit",
        "agreement",
    ):
        op.drop_table(table)
    for column in ("revoked_at", "made_at", "post_id", "made_by"):
        op.drop_column("invitation", column)
    op.drop_column("member", "everywhere")
    op.drop_index("ix_member_post_id", "member")
    op.drop_column("member", "post_id")
    op.drop_table("post")
