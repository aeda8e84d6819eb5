"""The audit: who of the team did what, when, to how many. Appended to, and chained by hashes.

Each row's hash covers the row and the hash before it, so whoever changes, removes, inserts or
reorders rows must make all that follow anew; `verify` (`jisr audit verify`) finds where the chain
breaks. The newest hash, the head, is kept apart too: rows cut off at the end are missed.

What no chain can find by itself: somebody who may write the whole database can cut off the end and
set the head back, or write every hash anew from some row on. Against that keep the head that
`verify` prints somewhere else: a chain that was tampered with before that moment no longer has it
in it (`--expect HASH`). The database refuses changes too (triggers), which stops mistakes and
programs, not its owner.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, func, select
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Audit, AuditChain, Member

# What stands before the first row.
BEGINNING = "0" * 64
# Rows that are read at once.
_BATCH = 500
# What a column answers with that holds what it can't hold (SQLite lets anything be written).
_NONSENSE = (StatementError, ValueError, TypeError, AttributeError)


class Tampering(StrEnum):
    """What is wrong at some place of the chain."""

    CHANGED = "changed"
    # It doesn't follow the row before it: something was removed, inserted or reordered here.
    TORN = "torn"
    # The newest row isn't the one that was written last: the end was cut off, or added to.
    CUT = "cut"
    # Rows that were dropped for their age are there, or the chain's own row is gone.
    FOOT = "foot"
    # The head that was noted elsewhere isn't in the chain.
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the chain is broken; no row: it concerns the whole."""

    tampering: Tampering
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at the whole chain found. `head` is what to note elsewhere."""

    rows: int
    head: str
    breaks: tuple[Break, ...]


async def record(
    db: AsyncSession,
    actor: Member | None,
    action: str,
    now: datetime,
    *,
    about: dict[str, Any] | None = None,
    people: int | None = None,
    touched: Collection[int] | None = None,
) -> Audit:
    """Append what somebody of the team did; None: the operator, at the command line.

    `about` holds ids, numbers and words of our own, never what a person wrote. `touched` are the ids
    of the members whose data was seen or changed, if that can be told one by one.

    Until the transaction ends nobody else can append on PostgreSQL: call it after other locks.
    """
    chain = await _locked(db)
    row = Audit(
        at=now,
        actor_id=actor.id if actor else None,
        action=action,
        about=about or {},
        people=len(touched) if people is None and touched is not None else people,
        touched=sorted(touched) if touched is not None else None,
        previous=chain.head,
    )
    row.hash = chain.head = digest(row)
    db.add(row)
    await db.flush()
    return row


async def _locked(db: AsyncSession) -> AuditChain:
    # Two rows must not follow the same one, and the ORM may remember an old head.
    chain = await db.get(AuditChain, 1, with_for_update=True, populate_existing=True)
    if chain is None:
        chain = AuditChain(id=1, head=BEGINNING, foot_id=0, foot_hash=BEGINNING)
        db.add(chain)
    return chain


def digest(row: Audit | Row[Any]) -> str:
    """The hash that this row should have: SHA-256 of its canonical JSON."""
    told = [
        row.previous,
        row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        row.actor_id,
        row.action,
        row.about,
        row.people,
        row.touched,
    ]
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


async def between(db: AsyncSession, since: datetime, until: datetime) -> Sequence[Audit]:
    """What was done from `since` until just before `until`, in the order it was written."""
    when = (Audit.at >= since, Audit.at < until)
    return (await db.scalars(select(Audit).where(*when).order_by(Audit.id))).all()


async def drop_before(db: AsyncSession, moment: datetime) -> int:
    """Drop the rows from before this moment, and return how many there were.

    The chain's foot keeps the hash of the last one, so that what stays is verified as before. Only
    a beginning is dropped: a row written later, by a clock that went back, keeps its place.
    """
    chain = await _locked(db)
    first_kept = await db.scalar(select(func.min(Audit.id)).where(Audit.at >= moment))
    old = select(Audit.id, Audit.hash).order_by(Audit.id.desc()).limit(1)
    if first_kept is not None:
        old = old.where(Audit.id < first_kept)
    last = (await db.execute(old)).first()
    if last is None:
        return 0
    chain.foot_id, chain.foot_hash = last.id, last.hash
    # The database lets go of nothing that the foot has not passed.
    await db.flush()
    dropped = await db.execute(
        delete(Audit)
        .where(Audit.id <= last.id)
        .returning(Audit.id)
        .execution_options(synchronize_session=False)
    )
    return len(dropped.all())


async def verify(db: AsyncSession, *, expect: str | None = None) -> Verified:
    """Look at the whole chain; meanwhile nobody appends to it.

    `expect`: a head that was noted before must still be in it.
    """
    chain = await db.get(AuditChain, 1, with_for_update=True, populate_existing=True)
    breaks: list[Break] = []
    if chain is None:
        breaks.append(Break(Tampering.FOOT))
    foot_id, follows = (chain.foot_id, chain.foot_hash) if chain else (0, BEGINNING)
    number, met = 0, expect in {None, follows}
    async for link in _links(db):
        number += 1
        if link.row <= foot_id:
            breaks.append(Break(Tampering.FOOT, link.row))
        if link.previous != follows:
            breaks.append(Break(Tampering.TORN, link.row))
        if link.hash != link.right:
            breaks.append(Break(Tampering.CHANGED, link.row))
        follows, met = link.hash, met or link.hash == expect
    if chain is not None and chain.head != follows:
        breaks.append(Break(Tampering.CUT))
    if not met:
        breaks.append(Break(Tampering.UNEXPECTED))
    return Verified(number, follows, tuple(breaks))


@dataclass(frozen=True, slots=True)
class _Link:
    row: int
    previous: str
    hash: str
    # What the hash should be; None: the row holds nonsense.
    right: str | None


async def _links(db: AsyncSession) -> AsyncIterator[_Link]:
    query = select(Audit.__table__).order_by(Audit.id).limit(_BATCH)
    chained = select(Audit.id, Audit.previous, Audit.hash).order_by(Audit.id).limit(_BATCH)
    # A tamperer's id may be below 0, too.
    after: int | None = None
    while True:
        beyond = [] if after is None else [Audit.id > after]
        try:
            whole = (await db.execute(query.where(*beyond))).all()
            links = [_Link(row.id, row.previous, row.hash, _right(row)) for row in whole]
        except _NONSENSE:
            bare = (await db.execute(chained.where(*beyond))).all()
            links = [_Link(*row, await _right_alone(db, row.id)) for row in bare]
        for link in links:
            yield link
        if len(links) < _BATCH:
            return
        after = links[-1].row


def _right(row: Row[Any]) -> str | None:
    try:
        return digest(row)
    except _NONSENSE:
        return None


async def _right_alone(db: AsyncSession, row_id: int) -> str | None:
    try:
        row = await db.execute(select(Audit.__table__).where(Audit.id == row_id))
        return _right(row.one())
    except _NONSENSE:
        return None
