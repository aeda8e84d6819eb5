"""Sessions, seats and ticks, straight in the database: for the tests of reminders."""

import itertools
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from storage import members, reminders
from storage.members import LEADS
from storage.tables import Event, Outbox, Rsvp, Seat, Session

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
PACE = 28.0
_slugs = itertools.count(1)


def before(start: datetime, **lead: float) -> datetime:
    return start - timedelta(**lead)


async def session(storage, starts_at: datetime = START, *, zone: str = "Africa/Casablanca") -> int:
    """A session of an hour, in an event of its own."""
    async with storage.begin() as db:
        slug = f"event-{next(_slugs)}"
        event = Event(
            slug=slug,
            title={"en": slug},
            timezone=zone,
            starts=starts_at.date(),
            ends=starts_at.date(),
        )
        db.add(event)
        await db.flush()
        one = Session(
            event_id=event.id,
            slug="only",
            kind="panel",
            title={"en": "Panel"},
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
        )
        db.add(one)
    return one.id


async def member(storage, *leads: int, quiet=None, zone=None) -> int:
    """Somebody who wants these leads, all of them if none is named, and sleeps if `quiet` says."""
    async with storage.begin() as db:
        one = await members.meet(db, "telegram", f"{next(_slugs)}", START)
        await members.set_leads(db, one, leads or LEADS)
        members.set_quiet_hours(one, quiet)
        members.set_timezone(one, zone, None)
    return one.id


async def seat(storage, session_id: int, member_id: int, since: datetime) -> None:
    async with storage.begin() as db:
        db.add(Rsvp(session_id=session_id, member_id=member_id, state=Seat.CONFIRMED, since=since))


async def moves(storage, session_id: int, starts_at: datetime) -> None:
    async with storage.begin() as db:
        found = await db.get(Session, session_id)
        found.starts_at, found.ends_at = starts_at, starts_at + timedelta(hours=1)


async def ticks(storage, *moments: datetime, pace: float = PACE) -> list[int]:
    """How many letters each tick posts."""
    posted = []
    for moment in moments:
        async with storage.begin() as db:
            posted.append(await reminders.post_due(db, moment, pace))
    return posted


async def posted(storage) -> list[tuple[int, int, datetime]]:
    """(member, lead in minutes, start of the session) of each letter, in the order of posting."""
    async with storage.read() as db:
        rows = await db.execute(select(Outbox.member_id, Outbox.about).order_by(Outbox.id))
        return [(m, a["minutes"], datetime.fromtimestamp(a["starts"], UTC)) for m, a in rows]
