"""Ratings: one to five stars and perhaps a sentence, from those who were there.

Some minutes after its end a session's ratings are asked for, once: of those who were checked in,
there or at the event's entrance; where nobody kept a door, of all who had a seat. Whoever has
quiet hours then is asked when they are over. Staff read figures and sentences, never names.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    String,
    and_,
    case,
    exists,
    literal,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from storage import outbox, presence, quiet
from storage.quiet import Rhythm
from storage.tables import (
    Asked,
    Event,
    Fate,
    Instant,
    Lane,
    Member,
    Outbox,
    Rating,
    Session,
)

KIND = "rating"
STARS = range(1, 6)
# Characters of a sentence.
SENTENCE = 500
# How long after its end a session is asked about, and until when that is worth doing at all.
AFTER, STALE = timedelta(minutes=10), timedelta(days=1)
# Until when an unanswered question is sent late, and until when an answer is taken.
EXPIRES, OPEN = timedelta(days=3), timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a member may say of a session, and what they said so far."""

    session: Session
    event: Event
    stars: int | None
    sentence: str | None


@dataclass(frozen=True, slots=True)
class Tally:
    """The ratings of a session: how many for each number of stars, and the sentences."""

    counts: dict[int, int]
    sentences: Sequence[str]

    @property
    def number(self) -> int:
        """How many people rated."""
        return sum(self.counts.values())

    @property
    def average(self) -> float:
        """The average of the stars; 0 without ratings."""
        stars = sum(stars * times for stars, times in self.counts.items())
        return stars / self.number if self.number else 0.0


# --- asking ---------------------------------------------------------------------------------


async def post_due(db: AsyncSession, now: datetime) -> int:
    """Ask about the sessions that have ended, each once. Returns how many letters were posted."""
    posted = 0
    ended = await db.execute(
        select(Session, Event)
        .join(Event, Event.id == Session.event_id)
        .where(
            Session.ends_at <= now - AFTER,
            Session.ends_at > now - STALE,
            # For the sake of its index: no session lasts longer.
            Session.starts_at > now - STALE * 3,
            Session.cancelled_at.is_(None),
            ~exists().where(Asked.session_id == Session.id),
        )
        .order_by(Session.ends_at, Session.id)
    )
    for session, event in ended.all():
        if await _claim(db, session, now):
            posted += await _post(db, session, event, now)
    return posted


async def to_ask(
    db: AsyncSession, asked: Collection[tuple[int, int]]
) -> dict[tuple[int, int], tuple[Session, Event]]:
    """Of (session, member): those who haven't rated yet a session that took place."""
    rated = exists().where(Rating.session_id == Session.id, Rating.member_id == Member.id)
    rows = await db.execute(
        select(Member.id, Session, Event)
        .select_from(Member)
        .join(Session, Session.id.in_({session_id for session_id, _ in asked}))
        .join(Event, Event.id == Session.event_id)
        .where(
            Member.id.in_({member_id for _, member_id in asked}),
            Session.cancelled_at.is_(None),
            ~rated,
        )
    )
    return {(session.id, member_id): (session, event) for member_id, session, event in rows}


async def _claim(db: AsyncSession, session: Session, now: datetime) -> bool:
    """Write down that this session is asked about. False: somebody else did that."""
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    asked = dialect.insert(Asked).values(session_id=session.id, at=now)
    once = asked.on_conflict_do_nothing(index_elements=["session_id"])
    return (await db.execute(once.returning(Asked.session_id))).first() is not None


async def _post(db: AsyncSession, session: Session, event: Event, now: datetime) -> int:
    mornings = {
        written: morning
        for written in await quiet.rhythms(db)
        if (morning := loud_again(Rhythm.read(written), session, event, now)) > now
    }
    at_once = literal(now, Instant())
    due: ColumnElement[Any] = at_once
    if mornings:
        whens = {written: literal(moment, Instant()) for written, moment in mornings.items()}
        due = case(whens, value=Member.rhythm, else_=at_once)
    readers = (
        select(
            (literal(f"{KIND}:{session.id}:") + sql_cast(Member.id, String)).label("key"),
            Member.id.label("member_id"),
            literal(KIND).label("kind"),
            literal({"session": session.id}, Outbox.about.type).label("about"),
            literal(Lane.REMINDER).label("lane"),
            due.label("due"),
            literal(session.ends_at + EXPIRES, Instant()).label("expires"),
            literal(Fate.QUEUED, Outbox.state.type).label("state"),
            literal(0).label("attempts"),
            literal(0).label("doubts"),
        )
        .select_from(Member)
        .where(presence.was_there(session, door_kept=await presence.door_kept(db, session)))
    )
    columns = [column.name for column in readers.selected_columns]
    insert = outbox.insert_once(db).from_select(columns, readers)
    result = cast("CursorResult[Any]", await db.execute(insert))
    return result.rowcount


def loud_again(rhythm: Rhythm, session: Session, event: Event, now: datetime) -> datetime:
    """When a member of this rhythm may be asked: now, or when their quiet hours are over.

    Whoever was in a room has the day of that room.
    """
    if rhythm.hours is None:
        return now
    begins, ends = rhythm.hours
    zone = rhythm.zone if session.online else None
    local = now.astimezone(ZoneInfo(zone or event.timezone))
    minute = local.hour * 60 + local.minute
    is_quiet = begins <= minute < ends if begins < ends else minute >= begins or minute < ends
    if begins == ends or not is_quiet:
        return now
    day = local if minute < ends else local + timedelta(days=1)
    return day.replace(hour=ends // 60, minute=ends % 60, second=0, microsecond=0).astimezone(UTC)


# --- answering ------------------------------------------------------------------------------


async def opinion(
    db: AsyncSession, member: Member, session_id: int, now: datetime
) -> Opinion | None:
    """What this member may say of the session. None: they weren't there, or it is long ago."""
    row = await db.execute(
        select(Session, Event, Rating)
        .join(Event, Event.id == Session.event_id)
        .outerjoin(Rating, and_(Rating.session_id == Session.id, Rating.member_id == member.id))
        .where(
            Session.id == session_id,
            Session.cancelled_at.is_(None),
            Session.ends_at <= now,
            Session.ends_at > now - OPEN,
        )
    )
    found = row.first()
    if found is None:
        return None
    session, event = found[0], found[1]
    rating = cast("Rating | None", found[2])
    if rating is None:
        here = presence.was_there(session, door_kept=await presence.door_kept(db, session))
        if await db.scalar(select(Member.id).where(Member.id == member.id, here)) is None:
            return None
        return Opinion(session, event, None, None)
    return Opinion(session, event, rating.stars, rating.sentence)


async def rate(
    db: AsyncSession, member: Member, session_id: int, stars: int, now: datetime
) -> Opinion | None:
    """Give or change the stars. None: not theirs to rate, or not a number of stars."""
    said = await opinion(db, member, session_id, now)
    if said is None or stars not in STARS:
        return None
    rating = await _rating(db, member, session_id) or Rating(
        session_id=session_id, member_id=member.id
    )
    rating.stars, rating.at = stars, now
    db.add(rating)
    await db.flush()
    return Opinion(said.session, said.event, stars, rating.sentence)


async def add(
    db: AsyncSession, member: Member, session_id: int, sentence: str, now: datetime
) -> Opinion | None:
    """Add or change the sentence of a rating. None: there is no rating to add it to."""
    said = await opinion(db, member, session_id, now)
    rating = await _rating(db, member, session_id)
    if said is None or rating is None:
        return None
    rating.sentence, rating.at = sentence[:SENTENCE], now
    await db.flush()
    return Opinion(said.session, said.event, rating.stars, rating.sentence)


async def _rating(db: AsyncSession, member: Member, session_id: int) -> Rating | None:
    return await db.get(Rating, (session_id, member.id))


# --- reading them ---------------------------------------------------------------------------


async def tally(db: AsyncSession, session_id: int) -> Tally:
    """The ratings of a session, the newest sentences first."""
    rows = await db.execute(
        select(Rating.stars, Rating.sentence)
        .where(Rating.session_id == session_id)
        .order_by(Rating.at.desc(), Rating.member_id)
    )
    counts = dict.fromkeys(STARS, 0)
    sentences = []
    for stars, sentence in rows:
        counts[stars] += 1
        if sentence:
            sentences.append(sentence)
    return Tally(counts, sentences)
