"""Halls: a small event that many people want to be in, and what must be true of it at any commit.

One vocabulary for the state machine, for clients side by side and for the soak: `act` does one
thing, each in its own transaction, and `faults` looks for what must never be.
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from storage import events, room, rsvps, waitlist
from storage.database import Storage
from storage.tables import Event, Member, Outbox, Role, Rsvp, Seat, Session

OPENING = datetime(2026, 1, 5, 8, tzinfo=UTC)
# Far enough for a soak whose clock runs fast.
DAY = OPENING + timedelta(days=3650)
VERBS = ("take", "swap", "give", "guests", "tend", "resize", "arrive")
# A soak is mostly people, now and then staff.
_WEIGHTS = (40, 8, 20, 12, 14, 3, 3)
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Halls:
    """The ids of the event, of its sessions (the first two at the same time) and of its people."""

    event: int
    sessions: Sequence[int]
    people: Sequence[int]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody does; what it needs of the numbers depends on the verb."""

    verb: str
    who: int = 0
    where: int = 0
    number: int = 0


async def build(
    storage: Storage,
    *,
    people: int,
    capacities: Sequence[int | None],
    event_capacity: int | None,
    promotes: bool = False,
) -> Halls:
    """An event with these sessions, and so many people who want seats in them."""
    async with storage.begin() as db:
        now, slug = OPENING, f"halls-{next(_numbers)}-{random.randrange(10**9)}"  # noqa: S311 - a name
        known = {"role": Role.MEMBER, "created_at": now, "registered_at": now, "language": "en"}
        ids = (await db.scalars(insert(Member).returning(Member.id), [known] * people)).all()
        event = Event(
            slug=slug,
            title={"en": slug},
            timezone="Africa/Casablanca",
            starts=DAY.date(),
            ends=DAY.date(),
            capacity=event_capacity,
            guests=rsvps.GUESTS,
            promotes=promotes,
        )
        db.add(event)
        await db.flush()
        sessions = [
            Session(
                event_id=event.id,
                slug=f"s{number}",
                kind="panel",
                title={"en": f"{number}"},
                starts_at=DAY + timedelta(hours=max(0, number - 1)),
                ends_at=DAY + timedelta(hours=max(0, number - 1) + 1),
                capacity=capacity,
                # How many people may sit here because staff took their chairs away: see `_resize`.
                room={"en": "0"},
            )
            for number, capacity in enumerate(capacities)
        ]
        db.add_all(sessions)
        await db.flush()
        return Halls(event.id, [one.id for one in sessions], sorted(ids))


def wished(halls: Halls, chance: random.Random) -> Act:
    """Anything that anybody may do."""
    return Act(
        chance.choices(VERBS, _WEIGHTS)[0],
        chance.randrange(len(halls.people)),
        chance.randrange(len(halls.sessions)),
        chance.randrange(12),
    )


async def act(db: AsyncSession, halls: Halls, wish: Act, now: datetime) -> None:
    """Do it by the rules, in the caller's transaction, and look at what the member is shown."""
    outcome = await answered(db, halls, wish, now)
    if wish.verb in {"take", "swap"}:
        assert outcome is not None
        # What the member is shown at once is what anybody counts afterwards.
        member, session = halls.people[wish.who], halls.sessions[wish.where]
        somebody = await db.get_one(Member, member)
        seen = await events.after(db, outcome, somebody)
        assert seen == await events.item(db, session, somebody), wish


async def answered(
    db: AsyncSession, halls: Halls, wish: Act, now: datetime
) -> rsvps.Outcome | None:
    """Do it by the rules, in the caller's transaction; what the member was answered, if it is one's."""
    session = halls.sessions[wish.where]
    if wish.verb == "tend":
        await waitlist.tend(db, now)
        return None
    if wish.verb == "resize":
        await _resize(db, session, wish.number)
        return None
    member = await db.get_one(Member, halls.people[wish.who])
    if wish.verb == "arrive":
        await _arrive(db, member, session, now)
        return None
    if wish.verb == "give":
        return await rsvps.give_up(db, member, session, now)
    if wish.verb == "guests":
        number = wish.number % (rsvps.GUESTS + 1)
        return await rsvps.set_guests(db, member, session, number, now)
    return await rsvps.request_seat(db, member, session, now, swap=wish.verb == "swap")


async def _resize(db: AsyncSession, session_id: int, capacity: int) -> None:
    # As many as sit there at that moment may stay, and the row remembers how many those were: at
    # any later commit, after any kill, no more than these or the capacity have seats.
    tally = await room.resize(db, session_id, capacity)
    assert tally is not None
    (await db.get_one(Session, session_id)).room = {"en": f"{tally.taken}"}


async def _arrive(db: AsyncSession, member: Member, session_id: int, now: datetime) -> None:
    await rsvps.lock(db, session_id)
    seat = await db.scalar(
        select(Rsvp)
        .where(
            Rsvp.session_id == session_id,
            Rsvp.member_id == member.id,
            Rsvp.state == Seat.CONFIRMED,
        )
        .execution_options(populate_existing=True)
    )
    if seat is not None:
        seat.state, seat.since = Seat.CHECKED_IN, now


async def faults(db: AsyncSession, halls: Halls) -> list[str]:
    """What must never be, each found by one statement: it sees one commit, whatever goes on."""
    taken = func.coalesce(func.sum(1 + Rsvp.guests), 0)
    sat = await db.execute(
        select(Session.id, Session.capacity, Event.capacity, Session.room, taken)
        .join(Event, Event.id == Session.event_id)
        .join(Rsvp, Rsvp.session_id == Session.id)
        .where(Session.event_id == halls.event, Rsvp.state.in_(room.HOLDING))
        .group_by(Session.id, Event.id)
    )
    found = []
    for session_id, own, whole, stayed, people in sat:
        capacity = own if own is not None else whole
        remained = int((stayed or {})["en"])
        if capacity is not None and people > max(capacity, remained):
            found.append(f"{people} sit in session {session_id} of {capacity}, {remained} stayed")
    parties = (
        select(func.max(1 + Rsvp.guests).label("party"))
        .join(Session, Session.id == Rsvp.session_id)
        .where(Session.event_id == halls.event, Rsvp.state.in_(room.HOLDING))
        .group_by(Rsvp.member_id)
        .subquery()
    )
    inside, places = (
        await db.execute(
            select(
                select(func.coalesce(func.sum(parties.c.party), 0)).scalar_subquery(),
                Event.capacity,
            ).where(Event.id == halls.event)
        )
    ).one()
    if places is not None and inside > places:
        found.append(f"{inside} people are in an event for {places}")
    odd = await db.scalar(
        select(func.count())
        .select_from(Rsvp)
        .join(Session, Session.id == Rsvp.session_id)
        .where(
            Session.event_id == halls.event,
            ((Rsvp.state == Seat.OFFERED) != Rsvp.offered_until.is_not(None))
            | ((Rsvp.state == Seat.CANCELLED) & (Rsvp.guests != 0))
            | (Rsvp.guests < 0)
            | (Rsvp.guests > rsvps.GUESTS),
        )
    )
    return [*found, *([f"{odd} rows contradict themselves"] if odd else [])]


async def unserved(db: AsyncSession, halls: Halls) -> list[str]:
    """The heads that would fit: there are none after a look at the line."""
    found = []
    event = await db.get_one(Event, halls.event, populate_existing=True)
    for session_id in halls.sessions:
        line, tally = await waitlist.line(db, session_id), await room.tally(db, session_id)
        if not line or tally is None:
            continue
        head, member = line[0]
        seats = tally.capacity is None or tally.capacity - tally.taken >= 1 + head.guests
        if seats and await room.fits(db, event, member.id, 1 + head.guests):
            found.append(f"{1 + head.guests} would fit into session {session_id}: {tally}")
    return found


async def untold(db: AsyncSession, halls: Halls) -> int:
    """How many hold an offer that no letter ever told them of."""
    told = select(Outbox.member_id).where(Outbox.kind == waitlist.KIND)
    offered = (
        select(func.count())
        .select_from(Rsvp)
        .join(Session, Session.id == Rsvp.session_id)
        .where(
            Session.event_id == halls.event,
            Rsvp.state == Seat.OFFERED,
            Rsvp.member_id.not_in(told),
        )
    )
    return await db.scalar(offered) or 0


async def close(storage: Storage, halls: Halls) -> None:
    """Nobody looks at these halls any more."""
    async with storage.begin() as db:
        await db.execute(
            text("UPDATE session SET cancelled_at = starts_at WHERE event_id = :event"),
            {"event": halls.event},
        )
