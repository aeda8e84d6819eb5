"""New events: whom one suits is told of it once, if they asked for that.

An event suits a member who shares one of its themes, or has named none, or it has none; and who lives
in its city, under any of its names, unless something of it is held online, which suits everybody.
Staff begin it by a tap; an event is told of once, for good.
"""

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    String,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncSession

from storage import cities, outbox, purposes, quiet
from storage.quiet import Rhythm
from storage.tables import (
    Event,
    Fate,
    Instant,
    Lane,
    Member,
    MemberTheme,
    Outbox,
    Purpose,
    Session,
    SessionTheme,
)

KIND = "new_event"
# News of an event is worth sending late for so long, and never after it began.
STALE = timedelta(days=7)


def _suits(event: Event) -> ColumnElement[bool]:
    """The condition, of a query over members."""
    of_event = (Session.event_id == event.id, Session.cancelled_at.is_(None))
    about = (
        select(SessionTheme.theme_id)
        .join(Session, Session.id == SessionTheme.session_id)
        .where(*of_event)
    )
    mine = exists().where(MemberTheme.member_id == Member.id).correlate(Member)
    shared = (
        exists()
        .where(MemberTheme.member_id == Member.id, MemberTheme.theme_id.in_(about))
        .correlate(Member)
    )
    online = exists().where(*of_event, Session.online)
    here = Member.city_folded.in_(cities.names_of(event.city or ""))
    return and_(
        Member.registered_at.is_not(None),
        purposes.agrees(Purpose.NEW_EVENTS),
        or_(shared, ~mine, ~about.exists()),
        or_(here, online),
    )


async def count(db: AsyncSession, event: Event) -> int:
    """How many would be told of it now."""
    return await db.scalar(select(func.count()).select_from(Member).where(_suits(event))) or 0


async def tell(db: AsyncSession, event: Event, now: datetime) -> int | None:
    """Tell those whom the event suits, at once or when their quiet hours are over.

    Returns how many letters were posted; None: it was told of before, or has begun.
    """
    claimed = await db.execute(
        update(Event)
        .where(Event.id == event.id, Event.told_at.is_(None), Event.starts > now.date())
        .values(told_at=now)
        .returning(Event.id)
    )
    if claimed.first() is None:
        return None
    later = {
        written: literal(morning, Instant())
        for written in await quiet.rhythms(db)
        if (morning := Rhythm.read(written).awake(now, event.timezone)) > now
    }
    at_once = literal(now, Instant())
    due = case(later, value=Member.rhythm, else_=at_once) if later else at_once
    readers = _letters(event, now, due)
    columns = [column.name for column in readers.selected_columns]
    insert = outbox.insert_once(db).from_select(columns, readers)
    return cast("CursorResult[Any]", await db.execute(insert)).rowcount


def _letters(event: Event, now: datetime, due: ColumnElement[Any]) -> Select[Any]:
    return select(
        (literal(f"{KIND}:{event.id}:") + sql_cast(Member.id, String)).label("key"),
        Member.id.label("member_id"),
        literal(KIND).label("kind"),
        literal({"event": event.id}, Outbox.about.type).label("about"),
        literal(Lane.BULK).label("lane"),
        due.label("due"),
        literal(now + STALE, Instant()).label("expires"),
        literal(Fate.QUEUED, Outbox.state.type).label("state"),
        literal(0).label("attempts"),
        literal(0).label("doubts"),
    ).where(_suits(event))
