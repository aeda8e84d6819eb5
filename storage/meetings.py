"""Meetings: each side is asked once whether they met, and how it was.

Those who agreed on a time are asked a day after it, all others a week after they said yes; whoever
was asked before they agreed on a time is asked again. Nobody is asked after one of them said that
they can't meet. The stars weigh in the next round (`affinity.taste`); nobody else reads them.
"""

from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import meeting_times, outbox
from storage.meeting_suggestions import LENGTH
from storage.tables import Introduction, IntroductionSide, Lane, Member, Progress

KIND = "meeting_question"
STARS = range(1, 6)
# How long after the yes they are asked, or after the meeting's end, and when it is too late for that.
AFTER, AFTER_MEETING, STALE = timedelta(days=7), timedelta(days=1), timedelta(days=21)


async def ask_due(db: AsyncSession, now: datetime) -> int:
    """Ask those who have met, or had a week to, each once. Returns how many letters were posted."""
    untimed, met = Introduction.meets_at.is_(None), now - LENGTH - AFTER_MEETING
    since = func.coalesce(Introduction.meets_at, Introduction.agreed_at)
    rows = await db.execute(
        select(IntroductionSide, since)
        .join(Introduction, Introduction.id == IntroductionSide.introduction_id)
        .where(
            Introduction.progress == Progress.AGREED,
            or_(
                and_(untimed, Introduction.agreed_at <= now - AFTER),
                Introduction.meets_at <= met,
            ),
            since > now - STALE,
            ~meeting_times.declined(),
            or_(
                IntroductionSide.asked_at.is_(None),
                and_(
                    IntroductionSide.asked_at < Introduction.meets_at,
                    IntroductionSide.met.is_not(True),
                ),
            ),
        )
        .order_by(IntroductionSide.introduction_id, IntroductionSide.place)
    )
    sides = rows.all()
    for side, began in sides:
        side.asked_at = now
        outbox.post(
            db,
            key=f"{KIND}:{side.introduction_id}:{side.member_id}:{int(began.timestamp())}",
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
