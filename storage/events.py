"""Events and their sessions, as they are shown: the day, the card, the seats that are free."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import room
from storage.room import HOLDING, SEATED
from storage.rsvps import Outcome, earlier_than
from storage.tables import Event, Member, Rsvp, Seat, Session, SessionTheme, Theme, Trilingual

# Where a transaction notes the themes that it has read: those who share it look at the same cards.
_THEMES_READ = "themes"


@dataclass(frozen=True, slots=True)
class Item:
    """A session as one member sees it. `free` is None where seats aren't counted."""

    session: Session
    event: Event
    free: int | None
    in_line: int
    mine: Rsvp | None
    # How many people more have seats than there are, after staff shrank the session.
    over: int = 0

    @property
    def held(self) -> bool:
        """The member has a seat here."""
        return self.mine is not None and self.mine.state in SEATED

    @property
    def offered_until(self) -> datetime | None:
        """Until when a seat is offered to the member here, if one is."""
        offered = self.mine is not None and self.mine.state == Seat.OFFERED
        return self.mine.offered_until if offered and self.mine else None

    @property
    def waiting(self) -> bool:
        """The member stands in line here."""
        return self.mine is not None and self.mine.state == Seat.WAITLISTED


async def upcoming(db: AsyncSession, now: datetime) -> Sequence[Event]:
    """The events that aren't over, soonest first. A day's grace covers every zone."""
    yesterday = (now - timedelta(days=1)).date()
    rows = await db.scalars(
        select(Event).where(Event.ends >= yesterday).order_by(Event.starts, Event.id)
    )
    return [
        event for event in rows if event.ends >= now.astimezone(ZoneInfo(event.timezone)).date()
    ]


async def by_slug(db: AsyncSession, slug: str) -> Event | None:
    """The event with this short name: the one that a deep link carries."""
    return await db.scalar(select(Event).where(Event.slug == slug))


async def by_id(db: AsyncSession, event_id: int) -> Event | None:
    """The event, or None if it is gone."""
    return await db.get(Event, event_id)


async def days_of(db: AsyncSession, event: Event) -> list[date]:
    """The days, in the event's zone, on which something is planned."""
    zone = ZoneInfo(event.timezone)
    starts = await db.scalars(
        select(Session.starts_at).where(
            Session.event_id == event.id, Session.cancelled_at.is_(None)
        )
    )
    return sorted({instant.astimezone(zone).date() for instant in starts})


async def items_of_day(db: AsyncSession, event: Event, day: date, member: Member) -> list[Item]:
    """The sessions of one day in the event's zone, in the order of the programme."""
    zone = ZoneInfo(event.timezone)
    begins = datetime(day.year, day.month, day.day, tzinfo=zone)
    ends = begins + timedelta(days=1)
    query = _items().where(
        Session.event_id == event.id,
        Session.starts_at >= begins,
        Session.starts_at < ends,
        Session.cancelled_at.is_(None),
    )
    return await _read(db, query, member)


async def item(db: AsyncSession, session_id: int, member: Member) -> Item | None:
    """One session, also a cancelled one: an old card is answered with what is true."""
    found = await _read(db, _one_item(), member, session=session_id)
    return found[0] if found else None


async def after(db: AsyncSession, outcome: Outcome, member: Member) -> Item | None:
    """The session as the member sees it once their wish was answered, counted anew only if need be."""
    stands = outcome.standing
    if stands is None:
        return await item(db, outcome.session.id, member)
    row = (outcome.session, outcome.event, stands.taken, stands.spoken_for, stands.in_line)
    [seen] = await _seen(db, [(*row, stands.rsvp)], member)
    return seen


async def items(db: AsyncSession, session_ids: Sequence[int], member: Member) -> list[Item]:
    """These sessions, in this order; one that is gone is left out."""
    if not session_ids:
        return []
    found = await _read(db, _items().where(Session.id.in_(session_ids)), member)
    return sorted(found, key=lambda item: session_ids.index(item.session.id))


async def themes_of(db: AsyncSession, session: Session) -> Sequence[Trilingual]:
    """The names of what a session is about; asked once in a transaction, unless they change."""
    known: dict[int, Sequence[Trilingual]] = db.info.setdefault(_THEMES_READ, {})
    if session.id not in known:
        known[session.id] = (await db.scalars(_themes(), {"session": session.id})).all()
    return known[session.id]


def themes_changed(db: AsyncSession) -> None:
    """Forget what was read of sessions' themes in this transaction."""
    db.info.pop(_THEMES_READ, None)


async def place_in_line(db: AsyncSession, rsvp: Rsvp) -> int:
    """1 for the head of the waitlist."""
    ahead = (
        select(func.count())
        .select_from(Rsvp)
        .where(
            Rsvp.session_id == rsvp.session_id, Rsvp.state == Seat.WAITLISTED, earlier_than(rsvp)
        )
    )
    return (await db.scalar(ahead) or 0) + 1


# Building these statements costs as much as running them: each is built once.


@cache
def _items() -> Select[Session, Event, int, int, int, Rsvp]:
    def of(number: ColumnElement[int], *states: Seat) -> ScalarSelect[int]:
        return (
            select(func.coalesce(number, 0))
            .where(Rsvp.session_id == Session.id, Rsvp.state.in_(states))
            .correlate(Session)
            .scalar_subquery()
        )

    seats = func.sum(1 + Rsvp.guests)
    mine = and_(Rsvp.session_id == Session.id, Rsvp.member_id == bindparam("member"))
    return (
        select(
            Session,
            Event,
            of(seats, *HOLDING),
            of(seats, *HOLDING, Seat.WAITLISTED),
            of(func.count(), Seat.WAITLISTED),
            Rsvp,
        )
        .join(Event, Event.id == Session.event_id)
        .outerjoin(Rsvp, mine)
        .order_by(Session.starts_at, Session.id)
    )


@cache
def _one_item() -> Select[Session, Event, int, int, int, Rsvp]:
    return _items().where(Session.id == bindparam("session"))


@cache
def _themes() -> Select[Trilingual]:
    return (
        select(Theme.name)
        .join(SessionTheme, SessionTheme.theme_id == Theme.id)
        .where(SessionTheme.session_id == bindparam("session"))
        .order_by(Theme.id)
    )


async def _read(
    db: AsyncSession,
    query: Select[Session, Event, int, int, int, Rsvp],
    member: Member,
    **given: int,
) -> list[Item]:
    rows = (await db.execute(query, {"member": member.id} | given)).all()
    return await _seen(db, rows, member)


async def _seen(
    db: AsyncSession,
    rows: Sequence[tuple[Session, Event, int, int, int, Rsvp | None]],
    member: Member,
) -> list[Item]:
    items = []
    counted = {event.id for _, event, *_ in rows if event.capacity is not None}
    people = await room.people(db, counted, member.id) if counted else {}
    for session, event, taken, spoken_for, in_line, mine in rows:
        capacity = room.capacity_of(session, event)
        # A seat freed while others stand in line is theirs, not free.
        free = None if capacity is None else max(0, capacity - spoken_for)
        if free and event.capacity is not None and not people[event.id].mine:
            free = min(free, max(0, event.capacity - people[event.id].all))
        over = 0 if capacity is None else max(0, taken - capacity)
        items.append(Item(session, event, free, in_line, mine, over))
    return items
