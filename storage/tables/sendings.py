"""Sending: the cards on which the team watches an announcement leave, and the groups and channels
that it is posted to.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base


class SendingCard(Base):
    """Where somebody of the team watches an announcement leave. Its outbox row is sent first and
    queued again for each edit.
    """

    __tablename__ = "sending_card"
    __table_args__ = (
        UniqueConstraint("announcement_id", "member_id"),
        Index("ix_sending_card_done", "done"),
        Index("ix_sending_card_member_id", "member_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    announcement_id: Mapped[int] = mapped_column(ForeignKey("announcement.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    # What the messenger calls it, once it stands there.
    message: Mapped[str | None] = mapped_column(String(64))
    # What it told last, as a sum, and when. Once it has told the end it is `done`.
    told: Mapped[str] = mapped_column(String(32), default="")
    edited_at: Mapped[datetime]
    done: Mapped[bool] = mapped_column(default=False, server_default=false())


class GroupChat(Base):
    """A group or channel in which the bot is, or was, an administrator. Nothing said there is kept."""

    __tablename__ = "group_chat"
    __table_args__ = (UniqueConstraint("channel", "address"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(64))
    # "group", "supergroup" or "channel", as the messenger calls it.
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(128))
    since: Mapped[datetime]
    # Since when the bot can't post there any more; empty while it can.
    left_at: Mapped[datetime | None]


class GroupPosting(Base):
    """A group or channel to which an announcement is posted too, and what became of it."""

    __tablename__ = "group_posting"

    announcement_id: Mapped[int] = mapped_column(
        ForeignKey("announcement.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[int] = mapped_column(
        ForeignKey("group_chat.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    # In one language; empty: all of them, one below the other.
    language: Mapped[str | None] = mapped_column(String(8))
    outcome: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    settled_at: Mapped[datetime | None]
