"""Meetings: a week after all said yes, each side is asked whether they met and how it was.

The stars weigh in the next round (`affinity.taste`); nobody else reads them.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import outbox
from storage.tables import Introduction, IntroductionSide, Lane, Member, Progress

KIND = "meeting_question"
STARS = range(1, 6)
# How long after the yes they are asked, and when it is too late for that.
AFTER, STALE = timedelta(days=7), timedelta(days=21)


async def ask_due(db: AsyncSession, now: datetime) -> int:
    """Ask those who have had a week to meet, each once. Returns how many letters were posted."""
    rows = await db.scalars(
        select(IntroductionSide)
        .join(Introduction, Introduction.id == IntroductionSide.introduction_id)
        .where(
            Introduction.progress == Progress.AGREED,
            Introduction.agreed_at <= now - AFTER,
            Introduction.agreed_at > now - STALE,
            IntroductionSide.asked_at.is_(None),
        )
        .order_by(IntroductionSide.introduction_id, IntroductionSide.place)
    )
    sides = rows.all()
    for side in sides:
        side.asked_at = now
        outbox.post(
            db,
            key=f"{KIND}:{side.introduction_id}:{side.member_id}",
            member_id=side.member_id,
            kind=KIND,
            about={"introduction": side.introduction_id},
            due=now,
            expires=now + AFTER,
            lane=Lane.REMINDER,
        )
    await db.flush()
    return len(sides)


async def say(
    db: AsyncSession, member: Member, introduction_id: int, *, met: bool, stars: int | None
) -> bool:
    """Whether they met, and how it was. False: it is not theirs to say, or no number of stars."""
    side = await db.get(IntroductionSide, (introduction_id, member.id))
    if side is None or side.asked_at is None or (stars is not None and stars not in STARS):
        return False
    side.met, side.stars = met, stars if met else None
    return True
