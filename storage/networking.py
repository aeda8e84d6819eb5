"""Networking: the rounds of a session in which people meet at tables, one after another.

    gathering --> running <--> paused
        '------------'-----------'----> ended

Staff open it and start it; those who are in the session are invited and join by a tap. Shortly
before a round begins its tables are drawn (`storage/networking_tables.py`) and each guest is told
theirs, early enough at the pace for the last of them. Whoever joins later has a place from the next
round on; whoever taps nothing for two rounds is taken to have left, and may come back by a tap.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, String, exists, literal, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncSession

from storage import networking_guests, networking_tables, outbox, presence
from storage.tables import (
    Course,
    Fate,
    Instant,
    Lane,
    Member,
    Networking,
    NetworkingSeat,
    Outbox,
    Session,
)

INVITATION, TABLE = "networking", "table"
# The kind of session that may be held so (`storage/agendas.py`).
SESSION_KIND = "networking"
ROUNDS, MINUTES = range(1, 21), range(2, 31)
# Time to read a letter and to stand up, and the longest that tables are drawn ahead.
TO_MOVE, LONGEST_AHEAD = timedelta(seconds=10), timedelta(minutes=1)


# --- staff's side ---------------------------------------------------------------------------


async def open_for(db: AsyncSession, session: Session, now: datetime) -> Networking:
    """Open it, or find it open. One that ended begins anew; its pairs are still remembered."""
    found = await networking_guests.of_session(db, session.id, lock=True)
    if found is None:
        found = Networking(
            session_id=session.id,
            course=Course.GATHERING,
            opened_at=now,
            board=secrets.token_urlsafe(16),
            rounds=5,
            minutes=8,
            round=0,
            drawn=0,
        )
        db.add(found)
        await db.flush()
    return found


async def start(db: AsyncSession, found: Networking, now: datetime) -> bool:
    """Draw the first tables and begin. False: it has begun, or fewer than two people are here."""
    if found.course != Course.GATHERING or await networking_guests.count(db, found) <= 1:
        return False
    await _draw(db, found, now)
    _begin(found, now)
    found.course = Course.RUNNING
    return True


def plan(found: Networking, *, rounds: int | None = None, minutes: int | None = None) -> None:
    """Choose how many rounds of how many minutes; a round that has begun keeps its length.

    What is out of `ROUNDS` or `MINUTES` is passed over, and no round that was begun is taken back.
    """
    if rounds is not None and rounds in ROUNDS and rounds >= max(1, found.drawn):
        found.rounds = rounds
    if minutes is not None and minutes in MINUTES:
        found.minutes = minutes


def pause(found: Networking, now: datetime) -> None:
    """Stop the clock."""
    if found.course == Course.RUNNING and found.until is not None:
        found.left = max(0, round((found.until - now).total_seconds()))
        found.course, found.until = Course.PAUSED, None


def resume(found: Networking, now: datetime) -> None:
    """Let the clock run on from where it stopped."""
    if found.course == Course.PAUSED:
        found.until = now + timedelta(seconds=found.left or 0)
        found.course, found.left = Course.RUNNING, None


def lengthen(found: Networking, minutes: int) -> bool:
    """Give the round some minutes more. False: it has none, or the next tables are told already."""
    if found.drawn > found.round or found.course not in (Course.RUNNING, Course.PAUSED):
        return False
    if found.until is not None:
        found.until += timedelta(minutes=minutes)
    elif found.left is not None:
        found.left += minutes * 60
    return True


def end(found: Networking) -> None:
    """End it, whatever the round."""
    found.course, found.until, found.left = Course.ENDED, None, None


# --- the clock's side -----------------------------------------------------------------------


async def tend(db: AsyncSession, now: datetime, pace: float) -> int:
    """Invite, draw, go on to the next round, end. Returns how many letters were posted."""
    open_now = select(Networking).where(Networking.course.in_(networking_guests.OPEN))
    posted = 0
    for found in (await db.scalars(open_now.with_for_update())).all():
        posted += await _invite(db, found, now)
        if found.course == Course.RUNNING and found.until is not None:
            guests = await networking_guests.count(db, found)
            ahead = min(timedelta(seconds=guests / pace) + TO_MOVE, LONGEST_AHEAD)
            if now >= found.until - ahead and found.drawn == found.round < found.rounds:
                posted += await _draw(db, found, found.until)
            if now >= found.until and found.round < found.rounds:
                _begin(found, max(found.until, now - LONGEST_AHEAD))
            elif now >= found.until:
                end(found)
    return posted


def _begin(found: Networking, at: datetime) -> None:
    found.round += 1
    found.until = at + timedelta(minutes=found.minutes)


async def _invite(db: AsyncSession, found: Networking, now: datetime) -> int:
    session = await db.get(Session, found.session_id)
    if session is None or session.cancelled_at is not None:
        return 0
    there = presence.was_there(session, door_kept=await presence.door_kept(db, session))
    key = literal(f"{INVITATION}:{session.id}:") + sql_cast(Member.id, String)
    readers = select(
        key.label("key"),
        Member.id.label("member_id"),
        literal(INVITATION).label("kind"),
        literal({"session": session.id}, Outbox.about.type).label("about"),
        literal(Lane.PERSONAL).label("lane"),
        literal(now, Instant()).label("due"),
        literal(now + timedelta(hours=2), Instant()).label("expires"),
        literal(Fate.QUEUED, Outbox.state.type).label("state"),
        literal(0).label("attempts"),
        literal(0).label("doubts"),
    ).where(there, ~exists().where(Outbox.key == key))
    columns = [column.name for column in readers.selected_columns]
    insert = outbox.insert_once(db).from_select(columns, readers)
    return cast("CursorResult[Any]", await db.execute(insert)).rowcount


async def _draw(db: AsyncSession, found: Networking, begins: datetime) -> int:
    """Draw the tables of the round to come, and tell them."""
    number = found.drawn + 1
    await networking_guests.find_who_left(db, found, begins)
    tables = networking_tables.draw(
        await networking_guests.present_guests(db, found),
        await networking_guests.met_pairs(db, found.session_id, number),
    )
    found.drawn = number
    for place, people in enumerate(tables, start=1):
        for member_id in people:
            db.add(
                NetworkingSeat(
                    session_id=found.session_id, round=number, member_id=member_id, table=place
                )
            )
            outbox.post(
                db,
                key=f"{TABLE}:{found.session_id}:{number}:{member_id}:{int(begins.timestamp())}",
                member_id=member_id,
                kind=TABLE,
                about={
                    "session": found.session_id,
                    "round": number,
                    "begins": begins.timestamp(),
                },
                lane=Lane.PERSONAL,
                due=begins - LONGEST_AHEAD,
                expires=begins + timedelta(minutes=found.minutes),
            )
    await db.flush()
    return sum(map(len, tables))
