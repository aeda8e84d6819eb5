"""Requests from the directory: one member asks to be introduced to another, and says why.

It is an introduction like any other (`storage/introductions.py`), to which the asker said yes; so a
refusal is never told, and no contact is read before both said yes.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage import directory, introductions, outbox
from storage.tables import (
    Answer,
    Introduction,
    IntroductionSide,
    Lane,
    Member,
    Occasion,
    Progress,
)

# The letter to whom is asked for.
KIND = "asked_for"
# How many requests a member may make within a day: names are not to be collected.
A_DAY, MOST = timedelta(days=1), 3
# Characters of the reason.
LONGEST = 200


class Asked(StrEnum):
    """What a request came to."""

    SENT = "sent"
    # This person can't be found (any more).
    GONE = "gone"
    # The two are being introduced, or have been.
    ALREADY = "already"
    # Enough for a day.
    ENOUGH = "enough"


async def possible(db: AsyncSession, asker: Member, asked: int, now: datetime) -> Asked:
    """What would come of a request: SENT, or why not."""
    found = await directory.entries(db, asker, asked)
    if not (found and found[0].open):
        return Asked.GONE
    mine, theirs = aliased(IntroductionSide), aliased(IntroductionSide)
    known = (
        select(Introduction.id)
        .join(mine, mine.introduction_id == Introduction.id)
        .join(theirs, theirs.introduction_id == Introduction.id)
        .where(
            mine.member_id == asker.id,
            theirs.member_id == asked,
            or_(
                Introduction.progress.in_((Progress.PROPOSED, Progress.AGREED)),
                # Asked once, and it did not work out: not again, and no word of why.
                Introduction.asker_id == asker.id,
            ),
        )
        .limit(1)
    )
    if await db.scalar(known) is not None:
        return Asked.ALREADY
    recent = select(func.count()).where(
        Introduction.asker_id == asker.id, Introduction.made_at > now - A_DAY
    )
    return Asked.ENOUGH if (await db.scalar(recent) or 0) >= MOST else Asked.SENT


async def ask(db: AsyncSession, asker: Member, asked: int, why: str, now: datetime) -> Asked:
    """Ask somebody in the directory for an introduction."""
    # One at a time for this member, or two taps at once would be more than a day's number.
    await db.scalar(select(Member.id).where(Member.id == asker.id).with_for_update())
    outcome = await possible(db, asker, asked, now)
    if outcome != Asked.SENT:
        return outcome
    one = await introductions.create(
        db, (asker.id, asked), now, occasion=Occasion.DIRECTORY, affinity=0, reasons=[]
    )
    one.asker_id, one.asked_why = asker.id, why[:LONGEST]
    one.progress, one.proposed_at = Progress.PROPOSED, now
    one.lapses_at = now + introductions.TO_ANSWER
    mine = await db.get(IntroductionSide, (one.id, asker.id))
    if mine is not None:
        mine.answer, mine.answered_at = Answer.YES, now
    outbox.post(
        db,
        key=f"{KIND}:{one.id}",
        member_id=asked,
        kind=KIND,
        about={"introduction": one.id},
        due=now,
        expires=one.lapses_at,
        lane=Lane.PERSONAL,
    )
    await db.flush()
    return outcome
