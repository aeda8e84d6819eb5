"""Recipients: an announcement's audience as it was when it began.

The audience is written down by slices of members, one short transaction each, with a cursor
(`announcement.counted_to`); nobody is in it twice, however often a slice is begun. Each gets the
language that they will read and the moment from which their letter may leave.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Insert,
    Select,
    String,
    and_,
    case,
    exists,
    func,
    literal,
    not_,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from storage import audience_counts, quiet, team
from storage.audiences import Rule
from storage.quiet import Rhythm
from storage.tables import (
    Announcement,
    AnnouncementText,
    Instant,
    Member,
    Purpose,
    Recipient,
)

# So many members are asked at once whether they are meant: on SQLite, with its one writer, that
# takes a few hundredths of a second.
SLICE = 2_000


def kind_of(purpose: Purpose) -> str:
    """The kind of an announcement's outbox rows: delivery knows by it what readers must agree to."""
    return "announcement" if purpose == Purpose.ANNOUNCEMENTS else f"announcement:{purpose.value}"


def key_of(announcement_id: int) -> ColumnElement[str]:
    """The key of a recipient's outbox row, in a statement about recipients."""
    return literal(f"announcement:{announcement_id}:") + sql_cast(Recipient.member_id, String)


# --- moments --------------------------------------------------------------------------------


def begins_at(
    announcement: Announcement, rhythms: Iterable[str], now: datetime, home: str
) -> datetime:
    """When the first letter may leave; `home` is the zone of members of whom none is known."""
    if announcement.local_time is None:
        return now
    zones = {announcement.zone} if announcement.zone else {Rhythm.read(r).zone for r in rhythms}
    return min(_at(announcement.local_time, zone or home) for zone in zones or {home})


def moments(
    announcement: Announcement, rhythms: Iterable[str], begun: datetime, home: str
) -> dict[datetime, list[str]]:
    """From when on letters may leave, never before `begun`, and for which rhythms each is."""
    found: dict[datetime, list[str]] = {}
    for written in rhythms:
        rhythm, moment = Rhythm.read(written), begun
        if announcement.local_time is not None:
            zone = announcement.zone or rhythm.zone or home
            moment = max(begun, _at(announcement.local_time, zone))
        if announcement.quietly:
            moment = rhythm.awake(moment, home)
        found.setdefault(moment, []).append(written)
    return found


def _at(local_time: str, zone: str) -> datetime:
    return datetime.fromisoformat(local_time).replace(tzinfo=ZoneInfo(zone))


# --- the audience ---------------------------------------------------------------------------


async def write_down(
    db: AsyncSession, announcement: Announcement, now: datetime, home: str
) -> None:
    """Write down the next slice of the audience of a locked announcement; sets `counted_at` after
    the last. Raises BadRule.
    """
    last = await db.scalar(select(func.max(Member.id))) or 0
    upto = min(announcement.counted_to + SLICE, last)
    slice_ = and_(Member.id > announcement.counted_to, Member.id <= upto)
    meant = await _meant(db, announcement, announcement.started_at or now, home)
    announcement.size += await _add(db, meant.where(slice_))
    announcement.counted_to = upto
    if upto >= last:
        announcement.counted_at = now


async def joined(db: AsyncSession, announcement: Announcement, after: int) -> Sequence[int]:
    """Of the slice of members after this id: who is in the audience by now, and no recipient.

    For reading: nothing is locked.
    """
    slice_ = and_(Member.id > after, Member.id <= after + SLICE)
    # Their moments don't matter yet.
    meant = await _meant(db, announcement, announcement.created_at, "UTC")
    rows = await db.execute(meant.where(slice_, _stranger_to(announcement)))
    return [row.member_id for row in rows]


async def add_joined(
    db: AsyncSession, announcement: Announcement, ids: Sequence[int], now: datetime, home: str
) -> int:
    """Let these, if they are still meant, be recipients of a locked announcement too."""
    # Never before those who were posted already, or the cursor would pass them over.
    begun = max(now, announcement.cursor_due or now)
    meant = await _meant(db, announcement, begun, home)
    added = await _add(db, meant.where(Member.id.in_(ids), _stranger_to(announcement)))
    announcement.size += added
    return added


def _stranger_to(announcement: Announcement) -> ColumnElement[bool]:
    return not_(
        exists().where(
            Recipient.announcement_id == announcement.id, Recipient.member_id == Member.id
        )
    )


async def _meant(
    db: AsyncSession, announcement: Announcement, begun: datetime, home: str
) -> Select[Any]:
    """Those who are to receive it, as rows of `recipient`."""
    languages = await languages_of(db, announcement.id)
    groups = moments(announcement, await quiet.rhythms(db), begun, home)
    due = [(Member.rhythm.in_(those), literal(at, Instant())) for at, those in groups.items()]
    at_once = literal(begun, Instant())
    return audience_counts.recipients(
        announcement.rule or team.NOBODY,
        purpose=announcement.purpose,
        within=await _area(db, announcement),
        languages=languages,
        fallback=announcement.fallback,
    ).add_columns(
        literal(announcement.id).label("announcement_id"),
        # A rhythm that came up a moment ago is nobody's yet.
        (case(*due, else_=at_once) if due else at_once).label("due"),
    )


async def _area(db: AsyncSession, announcement: Announcement) -> Rule | None:
    """Whom its author reaches. A correction goes to all who received what it corrects."""
    if announcement.corrects_id is not None:
        return None
    author = await db.get(Member, announcement.author_id) if announcement.author_id else None
    return await team.area(db, author) if author else team.NOBODY


async def languages_of(db: AsyncSession, announcement_id: int) -> Sequence[str]:
    """The languages that an announcement has words in."""
    rows = await db.scalars(
        select(AnnouncementText.language)
        .where(AnnouncementText.announcement_id == announcement_id)
        .order_by(AnnouncementText.language)
    )
    return rows.all()


async def _add(db: AsyncSession, meant: Select[Any]) -> int:
    columns = [column.name for column in meant.selected_columns]
    insert = _insert_once(db).from_select(columns, meant)
    return cast("CursorResult[Any]", await db.execute(insert)).rowcount


def _insert_once(db: AsyncSession) -> Insert:
    keys = ["announcement_id", "member_id"]
    if db.get_bind().dialect.name == "postgresql":
        return postgresql.insert(Recipient).on_conflict_do_nothing(index_elements=keys)
    return sqlite.insert(Recipient).on_conflict_do_nothing(index_elements=keys)
