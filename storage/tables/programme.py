"""The programme: themes, events and their sessions."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Trilingual


class Theme(Base):
    """A topic tag, of sessions and of members."""

    __tablename__ = "theme"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[Trilingual]


class Event(Base):
    """A workshop, conference or training day: it has a zone, a place and sessions."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[Trilingual]
    subtitle: Mapped[Trilingual | None]
    organiser: Mapped[Trilingual | None]
    city: Mapped[str | None] = mapped_column(String(80))
    timezone: Mapped[str] = mapped_column(String(64))
    starts: Mapped[date]
    ends: Mapped[date]
    capacity: Mapped[int | None]
    sides: Mapped[list[Any] | None]
    # When members whom it suits were told of it; empty: not yet.
    told_at: Mapped[datetime | None]
    # What staff choose for this event. A programme file knows nothing of it, and leaves it alone.
    # How many guests a member may bring: 0, 1 or 2.
    guests: Mapped[int] = mapped_column(default=0, server_default="0")
    # A freed seat goes to the head of the line at once, instead of being offered.
    promotes: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The leads, in minutes (of `members.LEADS`), of members who never chose their own.
    leads: Mapped[list[Any] | None]
    # How much it weighs in its introductions that they cross the two shores, from 0 to 3.
    crossing: Mapped[int] = mapped_column(default=2, server_default="2")
    # Since when nobody's name stands behind its seats any more (`storage/retention.py`).
    nameless_at: Mapped[datetime | None]


class Session(Base):
    """One item of an event's agenda. (The database session is always called `db`.)"""

    __tablename__ = "session"
    __table_args__ = (
        UniqueConstraint("event_id", "slug"),
        CheckConstraint("capacity IS NULL OR capacity >= 0", name="capacity"),
        Index("ix_session_starts_at", "starts_at"),
        # An old button must not open another session that was given a deleted one's id.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[Trilingual]
    room: Mapped[Trilingual | None]
    # Names as they are written, in the order of the programme. None rather than an empty list.
    speakers: Mapped[list[Any] | None]
    # The words it is found by, written by `search.learn`.
    found_by: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int | None]
    online: Mapped[bool] = mapped_column(default=False)
    # A session that left the programme keeps its row: people held seats in it.
    cancelled_at: Mapped[datetime | None]


class SessionTheme(Base):
    """A theme that a session is about."""

    __tablename__ = "session_theme"

    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True
    )
    theme_id: Mapped[int] = mapped_column(
        ForeignKey("theme.id", ondelete="CASCADE"), primary_key=True
    )
