"""Seats, and what becomes of them: tickets, doors, ratings, cards in other chats."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, choice


class Seat(StrEnum):
    """What became of a member's wish for a seat."""

    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    OFFERED = "offered"
    CANCELLED = "cancelled"
    CHECKED_IN = "checked_in"


class Rsvp(Base):
    """A member's answer to a session."""

    __tablename__ = "rsvp"
    __table_args__ = (
        UniqueConstraint("session_id", "member_id"),
        # Seats are counted from it alone.
        Index("ix_rsvp_session_id_state_guests", "session_id", "state", "guests"),
        Index("ix_rsvp_member_id", "member_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    state: Mapped[Seat] = mapped_column(choice(Seat))
    # When the present state began: for `waitlisted` it is the place in line.
    since: Mapped[datetime]
    # Until when an offered seat waits for the answer.
    offered_until: Mapped[datetime | None]
    # When the member last said "I'm coming" to a reminder.
    reassured_at: Mapped[datetime | None]
    # How many people come with the member: each takes a seat too.
    guests: Mapped[int] = mapped_column(default=0, server_default="0")
    # When the member said that they are running late.
    late_at: Mapped[datetime | None]


class Ticket(Base):
    """Lets a member in, once: at a session's door or, without a session, at the event's.

    Its code is all that the picture holds. It opens nothing by itself: staff alone check in.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("session_id", "member_id"),
        Index(
            "uq_ticket_event_id_member_id",
            "event_id",
            "member_id",
            unique=True,
            sqlite_where=text("session_id IS NULL"),
            postgresql_where=text("session_id IS NULL"),
        ),
        Index("ix_ticket_member_id", "member_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    used_at: Mapped[datetime | None]
    used_by: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))


class WalkIn(Base):
    """Somebody let in without a valid ticket; known only if a ticket of theirs was scanned."""

    __tablename__ = "walk_in"
    __table_args__ = (
        Index("ix_walk_in_session_id", "session_id"),
        Index("ix_walk_in_event_id", "event_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    at: Mapped[datetime]
    by: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))


class Door(Base):
    """Who of the staff opened the card of which door, last when; without a session, the event's."""

    __tablename__ = "door"
    __table_args__ = (
        Index("ix_door_event_id", "event_id"),
        Index("ix_door_member_id", "member_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    opened_at: Mapped[datetime]


class Asked(Base):
    """A session whose ratings were asked for."""

    __tablename__ = "asked"

    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime]


class Rating(Base):
    """What a member thought of a session: one to five stars, and perhaps a sentence."""

    __tablename__ = "rating"
    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),)

    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    stars: Mapped[int]
    sentence: Mapped[str | None] = mapped_column(String(500))
    at: Mapped[datetime]


class PostedCard(Base):
    """A session's card in another chat: what it last told, and when."""

    __tablename__ = "posted_card"
    __table_args__ = (
        Index("ix_posted_card_session_id", "session_id"),
        Index("ix_posted_card_member_id", "member_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    # Who posted it, and how the messenger calls it.
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    message: Mapped[str] = mapped_column(String(128), unique=True)
    language: Mapped[str] = mapped_column(String(8))
    # The sum of what it told (`posted_cards.facts_of`), and the key of the letter that told it.
    told: Mapped[str] = mapped_column(String(32))
    edited_at: Mapped[datetime]
    letter: Mapped[str | None] = mapped_column(String(128))
