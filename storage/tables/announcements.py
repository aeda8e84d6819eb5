"""Announcements: what staff send, to whom, in which words, and who received it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, choice
from storage.tables.people import Purpose


class Stage(StrEnum):
    """How far an announcement has come; `storage/announcements.py` tells its life."""

    DRAFT = "draft"
    # A second member of the team is to approve it.
    AWAITING = "awaiting"
    # Ready: it begins at once or at its time.
    READY = "ready"
    SENDING = "sending"
    PAUSED = "paused"
    STOPPED = "stopped"
    SENT = "sent"


class Audience(Base):
    """A saved query over members, by name. `rule` is as `storage/audiences.py` reads it."""

    __tablename__ = "audience"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    rule: Mapped[dict[str, Any]]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    post_id: Mapped[int | None] = mapped_column(ForeignKey("post.id", ondelete="SET NULL"))
    made_at: Mapped[datetime]


class Announcement(Base):
    """What staff send to an audience."""

    __tablename__ = "announcement"
    __table_args__ = (
        Index("ix_announcement_stage", "stage"),
        Index("ix_announcement_author_id", "author_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    post_id: Mapped[int | None] = mapped_column(ForeignKey("post.id", ondelete="SET NULL"))
    stage: Mapped[Stage] = mapped_column(choice(Stage), default=Stage.DRAFT)
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose), default=Purpose.ANNOUNCEMENTS)
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime]
    # To whom, as `storage/audiences.py` reads it; empty until it is chosen.
    rule: Mapped[dict[str, Any] | None]
    # Whose words those read whose own language has none; empty: they are left out.
    fallback: Mapped[str | None] = mapped_column(String(8))
    # Up to four answers that readers may tap, each in three languages.
    answers: Mapped[list[Any] | None]
    # When it leaves: a wall-clock time ("2026-12-01T09:00") in a zone. No time: at once; a time
    # without a zone: in each reader's own.
    local_time: Mapped[str | None] = mapped_column(String(16))
    zone: Mapped[str | None] = mapped_column(String(64))
    # It waits for the end of a reader's quiet hours.
    quietly: Mapped[bool] = mapped_column(default=True, server_default=true())
    # The announcement that this one corrects: it goes to exactly those who received that one.
    corrects_id: Mapped[int | None] = mapped_column(
        ForeignKey("announcement.id", ondelete="SET NULL")
    )
    # For how many days those who join the audience later receive it too; 0: they don't.
    joiner_days: Mapped[int] = mapped_column(default=0, server_default="0")
    # How many people its author was shown, who approved it or sent it back, and with what remark.
    shown: Mapped[int | None]
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    approved_at: Mapped[datetime | None]
    comment: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime | None]
    # When its audience was written down; up to which member that has come; how many they are.
    counted_at: Mapped[datetime | None]
    counted_to: Mapped[int] = mapped_column(default=0, server_default="0")
    size: Mapped[int] = mapped_column(default=0, server_default="0")
    # Up to which recipient it was posted to the outbox, in the order of their moments and ids.
    cursor_due: Mapped[datetime | None]
    cursor: Mapped[int] = mapped_column(default=0, server_default="0")
    # What became of those whose letter is settled, as `storage/sendings.py` adds it up.
    tally: Mapped[dict[str, Any] | None]
    finished_at: Mapped[datetime | None]


class AnnouncementText(Base):
    """An announcement in one language: the small HTML subset of `handlers/letters.py`."""

    __tablename__ = "announcement_text"

    announcement_id: Mapped[int] = mapped_column(
        ForeignKey("announcement.id", ondelete="CASCADE"), primary_key=True
    )
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    # A picture or document, as the messenger calls it: "photo" or "document".
    media: Mapped[str | None] = mapped_column(String(16))
    file: Mapped[str | None] = mapped_column(String(255))
    file_name: Mapped[str | None] = mapped_column(String(255))
    link_label: Mapped[str | None] = mapped_column(String(64))
    link_url: Mapped[str | None] = mapped_column(String(2048))


class Recipient(Base):
    """One person of an announcement's audience as it was when it began, once whatever happens.

    `member_id` is emptied when they are forgotten: the count stays. Its outbox row's key is
    `announcement:ANNOUNCEMENT:MEMBER`.
    """

    __tablename__ = "recipient"
    __table_args__ = (
        UniqueConstraint("announcement_id", "member_id"),
        Index("ix_recipient_member_id", "member_id"),
        # Those of whom nothing is known yet: however many there were, few at a time once it is sent.
        Index(
            "ix_recipient_open",
            "announcement_id",
            "due",
            "id",
            sqlite_where=text("outcome IS NULL"),
            postgresql_where=text("outcome IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    announcement_id: Mapped[int] = mapped_column(ForeignKey("announcement.id", ondelete="CASCADE"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    # The language of the words that they read.
    language: Mapped[str] = mapped_column(String(8))
    # When it may leave for them: their morning, if it would ring at night.
    due: Mapped[datetime | None]
    # What became of their letter, once that is settled (the outbox's `state`: sent, failed, void,
    # unknown), and why; the outbox knows it until then.
    outcome: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    settled_at: Mapped[datetime | None]
    # Which answer they tapped last, from 0, and when; when they first opened the link.
    answer: Mapped[int | None]
    answered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
