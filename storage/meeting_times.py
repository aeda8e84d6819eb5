"""Meeting times: those who all said yes agree on when they meet.

    (nothing) --> suggested --> agreed        a time suits all: `introduction.meets_at`
                     ^  '--> others           whoever says that none suits gets three later ones
                     '---------'              another time, please: it is off, and suggested anew

Three times are on the table (`meeting_time`), and each side ticks those that suit them
(`meeting_time_choice`). The first that suits all is agreed at once; the table is cleared then. How far
they are, one of them sees as an arrangement (`storage/meeting_arrangements.py`).

"We can't meet" takes a side's yes back to "not now": nothing is suggested any more until they open
the card again. Only among those who all agree to introductions, and of whom none has named another
or their organisation as never to be met, anything is arranged.

Every rule holds the introduction's row, so of two who tap at once one comes after the other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage import outbox
from storage.introduction_parties import Party
from storage.meeting_arrangements import (
    ANOTHER_DAY,
    HOME,
    Arrangement,
    clear,
    coming,
    diaries_of,
    lay,
    look,
    standing,
)
from storage.meeting_suggestions import NOTICE, suggest
from storage.members import LEADS
from storage.quiet import Rhythm
from storage.tables import (
    Answer,
    Fate,
    Introduction,
    IntroductionSide,
    Lane,
    MeetingProfile,
    MeetingTime,
    MeetingTimeChoice,
    Member,
    Outbox,
)

# The letters: what suits the other, a time is agreed, it is off, and it is soon.
TIMES, SET, OFF, SOON = "meeting_times", "meeting_set", "meeting_off", "meeting_soon"
# How long ticks are waited for, so that several make one letter.
CALM = timedelta(minutes=1)
# How far ahead times are suggested, before it begins from the start.
FARTHEST = timedelta(days=21)
_WORTH_SENDING = timedelta(days=2)


class Outcome(StrEnum):
    """What a tick came to."""

    TICKED = "ticked"
    TAKEN_BACK = "taken back"
    AGREED = "agreed"
    # This time is not, or no longer, on the table.
    GONE = "gone"
    # Nothing is arranged between them (any more), or it is none of theirs.
    CLOSED = "closed"


async def open_(
    db: AsyncSession, member: Member, introduction_id: int, now: datetime
) -> Arrangement | None:
    """How far they are, by a tap: whoever had said that they can't meet can again."""
    found = await standing(db, member, introduction_id)
    if found is None:
        return None
    party, place = found
    if party.sides[place].answer == Answer.NOT_NOW:
        party.sides[place].answer, party.sides[place].answered_at = Answer.YES, now
    return await look(db, party, place, now)


# --- ticking --------------------------------------------------------------------------------


async def toggle(
    db: AsyncSession, member: Member, introduction_id: int, at: datetime, now: datetime
) -> Outcome:
    """A suggested time suits the member, or does no more. The first that suits all is agreed."""
    found = await standing(db, member, introduction_id)
    if found is None:
        return Outcome.CLOSED
    party, place = found
    people = [one.id for one in party.members]
    # Two introductions of one person, agreed at one instant, must not both be at the same time.
    await db.execute(
        select(MeetingProfile.member_id)
        .where(MeetingProfile.member_id.in_(people))
        .order_by(MeetingProfile.member_id)
        .with_for_update()
    )
    seen = await look(db, party, place, now)
    suits = dict(seen.suggested).get(at)
    if suits is None:
        return Outcome.GONE
    if place in suits:
        await db.execute(
            delete(MeetingTimeChoice).where(
                MeetingTimeChoice.introduction_id == introduction_id,
                MeetingTimeChoice.starts_at == at,
                MeetingTimeChoice.member_id == member.id,
            )
        )
        return Outcome.TAKEN_BACK
    db.add(MeetingTimeChoice(introduction_id=introduction_id, starts_at=at, member_id=member.id))
    await db.flush()
    if suits | {place} == set(range(len(people))):
        await _agree(db, party, place, at, now)
        return Outcome.AGREED
    for other in party.members:
        if other is not party.members[place] and not await _is_told(db, introduction_id, other):
            await _tell_tick(db, introduction_id, at, place, other, now)
    return Outcome.TICKED


async def others(
    db: AsyncSession, member: Member, introduction_id: int, last: datetime, now: datetime
) -> None:
    """None of the times up to `last` suits the member: three later ones, please.

    Whoever had ticked some is told. Nothing happens if others are on the table by now.
    """
    found = await standing(db, member, introduction_id)
    if found is None:
        return
    party, place = found
    seen = await look(db, party, place, now)
    stood = [at for at, _ in seen.suggested]
    if not stood or stood[-1] != last:
        return
    again = last > now + FARTHEST
    after = now + NOTICE if again else max(now + NOTICE, last + ANOTHER_DAY)
    new = suggest(await diaries_of(db, party, now), after)
    await lay(db, introduction_id, stood, new)
    for other in seen.ticks_of_others:
        reader = party.members[other]
        key = f"{TIMES}:{introduction_id}:{reader.id}:others:{int(now.timestamp())}"
        about = {"introduction": introduction_id, "others": True}
        await _once(db, TIMES, key, reader.id, about, _awake(reader, now + CALM, stood[0]))


async def _tell_tick(  # noqa: PLR0917  # who tells whom, of what, and when
    db: AsyncSession, introduction_id: int, at: datetime, place: int, other: Member, now: datetime
) -> None:
    """Tell somebody of a tick: once, however often it is taken back and set again."""
    key = f"{TIMES}:{introduction_id}:{other.id}:{int(at.timestamp())}:{place}"
    due = _awake(other, now + CALM, at)
    # It may have been taken back before anybody was told.
    unsaid = await db.execute(
        update(Outbox)
        .where(Outbox.key == key, Outbox.state == Fate.VOID)
        .values(state=Fate.QUEUED, due=due, expires=due + _WORTH_SENDING, settled_at=None)
        .returning(Outbox.id)
        .execution_options(synchronize_session=False)
    )
    if unsaid.first() is None:
        await _once(db, TIMES, key, other.id, {"introduction": introduction_id}, due)


async def _is_told(db: AsyncSession, introduction_id: int, member: Member) -> bool:
    """Whether a letter that tells what suits others waits for this member already."""
    waiting = await db.scalars(
        select(Outbox.about).where(
            Outbox.member_id == member.id, Outbox.kind == TIMES, Outbox.state == Fate.QUEUED
        )
    )
    return any(about["introduction"] == introduction_id for about in waiting)


def _awake(member: Member, due: datetime, at: datetime) -> datetime:
    """When this member may be told of something about `at`: after their night, unless that is late."""
    moment = Rhythm.read(member.rhythm).awake(due, HOME)
    return moment if moment < at else due


async def _agree(db: AsyncSession, party: Party, by: int, at: datetime, now: datetime) -> None:
    one = party.introduction
    one.meets_at = at
    await clear(db, one.id)
    about = {"introduction": one.id, "at": int(at.timestamp())}
    for place, member in enumerate(party.members):
        key = f"{SET}:{one.id}:{member.id}:{about['at']}:{int(now.timestamp())}"
        due = now if place == by else _awake(member, now, at)
        await _once(db, SET, key, member.id, about, due)
        for moment, minutes in _moments(member, at):
            if moment > now:
                key = f"{SOON}:{one.id}:{member.id}:{about['at']}:{int(moment.timestamp())}"
                soon = {**about, "minutes": minutes}
                await _once(db, SOON, key, member.id, soon, moment, expires=at)
    await db.flush()


def _moments(member: Member, at: datetime) -> Sequence[tuple[datetime, list[int]]]:
    """When this member's reminders would come, and for which leads each stands."""
    rhythm, moments = Rhythm.read(member.rhythm), dict[datetime, list[int]]()
    for minutes in LEADS:
        moment = rhythm.moment(at - timedelta(minutes=minutes), HOME)
        moments.setdefault(moment, []).append(minutes)
    return sorted(moments.items())


# --- calling off ----------------------------------------------------------------------------


async def another(
    db: AsyncSession, member: Member, introduction_id: int, at: datetime, now: datetime
) -> bool:
    """The agreed time is off, and others are suggested; all are told. False: it isn't so any more."""
    found = await standing(db, member, introduction_id)
    if found is None or found[0].introduction.meets_at != at or at <= now:
        return False
    party, place = found
    party.introduction.meets_at = None
    diaries = await diaries_of(db, party, now, without=at)
    await lay(db, introduction_id, (), suggest(diaries, now + NOTICE))
    await _tell_off(db, party, place, at, now, over=False)
    return True


async def decline(
    db: AsyncSession, member: Member, introduction_id: int, at: datetime | None, now: datetime
) -> bool:
    """The member can't meet: nothing is arranged any more, and the others are told, once.

    `at` is the agreed time that they saw; None: none. False: it isn't so any more.
    """
    found = await standing(db, member, introduction_id)
    if found is None or coming(found[0], now) != at:
        return False
    party, place = found
    side = party.sides[place]
    if side.answer == Answer.NOT_NOW:
        return True
    side.answer, side.answered_at = Answer.NOT_NOW, now
    if at is not None:
        party.introduction.meets_at = None
    await clear(db, introduction_id)
    await _tell_off(db, party, place, at, now, over=True)
    return True


async def _tell_off(  # who tells whom, of what, and when
    db: AsyncSession, party: Party, by: int, at: datetime | None, now: datetime, *, over: bool
) -> None:
    about: dict[str, Any] = {"introduction": party.introduction.id, "by": by, "over": over}
    if at is not None:
        about["at"] = int(at.timestamp())
    for side, member in zip(party.sides, party.members, strict=True):
        # Who called it off has a calendar, too; who had done so before needs no word of it.
        if at is not None or (side.place != by and side.answer != Answer.NOT_NOW):
            key = f"{OFF}:{party.introduction.id}:{member.id}:{int(now.timestamp())}"
            due = now if side.place == by else _awake(member, now, at or now + _WORTH_SENDING)
            await _once(db, OFF, key, member.id, about, due)
    await db.flush()


async def _once(  # noqa: PLR0917  # a row of the outbox
    db: AsyncSession,
    kind: str,
    key: str,
    member_id: int,
    about: dict[str, Any],
    due: datetime,
    *,
    expires: datetime | None = None,
) -> None:
    await db.execute(
        outbox.insert_once(db).values(
            key=key,
            member_id=member_id,
            kind=kind,
            about=about,
            due=due,
            expires=expires or due + _WORTH_SENDING,
            lane=Lane.REMINDER if kind == SOON else Lane.PERSONAL,
        )
    )


# --- what stays -----------------------------------------------------------------------------


async def forget_past(db: AsyncSession, now: datetime) -> None:
    """Let go of suggestions that have passed, and of whom they would have suited."""
    for table in (MeetingTime, MeetingTimeChoice):
        await db.execute(delete(table).where(table.starts_at <= now))


def declined() -> ColumnElement[bool]:
    """The condition, in a statement about introductions, that somebody said they can't meet."""
    # By another name: the statement around may read sides itself.
    side = aliased(IntroductionSide)
    return exists().where(side.introduction_id == Introduction.id, side.answer == Answer.NOT_NOW)
