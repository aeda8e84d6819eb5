"""Doors: who is expected, who is in, who is missing or late, and who walked in.

A door is a session's, or the entrance of a whole event. Whoever of the staff opened its card within
the last day stands at it, and hears of members who say that they are running late.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, String, and_, exists, func, literal, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncSession

from storage import audit, outbox, tickets
from storage.rsvps import SEATED
from storage.tables import (
    Door,
    Event,
    Fate,
    Instant,
    Lane,
    Member,
    Outbox,
    Role,
    Rsvp,
    Seat,
    Session,
    Ticket,
    WalkIn,
)
from storage.tickets import Admission

KIND = "late"
# How far around the present a door is worth opening, and how long somebody stands at one.
BEFORE, AFTER, STANDS = timedelta(hours=12), timedelta(hours=2), timedelta(days=1)

# Id, name, guests, whether they are in, whether they are late.
_People = Select[int, str | None, int, bool, bool]


@dataclass(frozen=True, slots=True)
class Place:
    """Which door: a session's, or (None) the entrance of the event."""

    event: Event
    session: Session | None


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody with a seat, as the door knows them."""

    member_id: int
    name: str
    guests: int
    inside: bool
    late: bool


@dataclass(frozen=True, slots=True)
class Count:
    """All that a door's card tells. People are counted with their guests."""

    attendees: Sequence[Attendee]
    walk_ins: int

    @property
    def expected(self) -> int:
        """How many were promised a seat."""
        return sum(1 + one.guests for one in self.attendees)

    @property
    def inside(self) -> int:
        """How many of them are in."""
        return sum(1 + one.guests for one in self.attendees if one.inside)

    @property
    def missing(self) -> Sequence[Attendee]:
        """Who is not in yet, by name."""
        return [one for one in self.attendees if not one.inside]


async def around(db: AsyncSession, now: datetime) -> Sequence[tuple[Session, Event]]:
    """The sessions that are on, have just ended or begin within hours; else the next ones."""
    query = (
        select(Session, Event)
        .join(Event, Event.id == Session.event_id)
        .where(Session.cancelled_at.is_(None))
        .order_by(Session.starts_at, Session.id)
    )
    near = query.where(Session.ends_at > now - AFTER, Session.starts_at < now + BEFORE)
    rows = (await db.execute(near)).all()
    if not rows:
        rows = (await db.execute(query.where(Session.starts_at > now).limit(8))).all()
    return [(session, event) for session, event in rows]


async def place_of(db: AsyncSession, event_id: int, session_id: int) -> Place | None:
    """The door that a button names; 0 for no session. None: it is gone."""
    if not session_id:
        event = await db.get(Event, event_id)
        return Place(event, None) if event else None
    row = await db.execute(
        select(Session, Event)
        .join(Event, Event.id == Session.event_id)
        .where(Session.id == session_id)
    )
    found = row.first()
    return Place(found[1], found[0]) if found else None


async def count(db: AsyncSession, place: Place) -> Count:
    """Who is expected, and who is in."""
    people = _at_the_entrance(place.event) if place.session is None else _at(place.session)
    attendees = [
        Attendee(member_id, name or "", guests, bool(inside), bool(late))
        for member_id, name, guests, inside, late in await db.execute(people)
    ]
    walk_ins = await db.scalar(select(func.count()).where(_walked_in_here(place)))
    return Count(sorted(attendees, key=lambda one: one.name.casefold()), walk_ins or 0)


async def stand(
    db: AsyncSession, staff: Member, place: Place, now: datetime, names: Collection[int] = ()
) -> None:
    """Remember who opened this door's card: they hear of late arrivals.

    `names` are the members whose names it shows.
    """
    session_id = place.session.id if place.session else None
    here = (
        Door.session_id == session_id
        if session_id is not None
        else and_(Door.session_id.is_(None), Door.event_id == place.event.id)
    )
    door = await db.scalar(select(Door).where(Door.member_id == staff.id, here).limit(1))
    if door is None:
        door = Door(member_id=staff.id, event_id=place.event.id, session_id=session_id)
        db.add(door)
    door.opened_at = now
    await audit.record(db, staff, "door.opened", now, about=_about(place), touched=names)


async def check_in(
    db: AsyncSession, place: Place, member_id: int, staff: Member, now: datetime
) -> Admission | None:
    """Check in by name. None: this person has no seat here any more."""
    member = await db.get(Member, member_id)
    if member is None:
        return None
    ticket = (
        await tickets.of_session(db, member, place.session.id)
        if place.session is not None
        else await tickets.of_entrance(db, member, place.event.id)
    )
    return await tickets.check_in(db, ticket.id, staff, now) if ticket else None


async def walk_in(db: AsyncSession, place: Place, staff: Member, now: datetime) -> None:
    """One more came in without a seat."""
    session_id = place.session.id if place.session else None
    db.add(WalkIn(event_id=place.event.id, session_id=session_id, at=now, by=staff.id))
    await audit.record(db, staff, "door.walked_in", now, about=_about(place), people=1)


async def undo_walk_in(db: AsyncSession, place: Place, staff: Member, now: datetime) -> bool:
    """Take back the last nameless walk-in that this person counted here. False: there is none."""
    last = await db.scalar(
        select(WalkIn)
        .where(_walked_in_here(place), WalkIn.by == staff.id, WalkIn.member_id.is_(None))
        .order_by(WalkIn.id.desc())
        .limit(1)
    )
    if last is None:
        return False
    await db.delete(last)
    await audit.record(db, staff, "door.walk_in_undone", now, about=_about(place), people=1)
    return True


def _about(place: Place) -> dict[str, int]:
    about = {"event": place.event.id}
    return about if place.session is None else about | {"session": place.session.id}


async def tell_late(db: AsyncSession, session_id: int, member: Member, now: datetime) -> None:
    """Let whoever stands at this session's door, or at its event's, hear who is late. Once each."""
    here = or_(Door.session_id == session_id, Door.session_id.is_(None))
    watching = exists().where(
        Door.member_id == Member.id,
        Door.event_id == Session.event_id,
        here,
        Door.opened_at > now - STANDS,
    )
    readers = (
        select(
            (literal(f"{KIND}:{session_id}:{member.id}:") + sql_cast(Member.id, String)).label(
                "key"
            ),
            Member.id.label("member_id"),
            literal(KIND).label("kind"),
            literal({"session": session_id, "member": member.id}, Outbox.about.type).label("about"),
            literal(Lane.PERSONAL).label("lane"),
            literal(now, Instant()).label("due"),
            Session.ends_at.label("expires"),
            literal(Fate.QUEUED, Outbox.state.type).label("state"),
            literal(0).label("attempts"),
            literal(0).label("doubts"),
        )
        .join(Session, Session.id == session_id)
        .where(Member.role.in_((Role.STAFF, Role.ADMIN)), Member.id != member.id, watching)
    )
    columns = [column.name for column in readers.selected_columns]
    await db.execute(outbox.insert_once(db).from_select(columns, readers))


async def still_late(
    db: AsyncSession, asked: Collection[tuple[int, int]]
) -> dict[tuple[int, int], tuple[Member, Session, Event]]:
    """Of (session, member): those who said that they are late, and aren't in yet."""
    rows = await db.execute(
        select(Member, Session, Event)
        .join(Rsvp, Rsvp.member_id == Member.id)
        .join(Session, Session.id == Rsvp.session_id)
        .join(Event, Event.id == Session.event_id)
        .where(
            Session.id.in_({session_id for session_id, _ in asked}),
            Member.id.in_({member_id for _, member_id in asked}),
            Rsvp.state == Seat.CONFIRMED,
            Rsvp.late_at.is_not(None),
            Session.cancelled_at.is_(None),
        )
    )
    return {(session.id, member.id): (member, session, event) for member, session, event in rows}


def _at(session: Session) -> _People:
    return (
        select(
            Member.id,
            Member.name,
            Rsvp.guests,
            Rsvp.state == Seat.CHECKED_IN,
            Rsvp.late_at.is_not(None),
        )
        .join(Rsvp, Rsvp.member_id == Member.id)
        .where(Rsvp.session_id == session.id, Rsvp.state.in_(SEATED))
    )


def _at_the_entrance(event: Event) -> _People:
    # Whoever has any seat is expected once, with the most guests that they bring anywhere.
    entered = exists().where(
        Ticket.member_id == Member.id,
        Ticket.event_id == event.id,
        Ticket.session_id.is_(None),
        Ticket.used_at.is_not(None),
    )
    return (
        select(Member.id, Member.name, func.max(Rsvp.guests), entered, literal(value=False))
        .join(Rsvp, Rsvp.member_id == Member.id)
        .join(Session, Session.id == Rsvp.session_id)
        .where(
            Session.event_id == event.id,
            Session.cancelled_at.is_(None),
            Rsvp.state.in_(SEATED),
        )
        .group_by(Member.id, Member.name)
    )


def _walked_in_here(place: Place) -> ColumnElement[bool]:
    if place.session is not None:
        return WalkIn.session_id == place.session.id
    return and_(WalkIn.event_id == place.event.id, WalkIn.session_id.is_(None))
