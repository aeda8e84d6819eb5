"""A networking session as it is held: its rounds, who takes part, and who sits where."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, choice


class Course(StrEnum):
    """How far a networking session has come."""

    GATHERING = "gathering"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


class Networking(Base):
    """Rounds of short meetings, in a session that staff opened for them."""

    __tablename__ = "networking"

    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True
    )
    course: Mapped[Course] = mapped_column(choice(Course))
    opened_at: Mapped[datetime]
    # Opens the page for the big screen, and nothing else.
    board: Mapped[str] = mapped_column(String(32), unique=True)
    # How many rounds of how many minutes; which one it is (from 1; 0: none yet), until when.
    rounds: Mapped[int] = mapped_column(default=5, server_default="5")
    minutes: Mapped[int] = mapped_column(default=8, server_default="8")
    round: Mapped[int] = mapped_column(default=0, server_default="0")
    until: Mapped[datetime | None]
    # While it is paused: the seconds that its round has left.
    left: Mapped[int | None]
    # Up to which round the tables are drawn: a little before it begins, for the letters' sake.
    drawn: Mapped[int] = mapped_column(default=0, server_default="0")


class NetworkingGuest(Base):
    """Somebody who takes part; `left_at` since they left, by a tap or by giving no answer."""

    __tablename__ = "networking_guest"
    __table_args__ = (Index("ix_networking_guest_member_id", "member_id"),)

    session_id: Mapped[int] = mapped_column(
        ForeignKey("networking.session_id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    # For how many rounds in a row they have tapped nothing.
    silent: Mapped[int] = mapped_column(default=0, server_default="0")


class NetworkingSeat(Base):
    """At which table somebody sits in a round, and since when they said that they are there."""

    __tablename__ = "networking_seat"
    __table_args__ = (Index("ix_networking_seat_member_id", "member_id"),)

    session_id: Mapped[int] = mapped_column(
        ForeignKey("networking.session_id", ondelete="CASCADE"), primary_key=True
    )
    round: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    table: Mapped[int]
    here_at: Mapped[datetime | None]
