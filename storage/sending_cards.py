"""Sending cards: where the team watches an announcement leave.

A card has one outbox row: sent once, then queued again for each edit. It is never hurried: what
changes within a few seconds is told by the next edit, and the end is always told.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import group_chats, mailings, outbox
from storage.tables import Announcement, Fate, GroupPosting, Outbox, SendingCard, Stage

KIND = "sending_card"
# Between two edits of one card.
REST = timedelta(seconds=3)


async def begin(db: AsyncSession, announcement: Announcement, now: datetime) -> None:
    """An announcement begins to leave: its author, and who approved it, may watch."""
    watching = {announcement.author_id, announcement.approver_id} - {None}
    known = set(
        await db.scalars(
            select(SendingCard.member_id).where(SendingCard.announcement_id == announcement.id)
        )
    )
    for member_id in sorted(one for one in watching if one is not None and one not in known):
        card = SendingCard(
            announcement_id=announcement.id, member_id=member_id, told="", edited_at=now, done=False
        )
        db.add(card)
        await db.flush()
        outbox.post(
            db,
            key=f"{KIND}:{card.id}",
            member_id=member_id,
            kind=KIND,
            about={"card": card.id},
            due=now,
        )


async def go_on(db: AsyncSession, announcement_id: int) -> None:
    """There is something to tell again."""
    await db.execute(
        update(SendingCard)
        .where(SendingCard.announcement_id == announcement_id)
        .values(done=False)
        .execution_options(synchronize_session=False)
    )


async def any_to_tend(db: AsyncSession) -> bool:
    """Whether `tend` has a card to look at: for reading only."""
    return (
        await db.scalar(select(SendingCard.id).where(SendingCard.done.is_(False)).limit(1))
        is not None
    )


async def tend(db: AsyncSession, now: datetime, pace: float) -> int:
    """Let the cards be edited that no longer tell the truth. Returns how many.

    They tell how long the rest takes at `pace` letters a second.
    """
    rows = await db.execute(
        select(SendingCard, Announcement, Outbox.id, Outbox.state, Outbox.provider_id)
        .join(Announcement, Announcement.id == SendingCard.announcement_id)
        .outerjoin(Outbox, Outbox.key == literal(f"{KIND}:") + cast(SendingCard.id, String))
        .where(SendingCard.done.is_(False), SendingCard.edited_at <= now - REST)
        .order_by(SendingCard.id)
    )
    edits = 0
    for card, announcement, row, state, provider_id in rows.all():
        if state not in {Fate.QUEUED, Fate.STARTED, Fate.SENT, Fate.VOID}:
            # Deleted, or out of reach: there is nothing to keep true any more.
            card.done = True
        elif state in {Fate.SENT, Fate.VOID}:
            card.message = card.message or provider_id
            told = sum_of(announcement, await group_chats.postings(db, announcement.id))
            if told != card.told:
                card.told, card.edited_at = told, now
                left = await mailings.time_left(db, announcement, now, pace)
                about = {"card": card.id, "seconds": int(left.total_seconds())}
                await _queue_again(db, row, about, now)
                edits += 1
            elif announcement.finished_at is not None:
                card.done = True
    return edits


async def _queue_again(db: AsyncSession, row: int, about: dict[str, Any], now: datetime) -> None:
    await db.execute(
        update(Outbox)
        .where(Outbox.id == row)
        .values(state=Fate.QUEUED, about=about, due=now, attempts=0, reason=None, settled_at=None)
        .execution_options(synchronize_session=False)
    )


def sum_of(announcement: Announcement, postings: Sequence[GroupPosting]) -> str:
    """What a card tells, as a short sum: another sum, another card."""
    tally = sorted((announcement.tally or {}).items())
    groups = sorted((one.group_id, one.outcome) for one in postings)
    facts = (announcement.stage.value, announcement.size, tally, groups)
    ended = announcement.stage in {Stage.SENT, Stage.STOPPED} and announcement.finished_at
    return hashlib.sha256(repr((facts, bool(ended))).encode()).hexdigest()[:32]


async def standing(
    db: AsyncSession, card_ids: Sequence[int]
) -> dict[int, tuple[SendingCard, Announcement]]:
    """Those of these cards that there are, each with its announcement as it is now."""
    rows = await db.execute(
        select(SendingCard, Announcement)
        .join(Announcement, Announcement.id == SendingCard.announcement_id)
        .where(SendingCard.id.in_(card_ids))
    )
    return {card.id: (card, announcement) for card, announcement in rows}
