"""Tidings: what a letter about a change of plan has to tell its reader, as things are now.

A few statements for a whole batch of letters, since statements are what costs.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage import rsvps
from storage.plans import CONCERNED, KIND, Plan
from storage.tables import Event, Fate, Outbox, PlanChange, Rsvp, Session


@dataclass(frozen=True, slots=True)
class Tidings:
    """One change of plan as one member has to hear it."""

    session: Session
    event: Event
    before: Plan
    after: Plan
    rsvp: Rsvp
    # The member's seats in other sessions that are at the same time now, and were not before.
    conflicts: tuple[Session, ...]


async def unheard(
    db: AsyncSession, asked: Collection[tuple[int, int]]
) -> dict[tuple[int, int], Tidings]:
    """Of (change, member): what they still have to hear. A change overtaken by a later one is left
    to that one's letter, which then begins where this one would have.
    """
    rows = await db.execute(
        select(PlanChange, Session, Event)
        .join(Session, Session.id == PlanChange.session_id)
        .join(Event, Event.id == Session.event_id)
        .where(PlanChange.id.in_({change_id for change_id, _ in asked}))
    )
    changes = {change.id: (change, session, event) for change, session, event in rows}
    sessions = {session.id for _, session, _ in changes.values()}
    members = {member_id for _, member_id in asked}
    concerned = await db.scalars(
        select(Rsvp).where(
            Rsvp.session_id.in_(sessions),
            Rsvp.member_id.in_(members),
            Rsvp.state.in_(CONCERNED),
        )
    )
    answers = {(rsvp.session_id, rsvp.member_id): rsvp for rsvp in concerned}
    history = await _history(db, sessions)
    unsent = await _unsent(db, history, members)
    conflicts = await _conflicts(db, sessions, members)
    found: dict[tuple[int, int], Tidings] = {}
    for change_id, member_id in asked:
        if change_id not in changes:
            continue
        change, session, event = changes[change_id]
        rsvp = answers.get((session.id, member_id))
        told = history[session.id]
        if rsvp is None or not told or told[-1].id != change_id:
            continue
        first = change
        for earlier in reversed(told[:-1]):
            if (earlier.id, member_id) not in unsent:
                break
            first = earlier
        before, after = Plan.from_json(first.before), Plan.from_json(change.after or {})
        if before.same(after):
            continue
        seated = rsvp.state in rsvps.SEATED and not after.cancelled
        moved = seated and not before.same_time(after)
        overlapping = conflicts.get((session.id, member_id), ()) if moved else ()
        found[change_id, member_id] = Tidings(
            session, event, before, after, rsvp, tuple(overlapping)
        )
    return found


async def _history(db: AsyncSession, sessions: Collection[int]) -> dict[int, list[PlanChange]]:
    """All that was told of these sessions, oldest first."""
    told = await db.scalars(
        select(PlanChange)
        .where(PlanChange.session_id.in_(sessions), PlanChange.told_at.is_not(None))
        .order_by(PlanChange.id)
    )
    history: dict[int, list[PlanChange]] = {session_id: [] for session_id in sessions}
    for change in told:
        history[change.session_id].append(change)
    return history


async def _unsent(
    db: AsyncSession, history: dict[int, list[PlanChange]], members: Collection[int]
) -> set[tuple[int, int]]:
    """(change, member) of earlier letters that never left: their change is still news."""
    keys = {
        f"{KIND}:{change.id}:{member_id}": (change.id, member_id)
        for told in history.values()
        for change in told[:-1]
        for member_id in members
    }
    if not keys:
        return set()
    rows = await db.scalars(
        select(Outbox.key).where(Outbox.key.in_(keys), Outbox.state.in_((Fate.QUEUED, Fate.VOID)))
    )
    return {keys[key] for key in rows}


async def _conflicts(
    db: AsyncSession, sessions: Collection[int], members: Collection[int]
) -> dict[tuple[int, int], list[Session]]:
    """Of (session, member): the member's seats in other sessions at the same time."""
    moved = aliased(Session)
    rows = await db.execute(
        select(moved.id, Rsvp.member_id, Session)
        .join(Rsvp, Rsvp.session_id == Session.id)
        .join(moved, moved.id.in_(sessions))
        .where(
            Rsvp.member_id.in_(members),
            Rsvp.state.in_(rsvps.SEATED),
            Session.id != moved.id,
            Session.cancelled_at.is_(None),
            Session.starts_at < moved.ends_at,
            Session.ends_at > moved.starts_at,
        )
        .order_by(Session.starts_at, Session.id)
    )
    conflicts: dict[tuple[int, int], list[Session]] = {}
    for session_id, member_id, other in rows:
        conflicts.setdefault((session_id, member_id), []).append(other)
    return conflicts
