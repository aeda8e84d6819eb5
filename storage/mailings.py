"""Mailings: the letters to an announcement's recipients, and the account of what became of them.

Letters are posted to the outbox in the order of their moments, with a cursor, and only a few
seconds' worth of the pace ahead: so an announcement is paused, and stopped, by a few statements
about few rows, whatever its size. Those posted and not settled are the "open" ones up to the
cursor; a partial index holds the open ones, so nothing here walks through those that are done.

What became of a letter is copied from the outbox as it settles, and added up in
`announcement.tally`: the account outlives the outbox, and costs nothing to look at.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage import outbox
from storage.recipients import key_of, kind_of, languages_of
from storage.tables import Announcement, Fate, Instant, Lane, Outbox, Recipient

# So many letters are posted at once: on SQLite, with its one writer, that takes a few hundredths of
# a second.
LETTERS = 500
# A slice has at least such a part of those that may wait.
WORTH = 6
# The reasons of letters that were taken back from the outbox; what a writer finds paused has the
# reason that delivery gives to all it doesn't send.
PAUSED, OVERTAKEN = "paused", "overtaken by events"

_Tally = dict[str, Any]


# --- posting --------------------------------------------------------------------------------


async def post(db: AsyncSession, announcement: Announcement, now: datetime, ahead: int) -> int:
    """Post the next slice of a locked announcement, as far as `ahead` letters wait in the outbox.

    Nothing, until there is room for a slice that is worth its statements. Returns how many were
    posted.
    """
    waiting = await db.scalar(select(func.count()).where(*_posted(announcement))) or 0
    room = min(LETTERS, ahead - waiting)
    if room < min(LETTERS, ahead // WORTH + 1):
        return 0
    due = and_(*_open(announcement), _place() > _cursor(announcement), Recipient.due <= now)
    order = (Recipient.due, Recipient.id)
    rows = (await db.execute(select(*order).where(due).order_by(*order).limit(room))).all()
    if not rows:
        return 0
    # A range of ids at each moment: what lies beyond is not looked at.
    ids: dict[datetime | None, list[int]] = {}
    for at, id_ in rows:
        ids.setdefault(at, []).append(id_)
    these = or_(
        *(
            and_(Recipient.due == at, Recipient.id >= at_once[0], Recipient.id <= at_once[-1])
            for at, at_once in ids.items()
        )
    )
    # Whose words are gone has nothing to read: its writer will find that.
    nothing = literal({"announcement": announcement.id}, Outbox.about.type)
    about = [
        (
            Recipient.language == language,
            literal({"announcement": announcement.id, "language": language}, Outbox.about.type),
        )
        for language in await languages_of(db, announcement.id)
    ]
    letters = select(
        key_of(announcement.id).label("key"),
        Recipient.member_id,
        literal(kind_of(announcement.purpose)).label("kind"),
        (case(*about, else_=nothing) if about else nothing).label("about"),
        literal(Lane.BULK).label("lane"),
        literal(now, Instant()).label("due"),
        literal(Fate.QUEUED, Outbox.state.type).label("state"),
        literal(0).label("attempts"),
        literal(0).label("doubts"),
    ).where(*_open(announcement), these, Recipient.member_id.is_not(None))
    columns = [column.name for column in letters.selected_columns]
    await db.execute(outbox.insert_once(db).from_select(columns, letters.order_by(*order)))
    announcement.cursor_due, announcement.cursor = rows[-1]
    return len(rows)


async def left_open(db: AsyncSession, announcement: Announcement) -> bool:
    """Whether there are recipients, not forgotten since, of whom nothing is known yet."""
    known = select(Recipient.id).where(*_open(announcement), Recipient.member_id.is_not(None))
    return await db.scalar(select(known.exists())) or False


async def under_way(db: AsyncSession, announcement: Announcement) -> bool:
    """Whether letters of it are in the outbox's hands just now, or the messenger's."""
    ours = select(Outbox.id).where(*_in_the_outbox(announcement, Fate.QUEUED, Fate.STARTED))
    return await db.scalar(select(ours.exists())) or False


async def withdraw(db: AsyncSession, announcement: Announcement, now: datetime) -> None:
    """Take back what waits in the outbox; what has begun to leave is in flight."""
    await db.execute(
        update(Outbox)
        .where(*_in_the_outbox(announcement, Fate.QUEUED))
        .values(state=Fate.VOID, reason=PAUSED, settled_at=now)
        .execution_options(synchronize_session=False)
    )


async def put_back(db: AsyncSession, announcement: Announcement, now: datetime) -> None:
    """Queue again what was taken back, or found paused by its writer."""
    await db.execute(
        update(Outbox)
        .where(*_in_the_outbox(announcement, Fate.VOID), taken_back())
        .values(state=Fate.QUEUED, reason=None, settled_at=None, due=now)
        .execution_options(synchronize_session=False)
    )


def _in_the_outbox(
    announcement: Announcement, *states: Fate
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    keys = select(key_of(announcement.id)).where(
        *_posted(announcement), Recipient.member_id.is_not(None)
    )
    # Said this way round, or SQLite might walk through all that is queued to find these.
    return Outbox.key.in_(keys), Outbox.state.not_in(set(Fate).difference(states))


def taken_back() -> ColumnElement[bool]:
    """The condition that an outbox row was taken back, and may be put back."""
    return and_(Outbox.state == Fate.VOID, Outbox.reason.in_([PAUSED, OVERTAKEN]))


# --- the account ----------------------------------------------------------------------------


async def gather(db: AsyncSession, announcement: Announcement, *, paused: bool) -> int:
    """Write down what became of the letters of a locked announcement. Returns of how many.

    While it is `paused`, what was taken back is not settled.
    """
    # Said this way round, or SQLite would begin with all that ever was settled.
    done = and_(
        *_posted(announcement),
        Recipient.member_id.is_not(None),
        Outbox.key == key_of(announcement.id),
        Outbox.state.not_in([Fate.QUEUED, Fate.STARTED]),
    )
    if paused:
        done = and_(done, not_(taken_back()))
    rows = await db.execute(
        update(Recipient)
        .where(done)
        .values(
            outcome=cast(Outbox.state, String),
            reason=case((Outbox.state == Fate.SENT, null()), else_=Outbox.reason),
            settled_at=Outbox.settled_at,
        )
        .returning(Recipient.outcome, Recipient.reason)
        .execution_options(synchronize_session=False)
    )
    return _add_up(announcement, [(outcome, reason) for outcome, reason in rows])


async def time_left(
    db: AsyncSession, announcement: Announcement, now: datetime, pace: float
) -> timedelta:
    """How long the rest will take at `pace` letters a second: until the last one's moment, at least."""
    left = announcement.size - settled(announcement)
    last = await db.scalar(select(func.max(Recipient.due)).where(*_open(announcement))) or now
    return max(timedelta(seconds=left / pace), last - now)


async def let_go_of_forgotten(db: AsyncSession, announcement: Announcement, now: datetime) -> None:
    """Who was forgotten before their letter left receives none."""
    rows = await db.execute(
        update(Recipient)
        .where(*_open(announcement), Recipient.member_id.is_(None))
        .values(outcome=Fate.VOID.value, reason="forgotten", settled_at=now)
        .returning(Recipient.outcome, Recipient.reason)
        .execution_options(synchronize_session=False)
    )
    _add_up(announcement, [(outcome, reason) for outcome, reason in rows])


async def reopen(db: AsyncSession, announcement: Announcement, members: Sequence[int]) -> int:
    """What becomes of the letters to these members, in doubt until now, is open again.

    The announcement is locked. Returns how many there were.
    """
    held = and_(
        Recipient.announcement_id == announcement.id,
        Recipient.member_id.in_(members),
        Recipient.outcome == Fate.UNKNOWN.value,
    )
    rows = (await db.execute(select(Recipient.outcome, Recipient.reason).where(held))).all()
    await db.execute(
        update(Recipient)
        .where(held)
        .values(outcome=None, reason=None, settled_at=None)
        .execution_options(synchronize_session=False)
    )
    return _add_up(announcement, [(outcome, reason) for outcome, reason in rows], sign=-1)


def settled(announcement: Announcement) -> int:
    """Of how many recipients it is known what became of their letter."""
    return sum(int(number) for number in (announcement.tally or {}).values())


def counted(tally: _Tally | None, outcome: Fate) -> int:
    """How many have this outcome, whatever the reason."""
    return sum(n for name, n in (tally or {}).items() if name.partition(":")[0] == outcome.value)


def reasons(tally: _Tally | None, outcome: Fate) -> list[tuple[str, int]]:
    """Why they have this outcome, the most frequent reason first."""
    found = [
        (name.partition(":")[2], n)
        for name, n in (tally or {}).items()
        if name.partition(":")[0] == outcome.value and n
    ]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def _add_up(
    announcement: Announcement, done: Sequence[tuple[str | None, str | None]], sign: int = 1
) -> int:
    if done:
        names = Counter(f"{outcome}:{why}" if why else f"{outcome}" for outcome, why in done)
        tally = Counter(announcement.tally or {})
        for name, number in names.items():
            tally[name] += sign * number
        # A new value: SQLAlchemy doesn't look into the old one.
        announcement.tally = {name: number for name, number in tally.items() if number}
    return len(done)


# --- conditions -----------------------------------------------------------------------------


def _open(announcement: Announcement) -> tuple[ColumnElement[bool], ...]:
    return (Recipient.announcement_id == announcement.id, Recipient.outcome.is_(None))


def _posted(announcement: Announcement) -> tuple[ColumnElement[bool], ...]:
    # Two ranges of the index. Of one that compares both, SQLite uses the moment only, and most have
    # the same: it would walk through all that is still to come.
    due, id_ = _reached(announcement)
    one = aliased(Recipient)
    open_ = (one.announcement_id == announcement.id, one.outcome.is_(None))
    before = select(one.id).where(*open_, one.due < due)
    with_it = select(one.id).where(*open_, one.due == due, one.id <= id_)
    return (Recipient.id.in_(union_all(before, with_it)),)


def _place() -> Any:
    return tuple_(Recipient.due, Recipient.id)


def _cursor(announcement: Announcement) -> Any:
    return tuple_(*_reached(announcement))


def _reached(announcement: Announcement) -> tuple[Any, Any]:
    # Before the first moment there is nothing.
    due = announcement.cursor_due or announcement.created_at
    return literal(due, Instant()), literal(announcement.cursor)
