"""Where a member stands in a session, read once nobody else can change it.

On PostgreSQL the rows are locked first and read by another statement: one that has to wait for a lock
tells what was so before it waited. On SQLite a transaction that writes is alone anyway.

Those who share a transaction and wish for the same session hold it once. From the second on, they are
looked up together, and the new RSVPs of those before them, which wait for the transaction's end, are
counted along.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    event,
    exists,
    func,
    or_,
    orm,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState, aliased

from storage import company
from storage.batches import padded
from storage.room import HOLDING, SEATED
from storage.tables import Event, Instant, Member, MemberLead, Rsvp, Seat, Session

# Where a transaction notes the sessions that it holds.
_HELD = "held"
# What is told of a place changes with these.
_TOLD = (Rsvp, Session, Event, MemberLead)


@dataclass(frozen=True, slots=True)
class Standing:
    """A session, a member's RSVP in it, and how many people have seats there or wait."""

    session: Session
    event: Event
    rsvp: Rsvp | None
    # Seats taken, and people who stand in line, guests included; and how many parties these are.
    taken: int
    waiting: int
    in_line: int
    # Whether the member is reminded of seats.
    reminded: bool
    # The member's seats in other sessions that run at the same time, where these were held too.
    overlapping: Sequence[Session] = ()

    @property
    def spoken_for(self) -> int:
        """Seats that are taken or waited for."""
        return self.taken + self.waiting


async def hold(
    db: AsyncSession,
    member: Member,
    session_id: int,
    *,
    taking: bool = False,
    overlaps: bool = False,
) -> Standing | None:
    """Let nobody else change who sits in this session, and read where the member stands in it.

    `taking`: nor who sits in its event, where that is counted. `overlaps`: nor who sits in other
    sessions at the same time in which the member has seats. None: there is no such session.
    """
    held: dict[int, _Held] = db.info.setdefault(_HELD, {})
    known = held.get(session_id)
    if known is not None and known.session in db and known.serves(taking=taking):
        # Somebody who shares this transaction wished for the same session a moment ago.
        stood = await _stood_again(db, known, member.id, overlaps=overlaps)
        if stood is not None:
            return stood
    given = {"member": member.id, "session": session_id}
    if db.get_bind().dialect.name == "postgresql":
        await db.execute(_locks(taking=taking, overlaps=overlaps), given)
    rows = (await db.execute(_standing(overlaps=overlaps), given)).all()
    here = next((row for row in rows if row[0].id == session_id), None)
    if here is None:
        return None
    session, its_event, rsvp, reminded, taken, waiting, in_line = here
    held[session_id] = _Held(session, its_event, taking=taking)
    others = tuple(row[0] for row in rows if row is not here)
    return Standing(session, its_event, rsvp, taken, waiting, in_line, reminded, others)


# --- those who share a transaction ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a member stands in a session that is held, and what was counted there."""

    rsvp: Rsvp | None
    reminded: bool
    # Has a seat in another session at the same time, which nobody holds.
    elsewhere: bool
    taken: int
    waiting: int
    in_line: int


@dataclass(slots=True)
class _Held:
    """A session that this transaction holds already, and its event."""

    session: Session
    event: Event
    # Whether who sits in the event is held, too.
    taking: bool
    # Where those stand who share the transaction, until something is written in it. They are read
    # once: where each wish is written at once, as for a place in line, each is read alone.
    places: dict[int, _Place] = field(default_factory=dict)
    read: bool = False

    def serves(self, *, taking: bool) -> bool:
        return self.taking or not taking or self.event.capacity is None


def _forget_what_changes(db: AsyncSession) -> None:
    """See to it that what was read of the company is forgotten with whatever is written next."""
    session = db.sync_session
    if not event.contains(session, "after_flush", _flushed):
        event.listen(session, "after_flush", _flushed)
        event.listen(session, "do_orm_execute", _executed)


def _flushed(session: orm.Session, _context: object) -> None:
    _forget(session)


def _executed(asked: ORMExecuteState) -> None:
    if not asked.is_select:
        _forget(asked.session)


def _forget(session: orm.Session) -> None:
    for held in session.info.get(_HELD, {}).values():
        held.places.clear()


async def _stood_again(
    db: AsyncSession, held: _Held, member_id: int, *, overlaps: bool
) -> Standing | None:
    """Where a member stands in a session that is held; None: there is more to lock."""
    if any(isinstance(one, _TOLD) for one in (*db.dirty, *db.deleted)):
        await db.flush()
    if member_id not in held.places:
        asked = [member_id]
        # Who is counted in the event, too, is written as soon as the next is.
        if not held.read and held.event.capacity is None:
            asked += (one for one in company.sharing(db) if one != member_id)
            _forget_what_changes(db)
        held.read = True
        await _read_places(db, held, asked)
    place = held.places.pop(member_id, None)
    if place is None or (overlaps and place.elsewhere):
        return None
    return _with_unwritten(db, held, place)


async def _read_places(db: AsyncSession, held: _Held, asked: Collection[int]) -> None:
    when = {"begins": held.session.starts_at, "ends": held.session.ends_at}
    given = {"session": held.session.id, "members": padded(asked), **when}
    rows = (await db.execute(_places(), given)).all()
    held.places.update((row[0], _Place(*row[1:])) for row in rows)


def _with_unwritten(db: AsyncSession, held: _Held, place: _Place) -> Standing:
    """Where the member stands once the new RSVPs are written that wait for the transaction's end."""
    beside = [one for one in db.new if isinstance(one, Rsvp) and one.session_id == held.session.id]
    line = [1 + one.guests for one in beside if one.state == Seat.WAITLISTED]
    return Standing(
        held.session,
        held.event,
        place.rsvp,
        place.taken + sum(1 + one.guests for one in beside if one.state in HOLDING),
        place.waiting + sum(line),
        place.in_line + len(line),
        place.reminded,
    )


# --- statements -----------------------------------------------------------------------------

# Building these statements costs as much as running them: each is built once.


def _asked() -> tuple[BindParameter[int], BindParameter[int]]:
    return bindparam("session"), bindparam("member")


def _wished(statement: Select[*tuple[Any, ...]], *, overlaps: bool) -> Select[*tuple[Any, ...]]:
    """The session that is wished for and perhaps the member's seats in others that run then.

    In the order of their ids, so that two who lock them can't wait for each other.
    """
    session, member = _asked()
    mine = and_(Rsvp.session_id == Session.id, Rsvp.member_id == member)
    here: ColumnElement[bool] = Session.id == session
    statement = statement.outerjoin(Rsvp, mine).order_by(Session.id)
    if not overlaps:
        return statement.where(here)
    wished, seat = aliased(Session), aliased(Rsvp)
    # Looked up by their ids: a large programme is not read for it.
    seats = select(seat.session_id).where(seat.member_id == member, _among(seat.state, SEATED))
    collides = and_(
        Session.id.in_(seats),
        Session.cancelled_at.is_(None),
        Session.starts_at < wished.ends_at,
        Session.ends_at > wished.starts_at,
    )
    return statement.join(wished, wished.id == session).where(or_(here, collides))


def _among(state: Any, states: Sequence[Seat]) -> ColumnElement[bool]:
    # SQLAlchemy would write IN anew for each execution, for it may be of any length.
    return or_(*(state == one for one in states))


@cache
def _locks(*, taking: bool, overlaps: bool) -> Select[*tuple[Any, ...]]:
    """Locks, in the order that `storage/room.py` tells: first the event, if it has a capacity."""
    sessions = _wished(select(Session.id), overlaps=overlaps).with_for_update(of=Session)
    if not taking:
        return sessions
    session, _ = _asked()
    event = select(Session.event_id).where(Session.id == session).scalar_subquery()
    counted = (
        select(Event.id)
        .where(Event.id == event, Event.capacity.is_not(None))
        # Rows that refer to the event may be added meanwhile: tickets, sessions.
        .with_for_update(key_share=True)
        .cte("counted")
    )
    # A condition without a column of any session is looked at before there is one (PostgreSQL,
    # "One-Time Filter"), and what locks rows is never folded into the statement around it.
    return sessions.where(select(func.count()).select_from(counted).scalar_subquery() >= 0)


@cache
def _standing(*, overlaps: bool) -> Select[*tuple[Any, ...]]:
    _, member = _asked()
    told = select(Session, Event, Rsvp, _reminded(member), *_numbers()).select_from(Session)
    told = told.join(Event, Event.id == Session.event_id)
    # What stood before the lock may have changed while we waited for it.
    return _wished(told, overlaps=overlaps).execution_options(populate_existing=True)


@cache
def _places() -> Select[*tuple[Any, ...]]:
    session, _ = _asked()
    mine = and_(Rsvp.session_id == session, Rsvp.member_id == Member.id)
    seat, other = aliased(Rsvp), aliased(Session)
    collides = and_(
        other.cancelled_at.is_(None),
        other.starts_at < bindparam("ends", type_=Instant()),
        other.ends_at > bindparam("begins", type_=Instant()),
    )
    # Each session by its id: as a join PostgreSQL would read a programme that it has not counted yet
    # for each of the members.
    at_once = select(collides).where(other.id == seat.session_id).scalar_subquery()
    elsewhere = select(seat.id).where(
        seat.member_id == Member.id,
        _among(seat.state, SEATED),
        seat.session_id != session,
        at_once,
    )
    return (
        select(Member.id, Rsvp, _reminded(Member.id), elsewhere.exists(), *_numbers())
        .select_from(Member)
        .outerjoin(Rsvp, mine)
        .where(Member.id.in_(bindparam("members", expanding=True)))
        .execution_options(populate_existing=True)
    )


def _reminded(member: Any) -> ColumnElement[bool]:
    return exists().where(MemberLead.member_id == member)


def _numbers() -> Sequence[ColumnElement[int]]:
    """The session's numbers as `Standing` has them: seats taken, people in line, parties in line."""
    session, _ = _asked()

    # To count is twice as fast as to add up, from the index, and few bring guests. Each on its own:
    # so every one of them begins where it ends in the index.
    parties, guests = func.count(), func.coalesce(func.sum(Rsvp.guests), 0)

    def of(number: ColumnElement[int], *which: ColumnElement[bool]) -> ScalarSelect[int]:
        return select(number).where(Rsvp.session_id == session, *which).scalar_subquery()

    holding, waiting = _among(Rsvp.state, HOLDING), Rsvp.state == Seat.WAITLISTED
    return (
        of(parties, holding) + of(guests, holding, Rsvp.guests > 0),
        of(parties, waiting) + of(guests, waiting, Rsvp.guests > 0),
        of(parties, waiting),
    )
