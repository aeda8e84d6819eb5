"""The outbox: letters to be, and what became of them.

A rule that must tell somebody something posts a row in its own transaction: both happen or
neither. The life of a row:

    queued --> started --> sent
      |  ^        |------> failed (reason)      blocked, refused, given up
      |  |        |------> unknown              the answer was lost after the request began
      |  '--------'                             wait (429), later (5xx, refused connection)
      '-----------------> void                  expired, cancelled, overtaken by events: never sent

`start` commits before the first byte leaves, so what a killed engine had in its hands is known:
its successor finds these rows still `started` and calls `rescue`. A row is then `unknown`; by the
policy of its kind it is queued again (a reminder had better come twice than not at all) or kept
until a person decides. `doubts` counts how often that happened to a row.

The honest promise: at least once for what is resent, at most once for what is held; a duplicate
only where the process or the network died between "request started" and "answer recorded", at most
one for each request in flight, and each one is listed by `doubtful`.

There is no separate `claimed` state: the engine holds a lease, picks a small batch, has its letters
written and marks it started in a single transaction, so nothing can be claimed and forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Insert, and_, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Address, Fate, Lane, Member, Outbox

# Attempts are spent on servers that are down; after these a row has failed.
MAX_ATTEMPTS = 12
# The first pause after a failed attempt, doubled each time up to the cap.
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)


def post(
    db: AsyncSession,
    *,
    key: str,
    member_id: int,
    kind: str,
    about: dict[str, Any],
    due: datetime,
    lane: Lane = Lane.PERSONAL,
    expires: datetime | None = None,
) -> None:
    """Ask for a letter. Posting the same `key` twice in one transaction's life is an error."""
    db.add(
        Outbox(
            key=key,
            member_id=member_id,
            kind=kind,
            about=about,
            lane=lane,
            due=due,
            expires=expires,
            state=Fate.QUEUED,
            attempts=0,
            doubts=0,
        )
    )


def insert_once(db: AsyncSession) -> Insert:
    """An INSERT into the outbox that passes over keys already there, for either database."""
    if db.get_bind().dialect.name == "postgresql":
        return postgresql.insert(Outbox).on_conflict_do_nothing(index_elements=["key"])
    return sqlite.insert(Outbox).on_conflict_do_nothing(index_elements=["key"])


@dataclass(frozen=True, slots=True)
class Due:
    """A row whose time has come, with its reader and the address to use (None: unreachable)."""

    row: Outbox
    member: Member
    address: Address | None


async def take_due(db: AsyncSession, now: datetime, limit: int) -> list[Due]:
    """The next rows to send, personal ones first, locked until the transaction ends."""
    reachable = and_(Address.member_id == Outbox.member_id, Address.unreachable_at.is_(None))
    rows = await db.execute(
        select(Outbox, Member, Address)
        .join(Member, Member.id == Outbox.member_id)
        .outerjoin(Address, reachable)
        .where(Outbox.state == Fate.QUEUED, Outbox.due <= now)
        .order_by(Outbox.lane, Outbox.due, Outbox.id, Address.id)
        .limit(limit)
        .with_for_update(of=Outbox, skip_locked=True)
    )
    # A member with two addresses comes twice: the first address is the one to use.
    first: dict[int, Due] = {}
    for row, member, address in rows:
        first.setdefault(row.id, Due(row, member, address))
    return list(first.values())


def start(due: Due, engine: str, channel: str, address: str, text: str) -> None:
    """Mark the request as begun. Commit before the first byte leaves."""
    row = due.row
    row.state, row.engine = Fate.STARTED, engine
    row.channel, row.address, row.sent_text = channel, address, text


def void(row: Outbox, reason: str, now: datetime) -> None:
    """This letter is no longer true or wanted: it is never sent."""
    row.state, row.reason, row.settled_at = Fate.VOID, reason, now


def fail(row: Outbox, reason: str, now: datetime) -> None:
    """This letter can't be delivered."""
    row.state, row.reason, row.settled_at = Fate.FAILED, reason, now


async def started(db: AsyncSession, row_id: int, engine: str) -> Outbox | None:
    """The row that this engine started; None if another has taken it over since."""
    return await db.scalar(
        select(Outbox)
        .where(Outbox.id == row_id, Outbox.state == Fate.STARTED, Outbox.engine == engine)
        .with_for_update()
    )


def sent(row: Outbox, provider_id: str, now: datetime) -> None:
    """The messenger accepted it."""
    row.state, row.provider_id, row.settled_at = Fate.SENT, provider_id, now
    row.reason = None


def again(row: Outbox, due: datetime, *, reason: str | None = None) -> None:
    """Back into the queue, to be sent from `due` on."""
    row.state, row.due, row.engine, row.reason = Fate.QUEUED, due, None, reason
    row.sent_text = None


def again_later(row: Outbox, reason: str, now: datetime, jitter: float) -> None:
    """Spend an attempt: try again after a doubling pause, or fail when all are spent.

    `jitter` in 0..1 stretches the pause by up to a half, so that many rows don't return at once.
    """
    row.attempts += 1
    if row.attempts >= MAX_ATTEMPTS:
        fail(row, reason, now)
        return
    pause = min(FIRST_PAUSE * 2 ** (row.attempts - 1), LONGEST_PAUSE)
    again(row, now + pause * (1 + jitter / 2), reason=reason)


def lose(row: Outbox, reason: str, now: datetime, *, resend: bool) -> None:
    """The answer was lost after the request began: resend, or keep for a person to decide."""
    row.doubts += 1
    if resend:
        again(row, now, reason=reason)
    else:
        row.state, row.reason, row.settled_at = Fate.UNKNOWN, reason, now


async def rescue(db: AsyncSession, engine: str, resent_kinds: Sequence[str], now: datetime) -> int:
    """Deal with the rows that a dead engine had in its hands. Returns how many there were.

    Only the holder of the engine's lease may call this.
    """
    by_policy = case((Outbox.kind.in_(resent_kinds), Fate.QUEUED.value), else_=Fate.UNKNOWN.value)
    rescued = await db.execute(
        update(Outbox)
        .where(Outbox.state == Fate.STARTED, Outbox.engine != engine)
        .values(
            state=by_policy,
            doubts=Outbox.doubts + 1,
            reason="the engine died",
            engine=None,
            settled_at=now,
        )
        .returning(Outbox.id)
        .execution_options(synchronize_session=False)
    )
    return len(rescued.all())


async def void_expired(db: AsyncSession, now: datetime) -> int:
    """Void what waits beyond its time: a reminder after its session is never sent late."""
    voided = await db.execute(
        update(Outbox)
        .where(Outbox.state == Fate.QUEUED, Outbox.expires <= now)
        .values(state=Fate.VOID, reason="expired", settled_at=now)
        .returning(Outbox.id)
        .execution_options(synchronize_session=False)
    )
    return len(voided.all())


async def doubtful(db: AsyncSession, limit: int = 100) -> Sequence[Outbox]:
    """The rows that may have been delivered twice, or not at all: newest first."""
    rows = await db.scalars(
        select(Outbox)
        .where(or_(Outbox.doubts > 0, Outbox.state == Fate.UNKNOWN))
        .order_by(Outbox.id.desc())
        .limit(limit)
    )
    return rows.all()


async def counts(db: AsyncSession) -> dict[tuple[Fate, Lane], int]:
    """How many rows there are, by state and lane."""
    rows = await db.execute(
        select(Outbox.state, Outbox.lane, func.count()).group_by(Outbox.state, Outbox.lane)
    )
    return {(state, Lane(lane)): number for state, lane, number in rows}


async def next_due(db: AsyncSession, *conditions: ColumnElement[bool]) -> datetime | None:
    """When the next waiting row wants to leave."""
    return await db.scalar(
        select(func.min(Outbox.due)).where(Outbox.state == Fate.QUEUED, *conditions)
    )
