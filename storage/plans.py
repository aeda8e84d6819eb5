"""Changes of plan: who has to be told that a session moved, was cancelled, or takes place after all.

Whoever edits a session - the staff in the chat, an import - calls `revise` in the same transaction,
with the plan as it was. Organisers correct themselves, so nothing is said before a minute has passed
without another edit (and at most five after the first): edits become one notice, from the plan as it
was last told to the plan as it is then; a plan that is back where it was is no news.

`tell` then posts one letter for each member concerned: those who hold a seat, are offered one, or
stand in line. One statement does it, however many they are. Until that moment the session's
reminders hold their tongue (`silent_until`), or they would tell the news first.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self, cast

from sqlalchemy import ColumnElement, CursorResult, ScalarSelect, String, func, literal, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncSession

from storage import outbox, rsvps, standings
from storage.tables import (
    Fate,
    Instant,
    Lane,
    Member,
    Outbox,
    PlanChange,
    Rsvp,
    Seat,
    Session,
    Trilingual,
)

KIND = "plan"
# How long a plan must stand before it is told, and how long endless edits may put that off.
CALM, LONGEST = timedelta(seconds=60), timedelta(minutes=5)
# Whom a change of plan concerns.
CONCERNED = (*rsvps.HOLDING, Seat.WAITLISTED)
_FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a session's people must know: when and where it is held, and whether at all."""

    starts_at: datetime
    ends_at: datetime
    room: Trilingual | None
    online: bool
    title: Trilingual
    cancelled: bool

    @classmethod
    def of(cls, session: Session) -> Self:
        """The plan as the database has it."""
        return cls(
            session.starts_at,
            session.ends_at,
            session.room,
            session.online,
            session.title,
            session.cancelled_at is not None,
        )

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        instants = {"starts_at": self.starts_at.isoformat(), "ends_at": self.ends_at.isoformat()}
        return asdict(self) | instants

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """What `as_json` made."""
        instants = {name: datetime.fromisoformat(value[name]) for name in ("starts_at", "ends_at")}
        return cls(**{**value, **instants})

    def same_time(self, other: Self) -> bool:
        """Both are held, and when the other is."""
        mine = (self.starts_at, self.ends_at, self.cancelled)
        return mine == (other.starts_at, other.ends_at, other.cancelled)

    def same(self, other: Self) -> bool:
        """Whether nobody need be told. A title is no plan; nor is a change of what is cancelled."""
        if self.cancelled and other.cancelled:
            return True
        same_place = (self.room, self.online) == (other.room, other.online)
        return self.same_time(other) and same_place


# --- edits ----------------------------------------------------------------------------------


async def revise(db: AsyncSession, edited: Sequence[tuple[Session, Plan]], now: datetime) -> None:
    """Note that these locked sessions were edited, each with its plan from before.

    A session that is over both by the old and by the new plan is nobody's concern any more.
    """
    changed = [
        (session, before)
        for session, before in edited
        if not before.same(Plan.of(session)) and max(before.ends_at, session.ends_at) > now
    ]
    if not changed:
        return
    open_ = await db.scalars(
        select(PlanChange).where(
            PlanChange.session_id.in_([session.id for session, _ in changed]),
            PlanChange.told_at.is_(None),
        )
    )
    noted = {change.session_id: change for change in open_}
    for session, before in changed:
        change = noted.get(session.id)
        if change is None:
            db.add(
                PlanChange(
                    session_id=session.id,
                    before=before.as_json(),
                    began_at=now,
                    edited_at=now,
                    due=now + CALM,
                )
            )
        elif Plan.of(session).same(Plan.from_json(change.before)):
            await db.delete(change)
        else:
            change.edited_at = now
            change.due = min(now + CALM, change.began_at + LONGEST)
    await db.flush()


def silent_until() -> ScalarSelect[datetime | None]:
    """Up to when a session's reminders hold their tongue: for ever while its plan is about to be
    told, and up to that moment once it was, for the letter said when the session begins.

    To be used beside `Session` in a statement; NULL for a session whose plan never changed.
    """
    until: ColumnElement[datetime | None] = func.max(
        func.coalesce(PlanChange.told_at, literal(_FOREVER, Instant()))
    )
    return (
        select(until)
        .where(PlanChange.session_id == Session.id)
        .correlate(Session)
        .scalar_subquery()
    )


# --- telling --------------------------------------------------------------------------------


async def tell(db: AsyncSession, now: datetime) -> int:
    """Post the letters of every change that has stood long enough. Returns how many.

    Harmless when called again, or by two at once.
    """
    due = await db.execute(
        select(PlanChange.id, PlanChange.session_id)
        .where(PlanChange.told_at.is_(None), PlanChange.due <= now)
        .order_by(PlanChange.session_id)
    )
    posted = 0
    for change_id, session_id in due.all():
        found = await rsvps.lock(db, session_id)
        change = await db.get(PlanChange, change_id, populate_existing=True)
        # Somebody else may have told it, or edited the session, before the lock was ours.
        if found is None or change is None or change.told_at is not None or change.due > now:
            continue
        before, after = Plan.from_json(change.before), Plan.of(found[0])
        if before.same(after):
            await db.delete(change)
            continue
        change.told_at, change.after = now, after.as_json()
        await db.flush()
        # Whoever comes at the old time needs to know until then, and the others until the new.
        expires = max(before.starts_at, after.starts_at)
        if expires > now:
            posted += await _post(db, change, expires, now)
    return posted


async def _post(db: AsyncSession, change: PlanChange, expires: datetime, now: datetime) -> int:
    readers = select(
        (literal(f"{KIND}:{change.id}:") + sql_cast(Rsvp.member_id, String)).label("key"),
        Rsvp.member_id,
        literal(KIND).label("kind"),
        literal({"change": change.id}, Outbox.about.type).label("about"),
        literal(Lane.REMINDER).label("lane"),
        literal(now, Instant()).label("due"),
        literal(expires, Instant()).label("expires"),
        literal(Fate.QUEUED, Outbox.state.type).label("state"),
        literal(0).label("attempts"),
        literal(0).label("doubts"),
    ).where(
        Rsvp.session_id == change.session_id,
        Rsvp.state.in_(CONCERNED),
        # Whoever took a seat after the last edit knows the plan; whoever was offered one has not
        # chosen it.
        or_(Rsvp.since <= change.edited_at, Rsvp.state == Seat.OFFERED),
    )
    columns = [column.name for column in readers.selected_columns]
    insert = outbox.insert_once(db).from_select(columns, readers)
    result = cast("CursorResult[Any]", await db.execute(insert))
    return result.rowcount


async def next_due(db: AsyncSession) -> datetime | None:
    """When the next change of plan will be told."""
    return await db.scalar(
        select(PlanChange.due).where(PlanChange.told_at.is_(None)).order_by(PlanChange.due).limit(1)
    )


async def overlapping(db: AsyncSession, member: Member, session_id: int) -> Sequence[Session]:
    """The member's seats at the same time as their seat in this session, all of them locked.

    Empty: none overlap any more, or they have no seat here.
    """
    here = await standings.hold(db, member, session_id, overlaps=True)
    seated = here is not None and here.rsvp is not None and here.rsvp.state in rsvps.SEATED
    if here is None or here.session.cancelled_at is not None or not seated:
        return ()
    return here.overlapping
