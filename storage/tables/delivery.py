"""Delivery: the outbox, and who may act alone."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, choice


class Fate(StrEnum):
    """The states of an outbox row; `storage/outbox.py` tells its life."""

    QUEUED = "queued"
    STARTED = "started"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    VOID = "void"


class Lane(IntEnum):
    """Who goes first."""

    PERSONAL = 0
    REMINDER = 1
    BULK = 2


class Outbox(Base):
    """A letter to be, and what became of it. Never finished text: `kind` and `about` (ids)."""

    __tablename__ = "outbox"
    __table_args__ = (
        # The whole order in which letters leave: a wave of a million has one moment for all.
        Index("ix_outbox_state_lane_due_id", "state", "lane", "due", "id"),
        Index("ix_outbox_member_id", "member_id"),
        # What still has words and an address that are to go one day.
        Index(
            "ix_outbox_settled_at",
            "settled_at",
            sqlite_where=text("address IS NOT NULL"),
            postgresql_where=text("address IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    about: Mapped[dict[str, Any]]
    lane: Mapped[int]
    due: Mapped[datetime]
    expires: Mapped[datetime | None]
    state: Mapped[Fate] = mapped_column(choice(Fate), default=Fate.QUEUED)
    reason: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    # How often an answer was lost after the request began: each is a possible duplicate.
    doubts: Mapped[int] = mapped_column(default=0)
    # The engine that started the request, so that its successor knows what was in its hands.
    engine: Mapped[str | None] = mapped_column(String(36))
    channel: Mapped[str | None] = mapped_column(String(16))
    address: Mapped[str | None] = mapped_column(String(64))
    # Where it goes if not to its member: a group or channel that they post to.
    to_channel: Mapped[str | None] = mapped_column(String(16))
    to_address: Mapped[str | None] = mapped_column(String(64))
    provider_id: Mapped[str | None] = mapped_column(String(64))
    sent_text: Mapped[str | None] = mapped_column(Text)
    settled_at: Mapped[datetime | None]


class Lease(Base):
    """Who may act alone: one row for each office, e.g. the engine of a bot."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(36))
    until: Mapped[datetime]
