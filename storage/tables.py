"""Every table, on one page. The words are those of the glossary in README.md.

Instants are UTC in every column and come back aware. Words in three languages are a JSON object
`{"fr": ..., "ar": ..., "en": ...}`. Rules about the rows live in the module of their noun.
"""

from datetime import UTC, date, datetime
from enum import IntEnum, StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

Trilingual = dict[str, str]


class Instant(TypeDecorator[datetime]):
    """A moment, in UTC. A datetime without a zone is refused: it would be a guess."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store in UTC. Raises ValueError for a datetime that has no zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC datetime: SQLite keeps none, PostgreSQL answers in its own."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The parent of every table."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Instant,
        date: Date,
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
        Trilingual: JSON(none_as_null=True),
    }


def _choice(kind: type[StrEnum]) -> Enum:
    """A column of words, checked by Python and readable by a person with psql."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


# --- people ---------------------------------------------------------------------------------


class Side(StrEnum):
    """On which shore a member lives."""

    DIASPORA = "diaspora"
    MOROCCO = "morocco"


class Role(StrEnum):
    """What a member may do."""

    MEMBER = "member"
    STAFF = "staff"
    ADMIN = "admin"


class Member(Base):
    """A person. The row is made at their first word; `registered_at` says they finished."""

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    language: Mapped[str | None] = mapped_column(String(8))
    name: Mapped[str | None] = mapped_column(String(80))
    country: Mapped[str | None] = mapped_column(String(2))
    city: Mapped[str | None] = mapped_column(String(80))
    profession: Mapped[str | None] = mapped_column(String(80))
    organisation: Mapped[str | None] = mapped_column(String(80))
    side: Mapped[Side | None] = mapped_column(_choice(Side))
    role: Mapped[Role] = mapped_column(_choice(Role), default=Role.MEMBER)
    created_at: Mapped[datetime]
    registered_at: Mapped[datetime | None]
    # Where the member's day is: an IANA zone they chose; empty while it is guessed from the city.
    timezone: Mapped[str | None] = mapped_column(String(64))
    # Between which minutes of their day nothing is to ring that can come earlier; empty: none.
    quiet_from: Mapped[int | None] = mapped_column(default=22 * 60, server_default="1320")
    quiet_until: Mapped[int | None] = mapped_column(default=8 * 60, server_default="480")
    # The zone and the quiet hours in one, as `storage/quiet.py` writes them.
    rhythm: Mapped[str] = mapped_column(
        String(80), default="|1320|480", server_default="|1320|480", index=True
    )
    # The member chose their leads: an event's own leads are for those who never did.
    own_leads: Mapped[bool] = mapped_column(default=False, server_default=false())


class Address(Base):
    """Where a member can be reached: one row for each channel they use."""

    __tablename__ = "address"
    __table_args__ = (UniqueConstraint("channel", "address"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(64))
    # Since when nothing can be delivered here (blocked, deactivated); empty while it works.
    unreachable_at: Mapped[datetime | None]


class Consent(Base):
    """What a member agreed to or withdrew: appended to, never changed."""

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(32))
    given: Mapped[bool]
    version: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(8))
    channel: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]


class MemberLead(Base):
    """How long before a session a member wants a reminder. No rows: none."""

    __tablename__ = "member_lead"

    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    minutes: Mapped[int] = mapped_column(primary_key=True)


class MemberTheme(Base):
    """A theme that interests a member."""

    __tablename__ = "member_theme"

    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    theme_id: Mapped[int] = mapped_column(
        ForeignKey("theme.id", ondelete="CASCADE"), primary_key=True
    )


class Invitation(Base):
    """A one-time link that gives a role. Only a hash of its code is kept."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[Role] = mapped_column(_choice(Role))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))


# --- agenda ---------------------------------------------------------------------------------


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
    # What staff choose for this event. A programme file knows nothing of it, and leaves it alone.
    # How many guests a member may bring: 0, 1 or 2.
    guests: Mapped[int] = mapped_column(default=0, server_default="0")
    # A freed seat goes to the head of the line at once, instead of being offered.
    promotes: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The leads, in minutes (of `members.LEADS`), of members who never chose their own.
    leads: Mapped[list[Any] | None]


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
        Index("ix_rsvp_session_id_state", "session_id", "state"),
        Index("ix_rsvp_member_id", "member_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    state: Mapped[Seat] = mapped_column(_choice(Seat))
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


class Wave(Base):
    """The reminders of one session at one lead. A session that moves makes new waves.

    `due` is when they are promised; a large wave begins earlier, and is `complete` after that.
    """

    __tablename__ = "wave"

    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True
    )
    minutes: Mapped[int] = mapped_column(primary_key=True)
    due: Mapped[datetime] = mapped_column(primary_key=True)
    complete: Mapped[bool]


class PlanChange(Base):
    """A session is to be held otherwise than its people were told. `told_at` is empty until then.

    `before` and `after` are plans as `storage/plans.py` writes them: as last told, and as told now.
    """

    __tablename__ = "plan_change"
    __table_args__ = (
        Index("ix_plan_change_session_id", "session_id"),
        Index("ix_plan_change_told_at", "told_at", "due"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any] | None]
    began_at: Mapped[datetime]
    edited_at: Mapped[datetime]
    # When it is told, unless the session is edited again.
    due: Mapped[datetime]
    told_at: Mapped[datetime | None]


class Edit(Base):
    """What a member of the team changed by hand, so that they can take it back.

    `before` and `after` hold the fields concerned; no `before`: it was created, no `after`: deleted.
    The ids are no foreign keys: they outlive what was deleted.
    """

    __tablename__ = "edit"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    event_id: Mapped[int]
    session_id: Mapped[int | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class Upload(Base):
    """An agenda file that somebody of the team sent; `storage/uploads.py` tells its life."""

    __tablename__ = "upload"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    # What the messenger calls it.
    file: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]
    read_at: Mapped[datetime | None] = mapped_column(index=True)
    # The agenda that was read, and the remarks about it; or else what is wrong with the file.
    agenda: Mapped[dict[str, Any] | None]
    remarks: Mapped[list[Any] | None]
    problems: Mapped[list[Any] | None]
    # The mark of the changes that its sender was shown.
    shown: Mapped[str | None] = mapped_column(String(64))
    settled_at: Mapped[datetime | None]


# --- conversation ---------------------------------------------------------------------------


class Update(Base):
    """An update that was taken, and what was answered: the same update gets the same answer."""

    __tablename__ = "update"
    __table_args__ = (Index("ix_update_at", "at"),)

    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    answer: Mapped[list[Any]]
    # The update failed every time it was tried; `answer` is the apology.
    parked: Mapped[bool] = mapped_column(default=False)


class Conversation(Base):
    """Where a chat stands: the state of its wizard and the answers given so far."""

    __tablename__ = "conversation"

    key: Mapped[str] = mapped_column(String(96), primary_key=True)
    state: Mapped[str | None] = mapped_column(String(96))
    data: Mapped[dict[str, Any]]


# --- delivery -------------------------------------------------------------------------------


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
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    about: Mapped[dict[str, Any]]
    lane: Mapped[int]
    due: Mapped[datetime]
    expires: Mapped[datetime | None]
    state: Mapped[Fate] = mapped_column(_choice(Fate), default=Fate.QUEUED)
    reason: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    # How often an answer was lost after the request began: each is a possible duplicate.
    doubts: Mapped[int] = mapped_column(default=0)
    # The engine that started the request, so that its successor knows what was in its hands.
    engine: Mapped[str | None] = mapped_column(String(36))
    channel: Mapped[str | None] = mapped_column(String(16))
    address: Mapped[str | None] = mapped_column(String(64))
    provider_id: Mapped[str | None] = mapped_column(String(64))
    sent_text: Mapped[str | None] = mapped_column(Text)
    settled_at: Mapped[datetime | None]


class Lease(Base):
    """Who may act alone: one row for each office, e.g. the engine of a bot."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(36))
    until: Mapped[datetime]
