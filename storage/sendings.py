"""Sending: from "ready" to the last letter, each person once, whatever happens in between.

    ready --> sending <--> paused          (before that: `storage/announcements.py`)
                 |  '-------- | --> stopped
                 '----------> sent

`step` takes an announcement one short transaction further, and says whether there is more to do at
once: begin (its time has come), write down a slice of its audience, post a few seconds' worth of
letters, add up what became of them, end. Each step locks the announcement, begins where the last
one that was committed has ended, and inserts nothing twice: so it may be killed at any instant,
and two engines may do it side by side.

Pausing takes back the few letters that wait in the outbox; what has begun to leave is in flight.
Letters whose answer was lost are held as "unknown", until somebody of the team releases them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from math import ceil

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import group_chats, mailings, outbox, quiet, recipients, sending_cards
from storage.audiences import BadRule
from storage.tables import Announcement, AnnouncementText, Fate, Member, Outbox, Recipient, Stage

# Seconds' worth of the pace that wait in the outbox, and the most letters: what a pause takes back.
AHEAD_SECONDS, MOST_AHEAD = 3, 3_000
# Those that have begun, and have not ended.
UNDER_WAY = (Stage.SENDING, Stage.PAUSED)
# Letters in doubt that are shown, and released, at once.
MOST_DOUBTS = 20
# Rows that one statement names: a database takes only so many parameters.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Step:
    """What a step did: whether it posted something, and whether another can follow at once."""

    woke: bool = False
    more: bool = False


async def active(db: AsyncSession) -> Sequence[int]:
    """The announcements that a step may take further."""
    ends = and_(Announcement.stage == Stage.STOPPED, Announcement.finished_at.is_(None))
    begun = Announcement.stage.in_((Stage.READY, *UNDER_WAY))
    rows = await db.scalars(select(Announcement.id).where(or_(begun, ends)).order_by("id"))
    return rows.all()


async def step(
    db: AsyncSession, announcement_id: int, now: datetime, *, pace: float, home: str
) -> Step:
    """Take an announcement one step further, at `pace` letters a second.

    `home` is the zone of members of whom none is known.
    """
    announcement = await locked(db, announcement_id)
    if announcement is None:
        return Step()
    match announcement.stage:
        case Stage.READY:
            return await _begin(db, announcement, now, home)
        case Stage.SENDING if announcement.counted_at is None:
            return await _count(db, announcement, now, home)
        case Stage.SENDING:
            return await _send(db, announcement, now, pace)
        case Stage.PAUSED | Stage.STOPPED:
            await _settle(db, announcement, now)
    return Step()


async def _begin(db: AsyncSession, announcement: Announcement, now: datetime, home: str) -> Step:
    if recipients.begins_at(announcement, await quiet.rhythms(db), now, home) > now:
        return Step()
    announcement.stage, announcement.started_at = Stage.SENDING, now
    await sending_cards.begin(db, announcement, now)
    await group_chats.post(db, announcement, now)
    return Step(woke=True, more=True)


async def _count(db: AsyncSession, announcement: Announcement, now: datetime, home: str) -> Step:
    try:
        await recipients.write_down(db, announcement, now, home)
    except BadRule:
        # It names nobody: then nobody gets it.
        announcement.counted_at = now
    return Step(more=True)


async def _send(db: AsyncSession, announcement: Announcement, now: datetime, pace: float) -> Step:
    await _account(db, announcement, paused=False)
    ahead = min(MOST_AHEAD, max(1, ceil(pace * AHEAD_SECONDS)))
    posted = await mailings.post(db, announcement, now, ahead)
    if posted:
        return Step(woke=True, more=True)
    if not await mailings.left_open(db, announcement) and await group_chats.done(
        db, announcement.id
    ):
        await mailings.let_go_of_forgotten(db, announcement, now)
        announcement.stage, announcement.finished_at = Stage.SENT, now
    return Step()


async def _settle(db: AsyncSession, announcement: Announcement, now: datetime) -> None:
    stopped = announcement.stage == Stage.STOPPED
    await _account(db, announcement, paused=not stopped)
    if stopped and not await mailings.under_way(db, announcement):
        announcement.finished_at = now


async def _account(db: AsyncSession, announcement: Announcement, *, paused: bool) -> None:
    await mailings.gather(db, announcement, paused=paused)
    await group_chats.gather(db, announcement.id, paused=paused)


# --- what is read of it ---------------------------------------------------------------------


async def leaving(
    db: AsyncSession, ids: Collection[int]
) -> dict[tuple[int, str], tuple[Announcement, AnnouncementText]]:
    """Of these announcements, those that are being sent: each of their texts, by its language."""
    rows = await db.execute(_leaving(), {"ids": sorted(ids)})
    return {(one.id, text.language): (one, text) for one, text in rows}


@cache
def _leaving() -> Select[Announcement, AnnouncementText]:
    """Building this statement costs as much as running it, and it is asked with each batch."""
    return (
        select(Announcement, AnnouncementText)
        .join(AnnouncementText, AnnouncementText.announcement_id == Announcement.id)
        .where(
            Announcement.id.in_(bindparam("ids", expanding=True)),
            Announcement.stage == Stage.SENDING,
        )
    )


# --- what the team does ---------------------------------------------------------------------


async def locked(db: AsyncSession, announcement_id: int) -> Announcement | None:
    """The announcement as it is now, and nobody else's to change until the transaction ends."""
    return await db.get(Announcement, announcement_id, with_for_update=True, populate_existing=True)


async def pause(db: AsyncSession, announcement_id: int, now: datetime) -> Announcement | None:
    """Let nothing more leave until it is resumed. Returns the announcement; None: it isn't
    under way.
    """
    announcement = await locked(db, announcement_id)
    if announcement is None or announcement.stage != Stage.SENDING:
        return None
    announcement.stage = Stage.PAUSED
    await _take_back(db, announcement, now)
    return announcement


async def resume(db: AsyncSession, announcement_id: int, now: datetime) -> Announcement | None:
    """Let it go on. Returns the announcement; None: it isn't paused."""
    announcement = await locked(db, announcement_id)
    if announcement is None or announcement.stage != Stage.PAUSED:
        return None
    announcement.stage = Stage.SENDING
    await mailings.put_back(db, announcement, now)
    await group_chats.put_back(db, announcement.id, now)
    return announcement


async def stop(db: AsyncSession, announcement_id: int, now: datetime) -> Announcement | None:
    """Let nothing more leave, for good. Returns the announcement; None: it isn't under way."""
    announcement = await locked(db, announcement_id)
    if announcement is None or announcement.stage not in UNDER_WAY:
        return None
    announcement.stage, announcement.finished_at = Stage.STOPPED, None
    await _take_back(db, announcement, now)
    return announcement


async def _take_back(db: AsyncSession, announcement: Announcement, now: datetime) -> None:
    await mailings.withdraw(db, announcement, now)
    await group_chats.withdraw(db, announcement.id, now)


async def correct(
    db: AsyncSession, staff: Member, announcement_id: int, now: datetime
) -> Announcement | None:
    """Begin a correction: a draft that goes to exactly those who received this one.

    It begins with the words of the first. None: that one is still under way, or has not begun.
    """
    wrong = await locked(db, announcement_id)
    if wrong is None or wrong.stage not in (Stage.SENT, Stage.STOPPED):
        return None
    draft = Announcement(
        author_id=staff.id,
        post_id=staff.post_id,
        stage=Stage.DRAFT,
        purpose=wrong.purpose,
        fallback=wrong.fallback,
        rule={"received": wrong.id},
        corrects_id=wrong.id,
        created_at=now,
        edited_at=now,
    )
    db.add(draft)
    await db.flush()
    texts = await db.scalars(
        select(AnnouncementText).where(AnnouncementText.announcement_id == wrong.id)
    )
    copied = ("language", "text", "media", "file", "file_name", "link_label", "link_url")
    for text in texts.all():
        values = {name: getattr(text, name) for name in copied}
        db.add(AnnouncementText(announcement_id=draft.id, **values))
    await db.flush()
    return draft


# --- those who joined later -----------------------------------------------------------------


async def welcoming(db: AsyncSession, now: datetime) -> Sequence[Announcement]:
    """The announcements that those who join their audience now are to receive too."""
    rows = await db.scalars(
        select(Announcement).where(
            Announcement.stage.in_((Stage.SENDING, Stage.SENT)),
            Announcement.joiner_days > 0,
            Announcement.counted_at.is_not(None),
        )
    )
    return [
        one
        for one in rows
        if one.started_at and now < one.started_at + timedelta(days=one.joiner_days)
    ]


async def slices(db: AsyncSession) -> range:
    """After which ids the slices of members begin, for `recipients.joined`."""
    return range(0, await db.scalar(select(func.max(Member.id))) or 0, recipients.SLICE)


async def welcome(
    db: AsyncSession, announcement_id: int, ids: Sequence[int], now: datetime, home: str
) -> int:
    """Let these receive it too, each once. Returns how many."""
    announcement = await locked(db, announcement_id)
    if announcement is None or announcement.stage not in (Stage.SENDING, Stage.SENT):
        return 0
    added = await recipients.add_joined(db, announcement, ids, now, home)
    if added:
        await _go_on(db, announcement)
    return added


async def _go_on(db: AsyncSession, announcement: Announcement) -> None:
    """There is something to send again."""
    if announcement.stage == Stage.SENT:
        announcement.stage = Stage.SENDING
    if announcement.stage == Stage.STOPPED:
        announcement.finished_at = None
    await sending_cards.go_on(db, announcement.id)


# --- letters in doubt -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Doubt:
    """A letter whose answer was lost: it may have arrived. `row` is its outbox row's id."""

    row: int
    member_id: int
    name: str | None


async def doubts(db: AsyncSession, announcement_id: int) -> list[Doubt]:
    """The letters of an announcement that are in doubt, a screenful of them."""
    rows = await db.execute(
        select(Outbox.id, Member.id, Member.name)
        .select_from(Recipient)
        .join(Member, Member.id == Recipient.member_id)
        .join(Outbox, Outbox.key == recipients.key_of(announcement_id))
        .where(
            Recipient.announcement_id == announcement_id,
            Recipient.outcome == Fate.UNKNOWN.value,
        )
        .order_by(Recipient.id)
        .limit(MOST_DOUBTS)
    )
    return [Doubt(*row) for row in rows]


async def release(db: AsyncSession, announcement_id: int, now: datetime) -> list[int]:
    """Send the letters in doubt that `doubts` shows after all. Returns to which members."""
    announcement = await locked(db, announcement_id)
    if announcement is None or announcement.stage == Stage.STOPPED:
        return []
    held = await doubts(db, announcement_id)
    await outbox.release(db, [one.row for one in held], now)
    members = [one.member_id for one in held]
    await _reopen(db, announcement, members)
    return members


async def released(db: AsyncSession, rows: Sequence[int]) -> None:
    """These outbox rows were released: what becomes of recipients among them is open again."""
    for at in range(0, len(rows), _AT_ONCE):
        keys = await db.scalars(select(Outbox.key).where(Outbox.id.in_(rows[at : at + _AT_ONCE])))
        members: dict[int, list[int]] = {}
        for key in keys:
            name, *ids = key.split(":")
            if name == "announcement" and len(ids) == 2 and all(map(str.isdecimal, ids)):  # noqa: PLR2004  # see `recipients.key_of`
                members.setdefault(int(ids[0]), []).append(int(ids[1]))
        for announcement_id, those in sorted(members.items()):
            announcement = await locked(db, announcement_id)
            if announcement is not None:
                await _reopen(db, announcement, those)


async def _reopen(db: AsyncSession, announcement: Announcement, members: Sequence[int]) -> None:
    if await mailings.reopen(db, announcement, members):
        await _go_on(db, announcement)
