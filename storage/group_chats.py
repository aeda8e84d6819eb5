"""Group chats: the groups and channels that an announcement may be posted to, too.

The messenger tells when the bot becomes an administrator somewhere, and when it no longer is; that
is all that is kept of a group. A posting's outbox row is its author's, with the group's address.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, cast, literal, not_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import mailings
from storage.tables import Announcement, Fate, GroupChat, GroupPosting, Lane, Outbox

KIND = "group_posting"
# So many are offered at once; the newest go first.
MOST = 30
# The reasons for which a posting fails when the group has closed to us (see `bot/verdicts.py`).
CLOSED = {"forbidden", "chat not found", "no right to write", "blocked"}


async def admitted(
    db: AsyncSession, channel: str, address: str, *, kind: str, title: str, now: datetime
) -> GroupChat:
    """The bot may post in this group or channel from now on."""
    found = await find(db, channel, address)
    if found is None:
        found = GroupChat(channel=channel, address=address, kind=kind, title=title, since=now)
        db.add(found)
    found.kind, found.title, found.left_at = kind, title[:128], None
    await db.flush()
    return found


async def left(db: AsyncSession, channel: str, address: str, now: datetime) -> None:
    """The bot can't post there any more."""
    found = await find(db, channel, address)
    if found is not None:
        found.left_at = found.left_at or now


async def moved(db: AsyncSession, channel: str, old: str, new: str) -> None:
    """A group has a new address: it became a supergroup."""
    found = await find(db, channel, old)
    if found is None:
        return
    if (other := await find(db, channel, new)) is not None:
        # The messenger has told of the new one already.
        other.left_at = found.left_at
        found.left_at = found.left_at or found.since
    else:
        found.address, found.kind = new, "supergroup"
    await db.execute(
        update(Outbox)
        .where(Outbox.to_channel == channel, Outbox.to_address == old, Outbox.state == Fate.QUEUED)
        .values(to_address=new)
        .execution_options(synchronize_session=False)
    )


async def find(db: AsyncSession, channel: str, address: str) -> GroupChat | None:
    """The group or channel at this address, whether the bot is in it or was."""
    here = (GroupChat.channel == channel, GroupChat.address == address)
    found: GroupChat | None = await db.scalar(select(GroupChat).where(*here))
    return found


async def open_to_us(db: AsyncSession) -> Sequence[GroupChat]:
    """Those in which the bot may post now."""
    rows = await db.scalars(
        select(GroupChat)
        .where(GroupChat.left_at.is_(None))
        .order_by(GroupChat.since.desc(), GroupChat.id.desc())
        .limit(MOST)
    )
    return rows.all()


# --- an announcement's ----------------------------------------------------------------------


async def postings(db: AsyncSession, announcement_id: int) -> Sequence[GroupPosting]:
    """The groups that an announcement is posted to, and what became of it there."""
    rows = await db.scalars(
        select(GroupPosting)
        .where(GroupPosting.announcement_id == announcement_id)
        .order_by(GroupPosting.group_id)
    )
    return rows.all()


async def standing(db: AsyncSession, announcement_id: int, group_id: int) -> GroupPosting | None:
    """The posting of an announcement in a group, if we can still post there."""
    found: GroupPosting | None = await db.scalar(
        select(GroupPosting)
        .join(GroupChat, GroupChat.id == GroupPosting.group_id)
        .where(
            GroupPosting.announcement_id == announcement_id,
            GroupPosting.group_id == group_id,
            GroupChat.left_at.is_(None),
        )
    )
    return found


async def toggle(db: AsyncSession, announcement: Announcement, group: GroupChat) -> None:
    """Tick or untick a group for an announcement that is locked and has not begun."""
    known = await db.get(GroupPosting, (announcement.id, group.id))
    if known is None:
        chosen = await postings(db, announcement.id)
        language = chosen[0].language if chosen else None
        db.add(GroupPosting(announcement_id=announcement.id, group_id=group.id, language=language))
    else:
        await db.delete(known)
    await db.flush()


async def speak(db: AsyncSession, announcement: Announcement, language: str | None) -> None:
    """Post it in this language; None: in all of them, one below the other."""
    await db.execute(
        update(GroupPosting)
        .where(GroupPosting.announcement_id == announcement.id)
        .values(language=language)
        .execution_options(synchronize_session=False)
    )


async def post(db: AsyncSession, announcement: Announcement, now: datetime) -> None:
    """It begins: post it to the groups that were chosen and are still open to us."""
    rows = await db.execute(
        select(GroupPosting, GroupChat)
        .join(GroupChat, GroupChat.id == GroupPosting.group_id)
        .where(GroupPosting.announcement_id == announcement.id)
        .order_by(GroupPosting.group_id)
    )
    for posting, group in rows.all():
        if group.left_at is not None or announcement.author_id is None:
            posting.outcome, posting.settled_at = Fate.VOID.value, now
            posting.reason = "the bot was removed" if group.left_at else "forgotten"
            continue
        db.add(
            Outbox(
                key=_key(announcement.id, group.id),
                member_id=announcement.author_id,
                kind=KIND,
                about={"announcement": announcement.id, "group": group.id},
                lane=Lane.BULK,
                due=now,
                state=Fate.QUEUED,
                attempts=0,
                doubts=0,
                to_channel=group.channel,
                to_address=group.address,
            )
        )
    await db.flush()


def _key(announcement_id: int, group_id: int) -> str:
    return f"{KIND}:{announcement_id}:{group_id}"


async def done(db: AsyncSession, announcement_id: int) -> bool:
    """Whether it is known what became of every posting."""
    waiting = select(GroupPosting.group_id).where(*_open(announcement_id))
    return not await db.scalar(select(waiting.exists()))


async def withdraw(db: AsyncSession, announcement_id: int, now: datetime) -> None:
    """Take back what waits in the outbox."""
    await db.execute(
        update(Outbox)
        .where(*_in_the_outbox(announcement_id), Outbox.state == Fate.QUEUED)
        .values(state=Fate.VOID, reason=mailings.PAUSED, settled_at=now)
        .execution_options(synchronize_session=False)
    )


async def put_back(db: AsyncSession, announcement_id: int, now: datetime) -> None:
    """Queue again what was taken back."""
    await db.execute(
        update(Outbox)
        .where(*_in_the_outbox(announcement_id), mailings.taken_back())
        .values(state=Fate.QUEUED, reason=None, settled_at=None, due=now)
        .execution_options(synchronize_session=False)
    )


async def gather(db: AsyncSession, announcement_id: int, *, paused: bool) -> None:
    """Write down what became of the postings, and which groups have closed to us."""
    settled = and_(
        *_open(announcement_id),
        Outbox.key == _key_in_sql(announcement_id),
        Outbox.state.not_in([Fate.QUEUED, Fate.STARTED]),
    )
    if paused:
        settled = and_(settled, not_(mailings.taken_back()))
    rows = await db.execute(
        update(GroupPosting)
        .where(settled)
        .values(
            outcome=cast(Outbox.state, String),
            reason=Outbox.reason,
            settled_at=Outbox.settled_at,
        )
        .returning(GroupPosting.group_id, GroupPosting.reason, GroupPosting.settled_at)
        .execution_options(synchronize_session=False)
    )
    for group_id, at in [(group, at) for group, reason, at in rows if reason in CLOSED]:
        group = await db.get(GroupChat, group_id)
        if group is not None:
            group.left_at = group.left_at or at


def _open(announcement_id: int) -> tuple[ColumnElement[bool], ...]:
    return (GroupPosting.announcement_id == announcement_id, GroupPosting.outcome.is_(None))


def _key_in_sql(announcement_id: int) -> ColumnElement[str]:
    return literal(f"{KIND}:{announcement_id}:") + cast(GroupPosting.group_id, String)


def _in_the_outbox(announcement_id: int) -> tuple[ColumnElement[bool], ...]:
    keys = select(_key_in_sql(announcement_id)).where(*_open(announcement_id))
    return (Outbox.key.in_(keys),)
