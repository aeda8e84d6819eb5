"""Arrangements: how far people who all said yes are with agreeing on a time, as one of them sees it.

What has passed, or collides with what one of them holds by now, leaves the table when it is looked
at, and others are laid on it. Whoever looks holds the introduction's row.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import introduction_parties, meeting_profiles
from storage.introduction_parties import Party
from storage.meeting_suggestions import LENGTH, NOTICE, NUMBER, Diary, suggest
from storage.quiet import Rhythm
from storage.room import HOLDING
from storage.tables import (
    Answer,
    Introduction,
    IntroductionSide,
    MeetingTime,
    MeetingTimeChoice,
    Member,
    Progress,
    Rsvp,
    Session,
)

# The zone of those whose own is not known.
HOME = "Africa/Casablanca"
# Later suggestions begin on another day than those before: so far from one lies nothing of its day.
ANOTHER_DAY = timedelta(hours=13)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How far they are, as one of them sees it. People are places; `place` is the reader's."""

    party: Party
    place: int
    zones: Sequence[str]
    # When they meet; None: it isn't agreed, or is over.
    meets_at: datetime | None
    # The table: each time, and whom it suits.
    suggested: Sequence[tuple[datetime, frozenset[int]]]
    # Who said that they can't meet.
    absent: frozenset[int]

    @property
    def ticks_of_others(self) -> frozenset[int]:
        """Those besides the reader whom something on the table suits."""
        return frozenset().union(*(suits for _, suits in self.suggested)) - {self.place}


async def arrangement(
    db: AsyncSession, member: Member, introduction_id: int, now: datetime
) -> Arrangement | None:
    """How far they are, with three times on the table unless one is agreed or somebody can't meet.

    None: nothing is arranged between them, or it is none of theirs.
    """
    found = await standing(db, member, introduction_id)
    return None if found is None else await look(db, *found, now)


async def standing(
    db: AsyncSession, member: Member, introduction_id: int
) -> tuple[Party, int] | None:
    """The introduction, locked, and the member's place; None: nothing is arranged between them."""
    await db.execute(
        select(Introduction.id).where(Introduction.id == introduction_id).with_for_update()
    )
    party = (await introduction_parties.parties(db, [introduction_id])).get(introduction_id)
    place = party.place_of(member.id) if party else None
    if party is None or place is None or party.introduction.progress != Progress.AGREED:
        return None
    if not party.willing or await meeting_profiles.any_barred(db, party.members):
        return None
    return party, place


async def look(db: AsyncSession, party: Party, place: int, now: datetime) -> Arrangement:
    """How far a party is that was found standing, as the member at this place sees it."""
    absent = frozenset(side.place for side in party.sides if side.answer == Answer.NOT_NOW)
    meets_at = coming(party, now)
    ticked: Sequence[tuple[datetime, frozenset[int]]] = ()
    if meets_at is None and not absent:
        ticked = await _table(db, party, now)
    return Arrangement(party, place, _zones(party), meets_at, ticked, absent)


def coming(party: Party, now: datetime) -> datetime | None:
    """The agreed time, unless that is over."""
    at = party.introduction.meets_at
    return at if at is not None and now < at + LENGTH else None


def _zones(party: Party) -> Sequence[str]:
    return [Rhythm.read(member.rhythm).zone or HOME for member in party.members]


async def _table(
    db: AsyncSession, party: Party, now: datetime
) -> Sequence[tuple[datetime, frozenset[int]]]:
    """What is on the table and whom it suits; what can't be any more leaves it, others come."""
    id_ = party.introduction.id
    there = await db.scalars(
        select(MeetingTime.starts_at)
        .where(MeetingTime.introduction_id == id_)
        .order_by(MeetingTime.starts_at)
    )
    diaries = await diaries_of(db, party, now)
    stood = there.all()
    left = [at for at in stood if at > now and all(diary.free(at) for diary in diaries)]
    if len(left) < NUMBER:
        after = max([now + NOTICE, *(at + ANOTHER_DAY for at in stood)])
        more = suggest(diaries, after, number=NUMBER - len(left))
        await lay(db, id_, [at for at in stood if at not in left], more)
        left += more
    suits: dict[datetime, set[int]] = {at: set() for at in left}
    chosen = await db.execute(
        select(MeetingTimeChoice.starts_at, MeetingTimeChoice.member_id).where(
            MeetingTimeChoice.introduction_id == id_
        )
    )
    for at, member_id in chosen:
        place = party.place_of(member_id)
        if place is not None and at in suits:
            suits[at].add(place)
    return [(at, frozenset(places)) for at, places in sorted(suits.items())]


async def lay(
    db: AsyncSession, introduction_id: int, gone: Collection[datetime], new: Collection[datetime]
) -> None:
    """Take times off the table, with the ticks at them, and lay others on it."""
    if gone:
        for table in (MeetingTime, MeetingTimeChoice):
            await db.execute(
                delete(table).where(
                    table.introduction_id == introduction_id, table.starts_at.in_(gone)
                )
            )
    db.add_all(MeetingTime(introduction_id=introduction_id, starts_at=at) for at in new)
    await db.flush()


async def clear(db: AsyncSession, introduction_id: int) -> None:
    """Take everything off the table."""
    for table in (MeetingTime, MeetingTimeChoice):
        await db.execute(delete(table).where(table.introduction_id == introduction_id))


async def to_come(db: AsyncSession, member: Member, now: datetime) -> Sequence[Arrangement]:
    """The meetings on which the member has agreed, the soonest first."""
    theirs = await db.scalars(
        select(Introduction.id)
        .join(IntroductionSide, IntroductionSide.introduction_id == Introduction.id)
        .where(
            IntroductionSide.member_id == member.id,
            Introduction.progress == Progress.AGREED,
            Introduction.meets_at > now - LENGTH,
        )
        .order_by(Introduction.meets_at, Introduction.id)
    )
    found = [await arrangement(db, member, id_, now) for id_ in theirs.all()]
    return [one for one in found if one is not None and one.meets_at is not None]


async def diaries_of(
    db: AsyncSession, party: Party, now: datetime, *, without: datetime | None = None
) -> Sequence[Diary]:
    """What each holds from now on: seats, and meetings with others. `without`: nor on that day."""
    people = [member.id for member in party.members]
    taken: dict[int, list[tuple[datetime, datetime]]] = {id_: [] for id_ in people}
    seats = await db.execute(
        select(Rsvp.member_id, Session.starts_at, Session.ends_at)
        .join(Session, Session.id == Rsvp.session_id)
        .where(
            Rsvp.member_id.in_(people),
            Rsvp.state.in_(HOLDING),
            Session.cancelled_at.is_(None),
            Session.ends_at > now,
        )
    )
    for member_id, starts_at, ends_at in seats:
        taken[member_id].append((starts_at, ends_at))
    meetings = await db.execute(
        select(IntroductionSide.member_id, Introduction.meets_at)
        .join(Introduction, Introduction.id == IntroductionSide.introduction_id)
        .where(
            IntroductionSide.member_id.in_(people),
            Introduction.id != party.introduction.id,
            Introduction.progress == Progress.AGREED,
            Introduction.meets_at > now - LENGTH,
        )
    )
    for member_id, meets_at in meetings:
        if meets_at is not None:
            taken[member_id].append((meets_at, meets_at + LENGTH))
    if without is not None:
        taken[people[0]].append((without - ANOTHER_DAY, without + ANOTHER_DAY))
    rhythms = [Rhythm.read(member.rhythm) for member in party.members]
    return [
        Diary(rhythm.zone or HOME, rhythm.hours, tuple(taken[id_]))
        for id_, rhythm in zip(people, rhythms, strict=True)
    ]
