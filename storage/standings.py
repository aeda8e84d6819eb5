"""Where a member stands in a session, read once nobody else can change it.

On PostgreSQL the rows are locked first and read by another statement: one that has to wait for a lock
tells what was so before it waited. On SQLite a transaction that writes is alone anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.room import HOLDING, SEATED
from storage.tables import Event, Member, MemberLead, Rsvp, Seat, Session

# Where a transaction notes the sessions that it holds.
_HELD = "held"


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
    given = {"member": member.id, "session": session_id}
    held: dict[int, _Held] = db.info.setdefault(_HELD, {})
    known = held.get(session_id)
    if known is not None and known.serves(taking=taking):
        # Somebody who shares this transaction wished for the same session a moment ago.
        stood = await _stood_again(db, known, given, overlaps=overlaps)
        if stood is not None:
            return stood
    if db.get_bind().dialect.name == "postgresql":
        await db.execute(_locks(taking=taking, overlaps=overlaps), given)
    rows = (await db.execute(_standing(overlaps=overlaps), given)).all()
    here = next((row for row in rows if row[0].id == session_id), None)
    if here is None:
        return None
    session, event, rsvp, taken, waiting, in_line, reminded = here
    held[session_id] = _Held(session, event, taking=taking)
    others = tuple(row[0] for row in rows if row is not here)
    return Standing(session, event, rsvp, taken, waiting, in_line, reminded, others)


async def _stood_again(
    db: AsyncSession, held: "_Held", given: dict[str, int], *, overlaps: bool
) -> Standing | None:
    """Where a member stands in a session that is held; None: there is more to lock, or to write."""
    unwritten = [one for one in db.new if isinstance(one, Rsvp)]
    if any(one.member_id == given["member"] for one in unwritten):
        return None
    with db.no_autoflush:
        rows = (await db.execute(_standing_again(overlaps=overlaps), given)).all()
    if len(rows) != 1:
        return None
    _, rsvp, taken, waiting, in_line, reminded = rows[0]
    beside = [one for one in unwritten if one.session_id == given["session"]]
    written = Standing(held.session, held.event, rsvp, taken, waiting, in_line, reminded)
    return _with(beside, written)


def _with(unwritten: Sequence[Rsvp], stood: Standing) -> Standing:
    """The same once these new RSVPs are written, which wait for the end of the transaction."""
    seated = sum(1 + one.guests for one in unwritten if one.state in HOLDING)
    line = [1 + one.guests for one in unwritten if one.state == Seat.WAITLISTED]
    return replace(
        stood,
        taken=stood.taken + seated,
        waiting=stood.waiting + sum(line),
        in_line=stood.in_line + len(line),
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """A session that this transaction holds already, and its event."""

    session: Session
    event: Event
    # Whether who sits in the event is held, too.
    taking: bool

    def serves(self, *, taking: bool) -> bool:
        return self.taking or not taking or self.event.capacity is None


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
    told = select(Session, Event, *_counted()).select_from(Session)
    told = told.join(Event, Event.id == Session.event_id)
    # What stood before the lock may have changed while we waited for it.
    return _wished(told, overlaps=overlaps).execution_options(populate_existing=True)


@cache
def _standing_again(*, overlaps: bool) -> Select[*tuple[Any, ...]]:
    told = select(Session.id, *_counted()).select_from(Session)
    return _wished(told, overlaps=overlaps).execution_options(populate_existing=True)


def _counted() -> Sequence[Any]:
    """The member's RSVP, the session's numbers, whether the member is reminded: as `Standing` has them."""
    session, member = _asked()

    # To count is twice as fast as to add up, from the index, and few bring guests. Each on its own:
    # so every one of them begins where it ends in the index.
    parties, guests = func.count(), func.coalesce(func.sum(Rsvp.guests), 0)

    def of(number: ColumnElement[int], *which: ColumnElement[bool]) -> ScalarSelect[int]:
        return select(number).where(Rsvp.session_id == session, *which).scalar_subquery()

    holding, waiting = _among(Rsvp.state, HOLDING), Rsvp.state == Seat.WAITLISTED
    return (
        Rsvp,
        of(parties, holding) + of(guests, holding, Rsvp.guests > 0),
        of(parties, waiting) + of(guests, waiting, Rsvp.guests > 0),
        of(parties, waiting),
        exists().where(MemberLead.member_id == member),
    )
