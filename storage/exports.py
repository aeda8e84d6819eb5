"""Exports: the rows that calendars and lists of attendees are made of, and the asking for them.

A file takes time to make and can't be part of an answer, so it is asked for through the outbox, and
made from what is true when it is sent.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import audit, outbox
from storage.tables import Event, Lane, Member, Rsvp, Seat, Session

# A member's own calendar, and what staff export of an event.
CALENDAR, EXPORT = "calendar", "export"
# Whoever asked for a file has given it up by then.
_WORTH_SENDING = timedelta(hours=12)


class ListPurpose(StrEnum):
    """What a list of attendees is for."""

    ENTRANCE = "entrance"
    FOLLOW_UP = "follow-up"
    REPORT = "report"


class Format(StrEnum):
    """What an event is exported as."""

    FRAB = "frab"
    ICS = "ics"
    CSV = "csv"
    XLSX = "xlsx"


# Those that name people: why is asked, and written down.
LISTS = (Format.CSV, Format.XLSX)


async def sessions_of(db: AsyncSession, event: Event) -> Sequence[Session]:
    """The sessions of the event that take place, in the order of the programme."""
    rows = await db.scalars(
        select(Session)
        .where(Session.event_id == event.id, Session.cancelled_at.is_(None))
        .order_by(Session.starts_at, Session.id)
    )
    return rows.all()


async def attendees(db: AsyncSession, event: Event) -> Sequence[tuple[Session, Rsvp, Member]]:
    """Who has a seat or a place in line, by session; within it, seats before the line."""
    rows = await db.execute(
        select(Session, Rsvp, Member)
        .join(Rsvp, Rsvp.session_id == Session.id)
        .join(Member, Member.id == Rsvp.member_id)
        .where(
            Session.event_id == event.id,
            Session.cancelled_at.is_(None),
            Rsvp.state != Seat.CANCELLED,
        )
        .order_by(Session.starts_at, Session.id, Rsvp.state == Seat.WAITLISTED, Rsvp.since, Rsvp.id)
    )
    return [(session, rsvp, member) for session, rsvp, member in rows]


async def recorded(  # noqa: PLR0917  # who, what, why and whom it names
    db: AsyncSession,
    staff: Member | None,
    event: Event,
    format_: Format,
    purpose: str | None,
    now: datetime,
) -> None:
    """Write down that an export was made, and of a list whom it names. None: the operator made it."""
    about: dict[str, Any] = {"event": event.id, "format": format_.value}
    if format_ not in LISTS:
        await audit.record(db, staff, "programme.exported", now, about=about)
        return
    about["purpose"] = purpose
    named = {member.id for _, _, member in await attendees(db, event)}
    await audit.record(db, staff, "attendees.exported", now, about=about, touched=named)


async def ask_calendar(db: AsyncSession, member: Member, now: datetime) -> None:
    """Let the member's own calendar be sent. Taps in the same second ask for one file."""
    await db.execute(_asked(db, CALENDAR, member, now))


async def ask(  # noqa: PLR0917  # what, to whom and why
    db: AsyncSession,
    member: Member,
    event: Event,
    format_: Format,
    now: datetime,
    purpose: ListPurpose | None = None,
) -> None:
    """Let an export of this event be sent to one of the staff.

    Raises ValueError for a list of people without a purpose.
    """
    if format_ in LISTS and purpose is None:
        raise ValueError("a list of people has a purpose")
    about = {"event": event.id, "format": format_.value}
    if purpose is not None:
        about["purpose"] = purpose.value
    await db.execute(_asked(db, EXPORT, member, now, about))


def _asked(
    db: AsyncSession,
    kind: str,
    member: Member,
    now: datetime,
    about: Mapping[str, Any] | None = None,
) -> Insert:
    about = about or {}
    what = "".join(f"{value}:" for value in about.values())
    return outbox.insert_once(db).values(
        key=f"{kind}:{member.id}:{what}{int(now.timestamp())}",
        member_id=member.id,
        kind=kind,
        about=dict(about),
        lane=Lane.PERSONAL,
        due=now,
        expires=now + _WORTH_SENDING,
    )
