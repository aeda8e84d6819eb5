"""Retention: nothing stays longer than the notice says, by the numbers that the notice tells.

Each step is short and takes a small batch, so that nobody waits for it: the clock calls all of them
once an hour, and a step that found a full batch again at once. What a step leaves behind in the pages
of SQLite's file is overwritten (`PRAGMA secure_delete`).

    answers to updates      48 hours     deleted (`conversations.forget_answers`)
    words of sent letters   30 days      emptied, with the address; the row stays, without words
    strangers               30 days      people who never registered and fell silent: forgotten
    seats                   12 months    after the event they are nobody's (`storage/nobodies.py`),
                                         and letters as old are deleted: they say who had a seat
    members                 24 months    of silence: asked once; 30 days more: forgotten
    audit, erasures         3 years      deleted
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    delete,
    exists,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from storage import audit, conversations, forgetting, nobodies, outbox
from storage.tables import (
    Address,
    Door,
    Erasure,
    Event,
    Lane,
    Member,
    Outbox,
    PostedCard,
    Rating,
    Role,
    Rsvp,
    Session,
    Ticket,
    WalkIn,
)
from storage.terms import Retention

KIND = "still_there"
# How long whoever was asked has to answer.
TO_ANSWER = timedelta(days=30)
# Between two notes that somebody was seen: at most one write a day for each.
SEEN_AGAIN = timedelta(days=1)
# What one transaction takes on: rows, a person's seats at an event, whole people.
ROWS, SEATS, PEOPLE = 500, 50, 10

# A step: how much it did, and how much at most.
Step = Callable[[AsyncSession, Retention, datetime], Awaitable[bool]]


def steps() -> tuple[Step, ...]:
    """All that is to be done, each in a transaction of its own, again while it answers True."""
    return (answers, texts, letters, seats, ask, forget_silent, forget_strangers, old_acts)


def seen(member: Member, now: datetime) -> None:
    """The member wrote or tapped."""
    if member.seen_at is None or now - member.seen_at >= SEEN_AGAIN:
        member.seen_at = now


def is_asked(member: Member) -> bool:
    """Whether the member was asked if they are still there, and has been silent since."""
    if member.asked_at is None:
        return False
    return member.seen_at is None or member.seen_at < member.asked_at


async def answers(db: AsyncSession, kept: Retention, now: datetime) -> bool:
    """Drop what was answered to updates that can't come again."""
    await conversations.forget_answers(db, now - timedelta(hours=kept.answers_hours))
    return False


async def texts(db: AsyncSession, kept: Retention, now: datetime) -> bool:
    """Empty the words of letters that were sent, and where they went."""
    old = (
        select(Outbox.id)
        .where(
            Outbox.address.is_not(None), Outbox.settled_at < now - timedelta(days=kept.texts_days)
        )
        .order_by(Outbox.settled_at)
        .limit(ROWS)
    )
    done = await db.execute(
        update(Outbox)
        .where(Outbox.id.in_(old))
        .values(sent_text=None, address=None)
        .returning(Outbox.id)
        .execution_options(synchronize_session=False)
    )
    return len(done.all()) == ROWS


async def letters(db: AsyncSession, kept: Retention, now: datetime) -> bool:
    """Delete the oldest letters once they are as old as seats may be: they tell who had one."""
    oldest = (
        await db.execute(select(Outbox.id, Outbox.settled_at).order_by(Outbox.id).limit(ROWS))
    ).all()
    before = months_before(now, kept.seats_months)
    gone = [row.id for row in oldest if row.settled_at is not None and row.settled_at < before]
    await db.execute(
        delete(Outbox).where(Outbox.id.in_(gone)).execution_options(synchronize_session=False)
    )
    return len(gone) == ROWS


async def seats(db: AsyncSession, kept: Retention, now: datetime) -> bool:
    """Let what people left at an old event be nobody's."""
    before = months_before(now, kept.seats_months).date()
    event = await db.scalar(
        select(Event)
        .where(Event.ends < before, Event.nameless_at.is_(None))
        .order_by(Event.ends, Event.id)
        .limit(1)
    )
    if event is None:
        return False
    here = select(Session.id).where(Session.event_id == event.id)
    theirs: Any = union(
        select(Rsvp.member_id).where(Rsvp.session_id.in_(here), Rsvp.member_id > 0),
        select(Rating.member_id).where(Rating.session_id.in_(here), Rating.member_id > 0),
        select(Ticket.member_id).where(Ticket.event_id == event.id, Ticket.member_id > 0),
        select(WalkIn.member_id).where(WalkIn.event_id == event.id, WalkIn.member_id > 0),
    ).limit(SEATS)
    people = (await db.scalars(theirs)).all()
    await nobodies.belongs_to_nobody(db, [(member, event.id) for member in people])
    if len(people) < SEATS:
        await db.execute(delete(Door).where(Door.event_id == event.id))
        event.nameless_at = now
        await db.flush()
    return True


async def ask(db: AsyncSession, kept: Retention, now: datetime) -> bool:
    """Ask those who have been silent for very long whether they are still there."""
    before = months_before(now, kept.inactive_months)
    silent = await db.scalars(
        select(Member)
        .where(
            Member.registered_at < before,
            or_(Member.seen_at.is_(None), Member.seen_at < before),
            or_(Member.asked_at.is_(None), Member.asked_at < Member.seen_at),
        )
        .order_by(Member.id)
        .limit(ROWS)
    )
    asked = 0
    for member in silent.all():
        member.asked_at = now
        outbox.post(
            db,
            key=f"{KIND}:{member.id}:{int(now.timestamp())}",
            member_id=member.id,
            kind=KIND,
            about={},
            due=now,
            expires=now + TO_ANSWER,
            lane=Lane.BULK,
        )
        asked += 1
    await db.flush()
    return asked == ROWS


async def forget_silent(db: AsyncSession, kept: Retention, now: datetime) -> bool:
    """Forget those who did not answer. Not the last administrator: the house needs one."""
    del kept
    silent = and_(
        Member.registered_at.is_not(None),
        Member.asked_at <= now - TO_ANSWER,
        or_(Member.seen_at.is_(None), Member.seen_at < Member.asked_at),
    )
    return await _forget(db, silent, now)


async def forget_strangers(db: AsyncSession, kept: Retention, now: datetime) -> bool:
    """Forget people who wrote, never registered, and fell silent."""
    before = now - timedelta(days=kept.texts_days)
    silent = and_(
        Member.registered_at.is_(None),
        Member.role == Role.MEMBER,
        Member.created_at < before,
        or_(Member.seen_at.is_(None), Member.seen_at < before),
        exists().where(Address.member_id == Member.id),
        # A card that they posted somewhere is kept true until its session is over.
        ~exists().where(PostedCard.member_id == Member.id),
    )
    return await _forget(db, silent, now)


async def _forget(db: AsyncSession, whom: ColumnElement[bool], now: datetime) -> bool:
    found = await db.scalars(select(Member).where(whom).order_by(Member.id).limit(PEOPLE))
    gone = 0
    for member in found.all():
        if not await forgetting.is_last_admin(db, member):
            await forgetting.forget(db, member, now)
            gone += 1
    return gone == PEOPLE


async def old_acts(db: AsyncSession, kept: Retention, now: datetime) -> bool:
    """Drop what the team did, and who was forgotten, so long ago that no backup is as old."""
    before = months_before(now, 12 * kept.audit_years)
    await audit.drop_before(db, before)
    await db.execute(delete(Erasure).where(Erasure.at < before))
    return False


def months_before(now: datetime, months: int) -> datetime:
    """So many months ago, at the same time of day; never later in the month than the 28th."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return now.astimezone(UTC).replace(year=year, month=month + 1, day=min(now.day, 28))
