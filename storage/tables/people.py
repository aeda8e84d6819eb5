"""People: members, where they are reached, what they chose and agreed to."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Trilingual, choice


class Side(StrEnum):
    """On which shore a member lives."""

    DIASPORA = "diaspora"
    MOROCCO = "morocco"


class Role(StrEnum):
    """What a member may do."""

    MEMBER = "member"
    STAFF = "staff"
    ADMIN = "admin"


class Purpose(StrEnum):
    """What a member may agree to: each by itself, and each may be withdrawn."""

    # Registration, seats, and what must be said about a seat one holds.
    EVENTS = "events"
    REMINDERS = "reminders"
    ANNOUNCEMENTS = "announcements"
    NEW_EVENTS = "new_events"
    INTRODUCTIONS = "introductions"
    DIRECTORY = "directory"
    DIGESTS = "digests"


class Post(Base):
    """Where staff work, e.g. the consulate in Lyon; its area is whom they reach by default.

    `cities` are folded (`storage/folding.py`). No cities: the whole country; no country: everybody.
    """

    __tablename__ = "post"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[Trilingual]
    country: Mapped[str | None] = mapped_column(String(2))
    cities: Mapped[list[Any] | None]


class Member(Base):
    """A person. The row is made at their first word; `registered_at` says they finished."""

    __tablename__ = "member"
    id: Mapped[int] = mapped_column(primary_key=True)
    language: Mapped[str | None] = mapped_column(String(8))
    name: Mapped[str | None] = mapped_column(String(80))
    country: Mapped[str | None] = mapped_column(String(2))
    city: Mapped[str | None] = mapped_column(String(80))
    # The city, folded, so that it is found however it is written; kept by `members.register`.
    city_folded: Mapped[str | None] = mapped_column(String(80), index=True)
    profession: Mapped[str | None] = mapped_column(String(80))
    organisation: Mapped[str | None] = mapped_column(String(80))
    side: Mapped[Side | None] = mapped_column(choice(Side))
    role: Mapped[Role] = mapped_column(choice(Role), default=Role.MEMBER)
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
    # Where a member of the team works, and whether they reach more than their post's area.
    # (No foreign key: SQLite can't add one to an old table without making it anew.)
    post_id: Mapped[int | None] = mapped_column(index=True)
    everywhere: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Since when they are of the team; empty for everybody else, and where nobody knows.
    team_since: Mapped[datetime | None]
    # When they last wrote or tapped, to the day, and when they were asked if they are still there.
    seen_at: Mapped[datetime | None] = mapped_column(index=True)
    asked_at: Mapped[datetime | None]
    # The version of the privacy notice that the member was last asked about.
    notice: Mapped[str | None] = mapped_column(String(16))


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
    # Since when it is this member's; empty: as long as there is the member.
    since: Mapped[datetime | None]


class LinkCode(Base):
    """A code by which another account becomes this member's; only its hash is kept."""

    __tablename__ = "link_code"

    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]


class Consent(Base):
    """What a member agreed to or withdrew: appended to, and the database refuses any change.

    (Deleted with the member, when they are forgotten.)
    """

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(32))
    given: Mapped[bool]
    version: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(8))
    channel: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]


class Agreement(Base):
    """What a member agrees to now: the sum of their `consent` rows, kept for quick checks."""

    __tablename__ = "agreement"

    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose), primary_key=True)
    # The version of the notice that they read.
    version: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime]


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
    role: Mapped[Role] = mapped_column(choice(Role))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    # Who of the team made it; empty: the command line.
    made_by: Mapped[int | None]
    made_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    post_id: Mapped[int | None]
