"""Introductions: who wishes to meet whom, the rounds that pair them, and what became of it.

A refusal stands in `introduction_side.answer` and nowhere else; nobody but the person is ever told.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, choice


class Topic(StrEnum):
    """What a member may offer or seek; `handlers/meeting_words.py` names each in three languages."""

    MENTORING = "mentoring"
    PARTNERSHIP = "partnership"
    INVESTMENT = "investment"
    RECRUITMENT = "recruitment"
    JOB = "job"
    EXPERTISE = "expertise"
    TRAINING = "training"
    MARKET_ACCESS = "market_access"
    RESEARCH = "research"
    TRADE = "trade"


class Direction(StrEnum):
    """Which way a topic goes."""

    OFFERS = "offers"
    SEEKS = "seeks"


class Occasion(StrEnum):
    """Why people are introduced."""

    WEEKLY = "weekly"
    # To those who have a seat at an event.
    EVENT = "event"
    # Staff began a round by hand.
    STAFF = "staff"
    # One member found another in the directory and asked.
    DIRECTORY = "directory"


class RoundStage(StrEnum):
    """How far a round has come."""

    # It is being drawn.
    DRAWING = "drawing"
    # Staff look at it; nobody has been told.
    PREVIEW = "preview"
    OPEN = "open"
    # Each of its introductions has come to an end.
    CLOSED = "closed"
    DROPPED = "dropped"


class Progress(StrEnum):
    """How far an introduction has come; `storage/introductions.py` tells its life."""

    # Part of a preview.
    DRAFT = "draft"
    # Every side was asked.
    PROPOSED = "proposed"
    # All said yes: each has the others' contact.
    AGREED = "agreed"
    # It did not work out: a refusal and silence look the same from here.
    LAPSED = "lapsed"


class Answer(StrEnum):
    """What one side said; never told to the other, unless all said yes."""

    YES = "yes"
    NOT_NOW = "not_now"
    NEVER = "never"


class MeetingProfile(Base):
    """What a member who opted in to introductions says for them. Their consent is `agreement`."""

    __tablename__ = "meeting_profile"

    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    # One line about them, in their own words.
    line: Mapped[str | None] = mapped_column(String(160))
    # How those who were introduced reach them, in their own words; empty: by this chat.
    contact: Mapped[str | None] = mapped_column(String(120))
    # In no round while this is set; by the member's own will, or after rounds of silence.
    paused_at: Mapped[datetime | None]
    # Rounds in a row without any answer; an answer makes it 0.
    silent: Mapped[int] = mapped_column(default=0, server_default="0")
    # Rounds in a row that left them out: who was left out last time goes first.
    passed_over: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class MeetingTopic(Base):
    """Something a member offers or seeks."""

    __tablename__ = "meeting_topic"
    __table_args__ = (Index("ix_meeting_topic_topic_direction", "topic", "direction"),)

    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    direction: Mapped[Direction] = mapped_column(choice(Direction), primary_key=True)
    topic: Mapped[Topic] = mapped_column(choice(Topic), primary_key=True)


class MeetingLanguage(Base):
    """A language that a member speaks with those they meet: an ISO 639 code."""

    __tablename__ = "meeting_language"

    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    code: Mapped[str] = mapped_column(String(8), primary_key=True)


class MeetingBlock(Base):
    """Whom a member never meets: a person, or everybody of an organisation. Private, and final.

    `folded` is the organisation as `storage/folding.py` compares it. Of `other_id` and
    `organisation` one is empty.
    """

    __tablename__ = "meeting_block"
    __table_args__ = (
        UniqueConstraint("member_id", "other_id"),
        UniqueConstraint("member_id", "folded"),
        Index("ix_meeting_block_other_id", "other_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    other_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    organisation: Mapped[str | None] = mapped_column(String(80))
    folded: Mapped[str | None] = mapped_column(String(80))
    at: Mapped[datetime]


class RoundSchedule(Base):
    """A round that comes by the clock, e.g. every week; `next_at` is empty while it is off."""

    __tablename__ = "round_schedule"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(32), unique=True)
    next_at: Mapped[datetime | None]
    # The clock it goes by: Monday is 0, minutes since midnight, in this zone.
    weekday: Mapped[int] = mapped_column(default=0, server_default="0")
    minute: Mapped[int] = mapped_column(default=600, server_default="600")
    zone: Mapped[str] = mapped_column(String(64))
    set_by: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))


class Round(Base):
    """One pairing of a whole pool at once. The second pass of a round is a round that follows it."""

    __tablename__ = "introduction_round"
    __table_args__ = (
        Index("ix_introduction_round_stage", "stage"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    occasion: Mapped[Occasion] = mapped_column(choice(Occasion))
    stage: Mapped[RoundStage] = mapped_column(choice(RoundStage))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"))
    # How much crossing the two shores weighs: 0 nothing, 1 a little, 2 much, 3 above all.
    crossing: Mapped[int] = mapped_column(default=2, server_default="2")
    follows_id: Mapped[int | None] = mapped_column(
        ForeignKey("introduction_round.id", ondelete="SET NULL")
    )
    made_by: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    made_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    # Until when its introductions wait for answers.
    lapses_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    # How many were in the pool.
    pool: Mapped[int] = mapped_column(default=0, server_default="0")


class Introduction(Base):
    """Two (or three) members proposed to each other; all must accept.

    `reasons` are data (`storage/affinity.py`), in which a person is the place of their side.
    """

    __tablename__ = "introduction"
    __table_args__ = (
        Index("ix_introduction_round_id", "round_id"),
        Index("ix_introduction_progress_lapses_at", "progress", "lapses_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    occasion: Mapped[Occasion] = mapped_column(choice(Occasion))
    # Empty: one member asked for it, from the directory.
    round_id: Mapped[int | None] = mapped_column(
        ForeignKey("introduction_round.id", ondelete="CASCADE")
    )
    progress: Mapped[Progress] = mapped_column(choice(Progress))
    affinity: Mapped[int]
    reasons: Mapped[list[Any]]
    # Who asked for it in the directory, and why, in their own words.
    asker_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    asked_why: Mapped[str | None] = mapped_column(String(200))
    made_at: Mapped[datetime]
    proposed_at: Mapped[datetime | None]
    lapses_at: Mapped[datetime | None]
    agreed_at: Mapped[datetime | None]
    # When it lapsed; or when one of its people was forgotten, if that was earlier or it was agreed.
    ended_at: Mapped[datetime | None]
    # When they agreed to meet.
    meets_at: Mapped[datetime | None]


class IntroductionSide(Base):
    """One person's side of an introduction: what they answered, and how the meeting was."""

    __tablename__ = "introduction_side"
    __table_args__ = (
        UniqueConstraint("introduction_id", "place"),
        Index("ix_introduction_side_member_id", "member_id"),
    )

    introduction_id: Mapped[int] = mapped_column(
        ForeignKey("introduction.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    # Which of the two or three they are, from 0.
    place: Mapped[int]
    # NOT_NOW after all had said yes: they can't meet any more.
    answer: Mapped[Answer | None] = mapped_column(choice(Answer))
    answered_at: Mapped[datetime | None]
    nudged_at: Mapped[datetime | None]
    # When they were asked whether they met, what they said, and how it was (1 to 5).
    asked_at: Mapped[datetime | None]
    met: Mapped[bool | None]
    stars: Mapped[int | None]


class MeetingTime(Base):
    """A time at which they might meet, suggested to all sides."""

    __tablename__ = "meeting_time"

    introduction_id: Mapped[int] = mapped_column(
        ForeignKey("introduction.id", ondelete="CASCADE"), primary_key=True
    )
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)


class MeetingTimeChoice(Base):
    """A suggested time that suits this side. The first that suits all is agreed."""

    __tablename__ = "meeting_time_choice"
    __table_args__ = (Index("ix_meeting_time_choice_member_id", "member_id"),)

    introduction_id: Mapped[int] = mapped_column(
        ForeignKey("introduction.id", ondelete="CASCADE"), primary_key=True
    )
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )


class LeftOut(Base):
    """Whom a round left out, and why: `lonely` (no candidate), `odd` or `again` (only repeats)."""

    __tablename__ = "left_out"
    __table_args__ = (Index("ix_left_out_member_id", "member_id"),)

    round_id: Mapped[int] = mapped_column(
        ForeignKey("introduction_round.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    why: Mapped[str] = mapped_column(String(16))
