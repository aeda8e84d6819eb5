"""Finding sessions in a large programme: by words, by theme, by what is on now and what comes next.

A session keeps the words that it is found by (`storage/folding.py`) in one column, written by every
rule that writes what they are made of. So any database finds them with LIKE, and needs no extension.
Lists are of ids: of 500 sessions only those on the page are read whole, by `events.items`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import events
from storage.folding import folded, searchable, shapes
from storage.tables import Event, Session, SessionTheme, Theme

# What is looked for fits into a button that turns the page, whose callback data have 64 bytes.
KEY_BYTES, KEY_WORDS = 48, 6
# More than this is no answer to a question.
MOST = 1000
# "Next" is what begins first, and what begins at most this much later.
NEXT = timedelta(hours=1)
# What a word weighs, by the line of `searchable` that it is in: title, speakers, themes, room.
_WEIGHTS = (8, 6, 3, 2)
# A word this short may be an article: without such words we look again.
_SHORT = 2


# --- what is found --------------------------------------------------------------------------


def key_of(typed: str) -> str:
    """The words of somebody's question as they are looked for; empty where there are none.

    A long question is cut at the ends of its words, which finds no less: beginnings are enough.
    """
    words = list(dict.fromkeys(folded(typed).split()))[:KEY_WORDS]
    while len(" ".join(words).encode()) > KEY_BYTES:
        longest = max(range(len(words)), key=lambda i: len(words[i].encode()))
        words[longest] = words[longest][:-1]
    return " ".join(words)


async def sessions_with(db: AsyncSession, key: str, now: datetime) -> list[int]:
    """The ids of the sessions that have all of these words, or words that begin so; best first.

    Those that are over come last. If nothing has all of them, words of one or two letters are
    passed over.
    """
    words = key.split()
    found = await _with_all(db, words, now)
    if not found:
        longer = [word for word in words if len(word) > _SHORT or word.isdecimal()]
        if longer != words:
            found = await _with_all(db, longer, now)
    return found


async def _with_all(db: AsyncSession, words: Sequence[str], now: datetime) -> list[int]:
    if not words:
        return []
    has_all = and_(
        *(
            or_(
                *(Session.found_by.contains(f" {shape}", autoescape=True) for shape in shapes(word))
            )
            for word in words
        )
    )
    rows = await db.execute(
        select(Session.id, Session.found_by, Session.starts_at, Session.ends_at)
        .join(Event, Event.id == Session.event_id)
        .where(has_all, *_shown(now))
        .order_by(Session.starts_at.desc())
        .limit(MOST)
    )
    ranked = sorted(
        (ends_at <= now, -_score(found_by, words), starts_at, id_)
        for id_, found_by, starts_at, ends_at in rows
    )
    return [id_ for *_, id_ in ranked]


def _score(found_by: str, words: Sequence[str]) -> int:
    lines = found_by.split("\n")

    def weight(word: str) -> int:
        # Twice the line's weight, and a little more for a whole word than for its beginning.
        return max(
            2 * by * any(f" {shape}" in line for shape in shapes(word))
            + any(f" {shape} " in line for shape in shapes(word))
            for line, by in zip(lines, _WEIGHTS, strict=False)
        )

    return sum(map(weight, words))


# --- what is on -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moment:
    """The ids of the sessions that are on now, and of those that begin next."""

    on: Sequence[int]
    next: Sequence[int]


async def at(db: AsyncSession, now: datetime) -> Moment:
    """What is on at this moment, what began last first; and what begins next."""
    standing = Session.cancelled_at.is_(None)
    on = await db.scalars(
        select(Session.id)
        .where(standing, Session.starts_at <= now, Session.ends_at > now)
        .order_by(Session.starts_at.desc(), Session.id)
        .limit(MOST)
    )
    first = select(func.min(Session.starts_at)).where(standing, Session.starts_at > now)
    soonest = await db.scalar(first)
    if soonest is None:
        return Moment(on.all(), ())
    coming = await db.scalars(
        select(Session.id)
        .where(standing, Session.starts_at > now, Session.starts_at <= soonest + NEXT)
        .order_by(Session.starts_at, Session.id)
        .limit(MOST)
    )
    return Moment(on.all(), coming.all())


# --- themes ---------------------------------------------------------------------------------


async def themes(db: AsyncSession, now: datetime) -> list[tuple[Theme, int]]:
    """The themes of what is still to come, and how many sessions each has."""
    rows = await db.execute(
        select(Theme, func.count())
        .join(SessionTheme, SessionTheme.theme_id == Theme.id)
        .join(Session, Session.id == SessionTheme.session_id)
        .where(Session.cancelled_at.is_(None), Session.ends_at > now)
        .group_by(Theme.id)
        .order_by(Theme.id)
    )
    return [(theme, number) for theme, number in rows]


async def sessions_about(db: AsyncSession, theme_id: int, now: datetime) -> list[int]:
    """The ids of the sessions of a theme that are not over, soonest first."""
    rows = await db.scalars(
        select(Session.id)
        .join(SessionTheme, SessionTheme.session_id == Session.id)
        .where(
            SessionTheme.theme_id == theme_id, Session.cancelled_at.is_(None), Session.ends_at > now
        )
        .order_by(Session.starts_at, Session.id)
        .limit(MOST)
    )
    return list(rows)


def _shown(now: datetime) -> tuple[ColumnElement[bool], ...]:
    # A day's grace covers every zone.
    yesterday = (now - timedelta(days=1)).date()
    return Session.cancelled_at.is_(None), Event.ends >= yesterday


# --- what a session is found by -------------------------------------------------------------


async def learn(db: AsyncSession, *which: ColumnElement[bool]) -> None:
    """Write down anew what these sessions are found by.

    To be called by every rule that changes a title, a room, speakers, or the themes of a session.
    """
    await db.flush()
    events.themes_changed(db)
    rows = list(await db.scalars(select(Session).where(*which)))
    ids = [session.id for session in rows]
    links = await db.execute(
        select(SessionTheme.session_id, Theme.name)
        .join(Theme, Theme.id == SessionTheme.theme_id)
        .where(SessionTheme.session_id.in_(select(Session.id).where(*which)))
        .order_by(Theme.id)
    )
    about: dict[int, list[dict[str, str]]] = {id_: [] for id_ in ids}
    for session_id, name in links:
        about.setdefault(session_id, []).append(name)
    for session in rows:
        words = searchable(session.title, session.speakers or (), about[session.id], session.room)
        if session.found_by != words:
            session.found_by = words
    await db.flush()
