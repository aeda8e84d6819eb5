"""Rounds of introductions: a whole pool paired at once - every week, for an event, or by staff.

    drawing --> preview --> open --> closed
                   '------> dropped

A round is drawn outside any transaction, for it may take seconds: `next_drawing` reads the pool,
`pairing.pair` works in a thread, `write` keeps what came of it. Staff look at it before it goes;
a weekly round and a second pass open by themselves.

When the proposals of a round have lapsed, those who had said yes in vain, and those whom it left
out, are drawn once more on the same day: the second pass, which tries none of the same pairs again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import affinity, introduction_pools, introductions, meeting_profiles, outbox
from storage.affinity import Person, Terms
from storage.pairing import Pairing
from storage.room import SEATED
from storage.tables import (
    Answer,
    Event,
    Introduction,
    IntroductionSide,
    LeftOut,
    MeetingProfile,
    Member,
    Occasion,
    Progress,
    Round,
    RoundSchedule,
    RoundStage,
    Rsvp,
    Session,
)

# The letter that tells staff that their round is drawn.
DRAWN = "round_drawn"
WEEKLY = "weekly"
CROSSING = 2
_WORTH_SENDING = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that a pairing needs."""

    round_id: int
    pool: Sequence[Person]
    terms: Terms


# --- beginning ------------------------------------------------------------------------------


async def begin(
    db: AsyncSession,
    occasion: Occasion,
    now: datetime,
    *,
    made_by: int | None = None,
    event: Event | None = None,
    follows: Round | None = None,
) -> Round:
    """Ask for a round; it is drawn a moment later."""
    round_ = Round(
        occasion=occasion,
        stage=RoundStage.DRAWING,
        event_id=event.id if event else follows.event_id if follows else None,
        crossing=event.crossing if event else follows.crossing if follows else CROSSING,
        follows_id=follows.id if follows else None,
        made_by=made_by,
        made_at=now,
        pool=0,
    )
    db.add(round_)
    await db.flush()
    return round_


async def schedule(db: AsyncSession) -> RoundSchedule | None:
    """The weekly round's clock; None before anybody set it."""
    return await db.scalar(select(RoundSchedule).where(RoundSchedule.name == WEEKLY))


async def switch_weekly(
    db: AsyncSession, member: Member, now: datetime, zone: str, *, on: bool
) -> RoundSchedule:
    """Let a round go every week, on Mondays at ten by the clocks of this zone; or no more."""
    found = await schedule(db)
    if found is None:
        found = RoundSchedule(name=WEEKLY, weekday=0, minute=600, zone=zone)
        db.add(found)
    found.set_by = member.id
    found.next_at = next_weekly(found, now) if on else None
    await db.flush()
    return found


def next_weekly(by: RoundSchedule, now: datetime) -> datetime:
    """When the next weekly round goes, after `now`."""
    local = now.astimezone(ZoneInfo(by.zone))
    day = local.date() + timedelta(days=(by.weekday - local.weekday()) % 7)
    at = datetime.combine(day, time(by.minute // 60, by.minute % 60), ZoneInfo(by.zone))
    return at if at > now else datetime.combine(day + timedelta(days=7), at.timetz())


async def begin_due(db: AsyncSession, now: datetime) -> None:
    """Begin what the clock asks for: the weekly round, and the second pass of rounds that lapsed."""
    due = await db.scalar(
        select(RoundSchedule).where(RoundSchedule.next_at <= now).with_for_update()
    )
    if due is not None:
        due.next_at = next_weekly(due, now)
        await begin(db, Occasion.WEEKLY, now)
    waiting = exists().where(
        Introduction.round_id == Round.id, Introduction.progress == Progress.PROPOSED
    )
    over = await db.scalars(
        select(Round).where(Round.stage == RoundStage.OPEN, ~waiting).order_by(Round.id)
    )
    for round_ in over.all():
        round_.stage, round_.closed_at = RoundStage.CLOSED, now
        if round_.follows_id is None and len(await _freed(db, round_.id)) > 1:
            await begin(db, round_.occasion, now, follows=round_)


# --- drawing --------------------------------------------------------------------------------


async def next_drawing(db: AsyncSession) -> Drawing | None:
    """The pool of the round that is to be drawn now, if any."""
    round_ = await db.scalar(
        select(Round).where(Round.stage == RoundStage.DRAWING).order_by(Round.id).limit(1)
    )
    if round_ is None:
        return None
    wanted: set[int] | None = None
    if round_.follows_id is not None:
        wanted = await _freed(db, round_.follows_id)
    elif round_.event_id is not None:
        wanted = set(
            await db.scalars(
                select(Rsvp.member_id)
                .join(Session, Session.id == Rsvp.session_id)
                .where(Session.event_id == round_.event_id, Rsvp.state.in_(SEATED))
            )
        )
    people = await introduction_pools.pool(db, wanted)
    met, known = await introduction_pools.met_before(db)
    if round_.follows_id is not None:
        known |= await introduction_pools.pairs(db, Introduction.round_id == round_.follows_id)
    return Drawing(
        round_.id, people, affinity.terms(people, crossing=round_.crossing, met=met, known=known)
    )


async def write(db: AsyncSession, drawing: Drawing, drawn: Pairing, now: datetime) -> Round | None:
    """Keep what was drawn: as a preview for whoever asked, or else it opens at once.

    None: the round was dropped meanwhile.
    """
    round_ = await db.scalar(select(Round).where(Round.id == drawing.round_id).with_for_update())
    if round_ is None or round_.stage != RoundStage.DRAWING:
        return None
    round_.stage, round_.pool = RoundStage.PREVIEW, len(drawing.pool)
    for group in drawn.groups:
        await introductions.create(
            db,
            [person.id for person in group.people],
            now,
            occasion=round_.occasion,
            affinity=group.affinity,
            reasons=[reason.as_json() for reason in affinity.reasons(group.people, drawing.terms)],
            round_id=round_.id,
        )
    db.add_all(
        LeftOut(round_id=round_.id, member_id=person.id, why=why) for person, why in drawn.left_out
    )
    await db.flush()
    if round_.made_by is None:
        await open_(db, round_, now)
    else:
        outbox.post(
            db,
            key=f"{DRAWN}:{round_.id}",
            member_id=round_.made_by,
            kind=DRAWN,
            about={"round": round_.id},
            due=now,
            expires=now + _WORTH_SENDING,
        )
    return round_


async def count_active(db: AsyncSession) -> int:
    """How many members may be introduced now."""
    count = select(func.count()).select_from(Member).where(meeting_profiles.active())
    return await db.scalar(count) or 0


# --- opening --------------------------------------------------------------------------------


async def by_id(db: AsyncSession, round_id: int) -> Round | None:
    """The round, locked until the transaction ends."""
    return await db.scalar(select(Round).where(Round.id == round_id).with_for_update())


async def open_(db: AsyncSession, round_: Round, now: datetime) -> int:
    """Propose all that was drawn. Returns how many introductions went. Only a preview can open."""
    if round_.stage != RoundStage.PREVIEW:
        return 0
    drafts = await db.scalars(
        select(Introduction)
        .where(Introduction.round_id == round_.id, Introduction.progress == Progress.DRAFT)
        .order_by(Introduction.id)
    )
    proposed = await introductions.propose(db, drafts.all(), now)
    round_.stage, round_.opened_at = RoundStage.OPEN, now
    round_.lapses_at = now + introductions.TO_ANSWER
    if round_.follows_id is None:
        await _remember_left_out(db, round_)
    return len(proposed)


async def drop(db: AsyncSession, round_: Round, now: datetime) -> bool:
    """Let a round not take place: nobody was told of it. False: it is too late for that."""
    if round_.stage not in (RoundStage.DRAWING, RoundStage.PREVIEW):
        return False
    for draft in await db.scalars(select(Introduction).where(Introduction.round_id == round_.id)):
        await db.delete(draft)
    round_.stage, round_.closed_at = RoundStage.DROPPED, now
    await db.flush()
    return True


async def drawn(
    db: AsyncSession, round_: Round, first: int, most: int
) -> tuple[Sequence[int], int, Sequence[tuple[Member, str]]]:
    """Some of a round's introductions by id, the strongest first; how many there are; who is left."""
    of_round = Introduction.round_id == round_.id
    total = await db.scalar(select(func.count()).select_from(Introduction).where(of_round))
    ids = await db.scalars(
        select(Introduction.id)
        .where(of_round)
        .order_by(Introduction.affinity.desc(), Introduction.id)
        .offset(first)
        .limit(most)
    )
    left = await db.execute(
        select(Member, LeftOut.why)
        .join(LeftOut, LeftOut.member_id == Member.id)
        .where(LeftOut.round_id == round_.id)
        .order_by(Member.id)
    )
    return ids.all(), total or 0, [(member, why) for member, why in left]


async def _remember_left_out(db: AsyncSession, round_: Round) -> None:
    """Who was left out goes first next time; who was proposed to somebody starts from nothing."""
    left = select(LeftOut.member_id).where(LeftOut.round_id == round_.id)
    paired = (
        select(IntroductionSide.member_id)
        .join(Introduction, Introduction.id == IntroductionSide.introduction_id)
        .where(Introduction.round_id == round_.id)
    )
    profiles = update(MeetingProfile).execution_options(synchronize_session=False)
    await db.execute(
        profiles.where(MeetingProfile.member_id.in_(left)).values(
            passed_over=MeetingProfile.passed_over + 1
        )
    )
    await db.execute(profiles.where(MeetingProfile.member_id.in_(paired)).values(passed_over=0))


async def _freed(db: AsyncSession, round_id: int) -> set[int]:
    """Who said yes in vain in this round, and whom it left out."""
    vain = await db.scalars(
        select(IntroductionSide.member_id)
        .join(Introduction, Introduction.id == IntroductionSide.introduction_id)
        .where(
            Introduction.round_id == round_id,
            Introduction.progress == Progress.LAPSED,
            IntroductionSide.answer.in_((Answer.YES, Answer.NEVER)),
        )
    )
    left = await db.scalars(select(LeftOut.member_id).where(LeftOut.round_id == round_id))
    return {*vain, *left}
