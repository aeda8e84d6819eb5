"""Introductions: two or three members are proposed to each other; all must say yes.

    draft --> proposed --> agreed      all said yes: each gets the others' contact
                  '------> lapsed      somebody did not, or did not answer in time

A refusal is never told, and time does not tell it either: a proposal always stands for `TO_ANSWER`,
whatever was answered meanwhile, and whoever said yes then reads that it did not work out, in the
same words and at the same moment as after silence. So it is when somebody leaves introductions or is
forgotten meanwhile: the nudge, which names nobody, and the end come when they would have come. Until
then each may change their mind. Only when nobody is left who waits (all sides refused) it ends at
once, and nothing is said.

Whoever lets `SILENT` proposals in a row pass is paused, with a notice.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import meeting_profiles, outbox
from storage.introduction_parties import agreeing
from storage.tables import (
    Answer,
    Fate,
    Introduction,
    IntroductionSide,
    Lane,
    MeetingProfile,
    Member,
    Occasion,
    Outbox,
    Progress,
)

# The letters: a proposal (and its nudge), all yes, it did not work out, and a pause after silence.
KIND, AGREED, ENDED, PAUSED = "introduction", "introduced", "introduction_end", "meeting_pause"
# For how long a proposal stands, and when whoever has said nothing is asked once more.
TO_ANSWER, NUDGE_AFTER = timedelta(hours=48), timedelta(hours=24)
# Proposals in a row without an answer, until their member is paused.
SILENT = 3
# Until when a letter about an end is worth sending late.
_WORTH_SENDING = timedelta(days=2)


class Outcome(StrEnum):
    """What an answer came to."""

    # It is noted, and others are waited for.
    NOTED = "noted"
    # All said yes.
    AGREED = "agreed"
    # It is over, or was never theirs.
    OVER = "over"


# --- proposing ------------------------------------------------------------------------------


async def create(
    db: AsyncSession,
    people: Sequence[int],
    now: datetime,
    *,
    occasion: Occasion,
    affinity: int,
    reasons: list[Any],
    round_id: int | None = None,
) -> Introduction:
    """Write an introduction of these members down, in this order; nobody is told yet."""
    introduction = Introduction(
        occasion=occasion,
        round_id=round_id,
        progress=Progress.DRAFT,
        affinity=affinity,
        reasons=reasons,
        made_at=now,
    )
    db.add(introduction)
    await db.flush()
    db.add_all(
        IntroductionSide(introduction_id=introduction.id, member_id=member_id, place=place)
        for place, member_id in enumerate(people)
    )
    await db.flush()
    return introduction


async def propose(
    db: AsyncSession, drafts: Sequence[Introduction], now: datetime
) -> Sequence[Introduction]:
    """Ask all sides. Those that became impossible since they were drafted are deleted, unsaid."""
    sides = await _sides(db, [one.id for one in drafts])
    people = {side.member_id for group in sides.values() for side in group}
    willing = set(
        await db.scalars(select(Member.id).where(Member.id.in_(people), meeting_profiles.active()))
    )
    busy = await engaged(db)
    barred = await meeting_profiles.barred_pairs(db, people)
    proposed = []
    for one in drafts:
        group = sides.get(one.id, [])
        ids = [side.member_id for side in group]
        forbidden = any(frozenset((a, b)) in barred for a in ids for b in ids if a < b)
        if len(ids) < 2 or not set(ids) <= willing - busy or forbidden:  # noqa: PLR2004  # two
            await db.delete(one)
            continue
        busy |= set(ids)
        one.progress, one.proposed_at, one.lapses_at = Progress.PROPOSED, now, now + TO_ANSWER
        for member_id in ids:
            _post(db, KIND, one.id, member_id, now, expires=one.lapses_at)
        proposed.append(one)
    await db.flush()
    return proposed


async def engaged(db: AsyncSession) -> set[int]:
    """Who has a proposal that stands: one at a time is enough."""
    rows = await db.scalars(
        select(IntroductionSide.member_id)
        .join(Introduction, Introduction.id == IntroductionSide.introduction_id)
        .where(Introduction.progress == Progress.PROPOSED)
    )
    return set(rows)


# --- answering ------------------------------------------------------------------------------


async def answer(
    db: AsyncSession,
    member: Member,
    introduction_id: int,
    said: Answer,
    now: datetime,
    *,
    about: int | None = None,
) -> Outcome:
    """A member answers, or changes their answer. `about`: of NEVER, the place of whom they mean."""
    one = await db.scalar(
        select(Introduction).where(Introduction.id == introduction_id).with_for_update()
    )
    sides = (await _sides(db, [introduction_id])).get(introduction_id, [])
    mine = next((side for side in sides if side.member_id == member.id), None)
    if one is None or mine is None or one.progress != Progress.PROPOSED:
        return Outcome.OVER
    if one.lapses_at is None or one.lapses_at <= now:
        return Outcome.OVER
    mine.answer, mine.answered_at = said, now
    if said == Answer.NEVER:
        for other in sides:
            if other is not mine and about in (None, other.place):
                await meeting_profiles.never_person(db, member.id, other.member_id, now)
    profile = await db.get(MeetingProfile, member.id)
    if profile is not None:
        profile.silent = 0
    answers = [side.answer for side in sides]
    # Whoever has left introductions since they said yes gives nobody their contact.
    people = {side.member_id for side in sides}
    whole = one.ended_at is None and people <= await agreeing(db, people)
    if whole and all(given == Answer.YES for given in answers):
        one.progress, one.agreed_at = Progress.AGREED, now
        for side in sides:
            _post(db, AGREED, one.id, side.member_id, now)
        await db.flush()
        return Outcome.AGREED
    # Whoever was forgotten counts as silent: their others hear nothing earlier than after silence.
    if one.ended_at is None and all(g in (Answer.NOT_NOW, Answer.NEVER) for g in answers):
        one.progress, one.ended_at = Progress.LAPSED, now
    await db.flush()
    return Outcome.NOTED


async def tend(db: AsyncSession, now: datetime) -> int:
    """Nudge those who have said nothing, and end what nobody can agree on any more.

    Returns how many letters were posted.
    """
    posted = 0
    waiting = await db.execute(
        select(IntroductionSide, Introduction)
        .join(Introduction, Introduction.id == IntroductionSide.introduction_id)
        .where(
            Introduction.progress == Progress.PROPOSED,
            Introduction.lapses_at > now,
            Introduction.proposed_at <= now - NUDGE_AFTER,
            IntroductionSide.answer.is_(None),
            IntroductionSide.nudged_at.is_(None),
        )
        .order_by(IntroductionSide.introduction_id, IntroductionSide.place)
    )
    for side, one in waiting.all():
        side.nudged_at = now
        _post(db, KIND, one.id, side.member_id, now, expires=one.lapses_at, nudge=True)
        posted += 1
    over = await db.scalars(
        select(Introduction)
        .where(Introduction.progress == Progress.PROPOSED, Introduction.lapses_at <= now)
        .order_by(Introduction.id)
        .with_for_update()
    )
    lapsed = over.all()
    sides = await _sides(db, [one.id for one in lapsed])
    for one in lapsed:
        one.progress, one.ended_at = Progress.LAPSED, one.ended_at or now
        for side in sides.get(one.id, []):
            if side.answer == Answer.YES:
                _post(db, ENDED, one.id, side.member_id, now)
                posted += 1
    silent = [s.member_id for group in sides.values() for s in group if s.answer is None]
    posted += await _note_silence(db, silent, now)
    await db.flush()
    return posted


async def awaited(db: AsyncSession, asked: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of these introductions and members: where one was sent a proposal that they can still answer."""
    rows = await db.execute(
        select(Introduction, IntroductionSide.member_id)
        .join(IntroductionSide, IntroductionSide.introduction_id == Introduction.id)
        .where(
            Introduction.id.in_({id_ for id_, _ in asked}),
            Introduction.progress == Progress.PROPOSED,
            IntroductionSide.answer.is_(None),
        )
    )
    keys = {}
    for one, member_id in rows:
        if (one.id, member_id) in asked and one.proposed_at is not None:
            keys[_key(KIND, one.id, member_id, one.proposed_at)] = one.id, member_id
            # That of a request from the directory (`storage/directory_requests.py`).
            keys[f"asked_for:{one.id}"] = one.id, member_id
    left = await db.scalars(
        select(Outbox.key).where(Outbox.key.in_(keys), Outbox.state.in_((Fate.SENT, Fate.UNKNOWN)))
    )
    return {keys[key] for key in left}


async def stands(db: AsyncSession, member: Member, introduction_id: int, now: datetime) -> bool:
    """Whether this is a proposal to the member that they can still answer."""
    theirs = select(Introduction.id).join(
        IntroductionSide, IntroductionSide.introduction_id == Introduction.id
    )
    standing = theirs.where(
        Introduction.id == introduction_id,
        Introduction.progress == Progress.PROPOSED,
        Introduction.lapses_at > now,
        IntroductionSide.member_id == member.id,
    )
    return await db.scalar(standing) is not None


async def _note_silence(db: AsyncSession, silent: Sequence[int], now: datetime) -> int:
    if not silent:
        return 0
    await db.execute(
        update(MeetingProfile)
        .where(MeetingProfile.member_id.in_(silent))
        .values(silent=MeetingProfile.silent + 1)
        .execution_options(synchronize_session=False)
    )
    tired = await db.scalars(
        select(MeetingProfile)
        .where(
            MeetingProfile.member_id.in_(silent),
            MeetingProfile.silent >= SILENT,
            MeetingProfile.paused_at.is_(None),
        )
        .order_by(MeetingProfile.member_id)
        .execution_options(populate_existing=True)
    )
    posted = 0
    for profile in tired.all():
        profile.paused_at = now
        _post(db, PAUSED, 0, profile.member_id, now)
        posted += 1
    return posted


# --- in common ------------------------------------------------------------------------------


async def _sides(db: AsyncSession, ids: Collection[int]) -> Mapping[int, list[IntroductionSide]]:
    rows = await db.scalars(
        select(IntroductionSide)
        .where(IntroductionSide.introduction_id.in_(ids))
        .order_by(IntroductionSide.introduction_id, IntroductionSide.place)
    )
    sides: dict[int, list[IntroductionSide]] = {}
    for side in rows:
        sides.setdefault(side.introduction_id, []).append(side)
    return sides


def _key(kind: str, introduction_id: int, member_id: int, at: datetime) -> str:
    return f"{kind}:{introduction_id}:{member_id}:{int(at.timestamp())}"


def _post(
    db: AsyncSession,
    kind: str,
    introduction_id: int,
    member_id: int,
    now: datetime,
    *,
    expires: datetime | None = None,
    nudge: bool = False,
) -> None:
    about: dict[str, Any] = {"introduction": introduction_id}
    if nudge:
        about["nudge"] = True
    outbox.post(
        db,
        key=_key(kind, introduction_id, member_id, now),
        member_id=member_id,
        kind=kind,
        about=about,
        due=now,
        expires=expires or now + _WORTH_SENDING,
        lane=Lane.PERSONAL,
    )
