"""Posted cards: sessions that stand in other chats, and whose free seats are kept up to date.

A card is never hurried: what changes within a minute of its last edit is told in the next one, and
the latest state is always told in the end. A look costs one statement where no card stands, and
three where some do, however many people took seats meanwhile.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import events, outbox
from storage.events import Item
from storage.members import stranger
from storage.tables import Fate, Lane, Member, Outbox, PostedCard, Session

KIND = "card"
# Between two edits of one card.
REST = timedelta(minutes=1)
# Cards that one look gives work to; the others have their turn at the next.
MOST = 500


async def remember(
    db: AsyncSession,
    member: Member,
    message: str,
    *,
    session_id: int,
    language: str,
    now: datetime,
) -> None:
    """A member posted this session's card; `message` is what the messenger calls it.

    What it says was true when it was offered, perhaps a little earlier: after its first minute it
    is looked at once whatever happened.
    """
    if await db.get(Session, session_id) is None:
        return
    if await db.scalar(select(PostedCard.id).where(PostedCard.message == message)) is not None:
        return
    db.add(
        PostedCard(
            member_id=member.id,
            message=message,
            session_id=session_id,
            language=language,
            told="",
            edited_at=now,
        )
    )


async def tend(db: AsyncSession, now: datetime) -> int:
    """Let the cards be edited that no longer tell the truth. Returns how many."""
    rested = and_(PostedCard.edited_at <= now - REST, Session.ends_at > now)
    sessions = await db.scalars(
        select(PostedCard.session_id)
        .join(Session, Session.id == PostedCard.session_id)
        .where(rested)
        .distinct()
    )
    ids = sessions.all()
    if not ids:
        return 0
    facts = {it.session.id: facts_of(it) for it in await events.items(db, ids, stranger(now))}
    # Each session has a sum of its own, so a card is true whose sum is among them.
    stale = and_(PostedCard.session_id.in_(facts), PostedCard.told.not_in(facts.values()))
    rows = await db.execute(
        select(PostedCard, Outbox.state, Outbox.settled_at, Session.ends_at)
        .join(Session, Session.id == PostedCard.session_id)
        .outerjoin(Outbox, Outbox.key == PostedCard.letter)
        .where(rested, stale)
        .order_by(PostedCard.edited_at)
        .limit(MOST)
    )
    edits = 0
    for card, state, settled_at, ends_at in rows.all():
        if state == Fate.FAILED:
            # Deleted, or out of reach: there is nothing to keep true any more.
            await db.delete(card)
        elif state in {Fate.QUEUED, Fate.STARTED}:
            continue
        elif settled_at is None or settled_at <= now - REST:
            _post(db, card, facts[card.session_id], now, ends_at)
            edits += 1
    await db.flush()
    return edits


def _post(db: AsyncSession, card: PostedCard, told: str, now: datetime, ends_at: datetime) -> None:
    card.told, card.edited_at = told, now
    card.letter = f"{KIND}:{card.id}:{int(now.timestamp() * 1000)}"
    outbox.post(
        db,
        key=card.letter,
        member_id=card.member_id,
        kind=KIND,
        about={"card": card.id},
        due=now,
        expires=ends_at,
        lane=Lane.BULK,
    )


def facts_of(item: Item) -> str:
    """What a card tells, as a short sum: another sum, another card."""
    session = item.session
    facts = (
        session.id,
        item.free,
        item.in_line if item.free == 0 else 0,
        session.title,
        session.room,
        session.online,
        session.starts_at,
        session.ends_at,
        session.cancelled_at is not None,
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


async def standing(
    db: AsyncSession, card_ids: Sequence[int], now: datetime
) -> dict[int, tuple[PostedCard, Item]]:
    """Those of these cards whose session is not over, with what is true of it now."""
    cards = (await db.scalars(select(PostedCard).where(PostedCard.id.in_(card_ids)))).all()
    ids = list({card.session_id for card in cards})
    items = {it.session.id: it for it in await events.items(db, ids, stranger(now))}
    return {
        card.id: (card, items[card.session_id])
        for card in cards
        if card.session_id in items and items[card.session_id].session.ends_at > now
    }


async def forget_over(db: AsyncSession, now: datetime) -> None:
    """Let go of the cards of sessions that are over: they stay as they are."""
    over = select(Session.id).where(Session.ends_at <= now)
    await db.execute(
        delete(PostedCard)
        .where(PostedCard.session_id.in_(over))
        .execution_options(synchronize_session=False)
    )
