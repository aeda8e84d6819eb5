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
until a person decides (`release`). `doubts` counts how often that happened to a row.

The honest promise: at least once for what is resent, at most once for what is held; a duplicate
only where the process or the network died between "request started" and "answer recorded", at most
one for each request in flight, and each one is listed by `doubtful`.

There is no separate `claimed` state: the engine holds a lease, picks a small batch, has its letters
written and marks it started in a single transaction, so nothing can be claimed and forgotten.
Statements are what costs, so rows are read, started and settled by the batch; what becomes of one
row is a value that `storage/settlements.py` makes from the row and the messenger's decision.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Integer,
    Table,
    and_,
    bindparam,
    case,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from storage.batches import padded, write_each
from storage.settlements import Due, Settlement
from storage.tables import Address, Fate, Instant, Lane, Member, Outbox

# The width of the column `reason`, in characters.
REASON_LENGTH = 64


# --- asking for letters ---------------------------------------------------------------------


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
    """Ask for a letter. Posting the same `key` twice is an error."""
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


# --- taking and starting --------------------------------------------------------------------


async def anything_due(db: AsyncSession, now: datetime) -> bool:
    """Whether `take_due` would find something: cheap, for an outbox that is mostly empty."""
    return await db.scalar(_any(), {"now": now, "limit": 1}) or False


async def take_due(
    db: AsyncSession, now: datetime, limit: int, channels: Collection[str]
) -> list[Due]:
    """The next rows to send, personal ones first, locked until the transaction ends.

    A row that something else has locked just now is left for the next time. Of several addresses
    on these channels the oldest that works is used; a row for a group has an address of its own.
    """
    given = {"now": now, "limit": limit, "channels": sorted(channels)}
    first: dict[int, Due] = {}
    for id_, kind, about, lane, *rest in await db.execute(_due(), given):
        if id_ not in first:
            first[id_] = Due(id_, kind, about, Lane(lane), *rest)
    return list(first.values())[:limit]


# Building these statements costs as much as running them: each is built once.


@cache
def _due() -> Any:
    reachable = and_(
        Address.member_id == Outbox.member_id,
        Address.unreachable_at.is_(None),
        Address.channel.in_(bindparam("channels", expanding=True)),
    )
    return (
        select(
            Outbox.id,
            Outbox.kind,
            Outbox.about,
            Outbox.lane,
            Outbox.due,
            Outbox.expires,
            Outbox.attempts,
            Outbox.doubts,
            Member,
            func.coalesce(Outbox.to_channel, Address.channel),
            func.coalesce(Outbox.to_address, Address.address),
        )
        .join(Member, Member.id == Outbox.member_id)
        .outerjoin(Address, reachable)
        # Said this way round, or SQLite would walk through all that is queued to find these.
        .where(
            Outbox.id.in_(_next_of_each_lane()),
            Outbox.state.not_in(set(Fate) - {Fate.QUEUED}),
        )
        .order_by(Outbox.lane, Outbox.due, Outbox.id, Address.id)
        .with_for_update(of=Outbox, skip_locked=True)
    )


@cache
def _any() -> Any:
    return select(_next_of_each_lane().exists())


def _next_of_each_lane() -> Any:
    # One range of the index for each lane: what waits for tomorrow in one isn't walked through to
    # get at what is due in the next.
    now, limit = bindparam("now", type_=Instant()), bindparam("limit", type_=Integer)
    lanes = [
        select(Outbox.id)
        .where(Outbox.state == Fate.QUEUED, Outbox.lane == lane, Outbox.due <= now)
        .order_by(Outbox.due, Outbox.id)
        .limit(limit)
        .subquery()
        for lane in Lane
    ]
    return union_all(*(select(lane.c.id) for lane in lanes))


@dataclass(frozen=True, slots=True)
class Start:
    """A letter about to leave: its row, where it goes, and its words."""

    id: int
    channel: str
    address: str
    text: str


async def start(db: AsyncSession, engine: str, starts: Sequence[Start]) -> None:
    """Mark requests as begun. Commit before the first byte leaves."""
    columns = ("id", "state", "engine", "channel", "address", "sent_text")
    rows = [(one.id, Fate.STARTED, engine, one.channel, one.address, one.text) for one in starts]
    await write_each(db, _table(), columns, rows)


def _table() -> Table:
    return Outbox.metadata.tables[Outbox.__tablename__]


# --- settling -------------------------------------------------------------------------------


async def write_off(db: AsyncSession, settlements: Sequence[Settlement]) -> None:
    """Settle rows that were taken in this very transaction and aren't started."""
    columns = ("id", "state", "due", "attempts", "doubts", "reason", "provider_id", "settled_at")
    rows = [
        (
            *(one.id, one.state, one.due, one.attempts, one.doubts),
            *(one.reason and one.reason[:REASON_LENGTH], one.provider_id, one.settled_at),
        )
        for one in settlements
    ]
    await write_each(db, _table(), columns, rows)


async def settle(db: AsyncSession, engine: str, settlements: Sequence[Settlement]) -> list[int]:
    """Settle rows that this engine started. Returns those that another has taken over since.

    Of a row that is named twice, for it was taken again after a commit whose answer was lost, the
    last counts.
    """
    if not settlements:
        return []
    last = {one.id: one for one in settlements}
    ids = list(last)
    ours = set(await db.scalars(_started(), {"ids": padded(ids), "holder": engine}))
    await write_off(db, [last[id_] for id_ in ids if id_ in ours])
    return [one for one in ids if one not in ours]


@cache
def _started() -> Any:
    theirs = Outbox.engine == bindparam("holder")
    ids = Outbox.id.in_(bindparam("ids", expanding=True))
    return select(Outbox.id).where(ids, Outbox.state == Fate.STARTED, theirs).with_for_update()


# --- after trouble --------------------------------------------------------------------------


async def rescue(
    db: AsyncSession, engine: str, resent_kinds: Collection[str], now: datetime
) -> int:
    """Deal with the rows that a dead engine had in its hands. Returns how many there were.

    Only the holder of the engine's lease may call this.
    """
    resent = Outbox.kind.in_(resent_kinds)
    rescued = await db.execute(
        update(Outbox)
        .where(Outbox.state == Fate.STARTED, Outbox.engine != engine)
        .values(
            state=case((resent, Fate.QUEUED.value), else_=Fate.UNKNOWN.value),
            doubts=Outbox.doubts + 1,
            reason="the engine died",
            settled_at=case((resent, null()), else_=literal(now, Instant())),
        )
        .returning(Outbox.id)
        .execution_options(synchronize_session=False)
    )
    return len(rescued.all())


async def put_back(db: AsyncSession, engine: str, in_hand: Collection[int]) -> int:
    """Queue again what this engine marked as started and does not have in hand: it never left.

    So it is after a commit that succeeded though its answer was lost. Returns how many.
    """
    found = await db.execute(
        update(Outbox)
        .where(Outbox.state == Fate.STARTED, Outbox.engine == engine, Outbox.id.not_in(in_hand))
        .values(state=Fate.QUEUED)
        .returning(Outbox.id)
        .execution_options(synchronize_session=False)
    )
    return len(found.all())


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


async def release(db: AsyncSession, ids: Collection[int] | None, now: datetime) -> list[int]:
    """Send held rows after all, these or (None) every one. Returns those that were held.

    They go to the end of their lane; `doubts` keeps the memory of the answer that was lost.
    """
    held = Outbox.state == Fate.UNKNOWN
    released = await db.scalars(
        update(Outbox)
        .where(held if ids is None else and_(held, Outbox.id.in_(ids)))
        .values(state=Fate.QUEUED, due=now, settled_at=None)
        .returning(Outbox.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(released)


# --- looking at it --------------------------------------------------------------------------


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
