"""Forgetting: a member is gone, and what must still be counted of them is nobody's.

Their seats to come are given up by the usual rule, so the line moves; what they left at events that
were held belongs to a nobody of each (`storage/nobodies.py`); the announcements they received keep
their count. Then their row is deleted, and with it, by the foreign keys of every table, all that
hangs on it. A blank row takes its place, for an id that is free could be given to somebody else: in
the audit it stands for nobody.

That they were forgotten is kept as a keyed hash of each address, so that a backup from before can be
made to forget them again. The key lies beside the hashes: who has the whole database can find out
whether an address that they know already was forgotten, and nothing more.

SQLite overwrites what is deleted (`PRAGMA secure_delete`), but pages that were rearranged may hold an
old copy: `unwiped` tells that the file is to be made anew, which the engine does within the minute.
PostgreSQL keeps dead rows in its files until its own VACUUM; no dump and no query sees them.
"""

import hmac
import html
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import String, delete, func, insert, literal, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from storage import company, nobodies, rsvps
from storage.conversations import conversation_key
from storage.rsvps import HOLDING
from storage.tables import (
    Address,
    Announcement,
    Conversation,
    Erasure,
    ErasureKey,
    Fate,
    Introduction,
    IntroductionSide,
    Invitation,
    MeetingTime,
    MeetingTimeChoice,
    Member,
    Outbox,
    Progress,
    Recipient,
    Role,
    Rsvp,
    Seat,
    Session,
    Stage,
    Ticket,
    Update,
)

# What stands in the place of a letter's outcome when its reader left before it was known.
FORGOTTEN = "forgotten"
# The birth of a blank row: no day of anybody's.
_BLANK = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Erasures:
    """Who was forgotten: hashes of addresses with the moment, and the key that made them."""

    key: str
    at: Mapping[str, datetime]

    def of(self, channel: str, address: str) -> datetime | None:
        """When the person of this address was forgotten; None: they weren't."""
        return self.at.get(_digest(self.key, channel, address))


async def forget(db: AsyncSession, member: Member, now: datetime) -> None:
    """Forget this member, at once and for good.

    Whatever was read in this transaction before is let go of: nothing of it is written any more.
    Raises NotAlone in a transaction that others share, of whom that would be true as well.
    """
    company.must_be_alone(db)
    await db.flush()
    await db.execute(select(Member.id).where(Member.id == member.id).with_for_update())
    book = await db.execute(
        select(Address.channel, Address.address).where(Address.member_id == member.id)
    )
    addresses = [(channel, address) for channel, address in book]
    await _keep(db, addresses, now)
    await _give_up_seats(db, member, now)
    await nobodies.belongs_to_nobody(
        db, [(member.id, event) for event in await nobodies.events_of(db, member.id)]
    )
    await _close_books(db, member.id, now)
    await _erase_from_letters_of_others(db, member)
    await _end_introductions(db, member.id, now)
    await _erase_words(db, member.id, addresses)
    await _blank(db, member.id)


async def is_last_admin(db: AsyncSession, member: Member) -> bool:
    """Whether nobody could name members of the team any more without this one."""
    if member.role != Role.ADMIN:
        return False
    others = select(func.count()).where(Member.role == Role.ADMIN, Member.id != member.id)
    return not await db.scalar(others)


async def to_come(db: AsyncSession, member: Member, now: datetime) -> int:
    """How many seats and places in line the member would give up."""
    mine = await rsvps.seats_of(db, member, now)
    return sum(1 for rsvp, _, _ in mine if rsvp.state != Seat.CHECKED_IN)


# --- step by step ---------------------------------------------------------------------------


async def _give_up_seats(db: AsyncSession, member: Member, now: datetime) -> None:
    """What is to come goes to the line; of it nothing is counted. Locks in the usual order."""
    ahead = await db.scalars(
        select(Rsvp.session_id)
        .join(Session, Session.id == Rsvp.session_id)
        .where(
            Rsvp.member_id == member.id,
            Rsvp.state.in_((*HOLDING, Seat.WAITLISTED)),
            Rsvp.state != Seat.CHECKED_IN,
            Session.ends_at > now,
        )
        .order_by(Rsvp.session_id)
    )
    for session_id in ahead.all():
        await rsvps.give_up(db, member, session_id, now)
    unborn = select(Session.id).where(Session.ends_at > now)
    quietly = {"synchronize_session": False}
    await db.execute(
        delete(Rsvp)
        .where(
            Rsvp.member_id == member.id,
            Rsvp.session_id.in_(unborn),
            Rsvp.state != Seat.CHECKED_IN,
        )
        .execution_options(**quietly)
    )
    await db.execute(
        delete(Ticket)
        .where(Ticket.member_id == member.id, Ticket.used_at.is_(None))
        .execution_options(**quietly)
    )


async def _close_books(db: AsyncSession, member_id: int, now: datetime) -> None:
    """An announcement's recipient stays in its count, with what became of the letter so far."""
    letter = literal("announcement:") + sql_cast(Recipient.announcement_id, String)
    rows = await db.execute(
        select(Recipient, Outbox.state)
        .outerjoin(Outbox, Outbox.key == letter + literal(f":{member_id}"))
        .where(Recipient.member_id == member_id, Recipient.outcome.is_(None))
    )
    settled = (Fate.SENT, Fate.FAILED, Fate.UNKNOWN)
    for recipient, state in rows:
        recipient.outcome = (state if state in settled else Fate.VOID).value
        recipient.reason, recipient.settled_at = FORGOTTEN, now
    await db.flush()


async def _end_introductions(db: AsyncSession, member_id: int, now: datetime) -> None:
    """What was proposed stands until it lapses, as after silence: an early end would tell the others
    that somebody has left. An introduction that was agreed stays theirs.
    """
    theirs = select(IntroductionSide.introduction_id).where(IntroductionSide.member_id == member_id)
    whose = Introduction.id.in_(theirs)
    for statement in (
        update(Introduction)
        .where(whose, Introduction.progress == Progress.DRAFT)
        .values(progress=Progress.LAPSED),
        update(Introduction).where(whose, Introduction.ended_at.is_(None)).values(ended_at=now),
        update(Introduction).where(whose).values(reasons=[]),
        delete(MeetingTime).where(MeetingTime.introduction_id.in_(theirs)),
        delete(MeetingTimeChoice).where(MeetingTimeChoice.introduction_id.in_(theirs)),
        update(Introduction).where(Introduction.asker_id == member_id).values(asked_why=None),
    ):
        await db.execute(statement.execution_options(synchronize_session=False))


async def _erase_from_letters_of_others(db: AsyncSession, member: Member) -> None:
    """Those whom they were introduced to were sent their name, and perhaps their contact."""
    theirs = select(IntroductionSide.introduction_id).where(IntroductionSide.member_id == member.id)
    sides = await db.execute(
        select(IntroductionSide.introduction_id, IntroductionSide.member_id).where(
            IntroductionSide.introduction_id.in_(theirs), IntroductionSide.member_id != member.id
        )
    )
    shared = {(id_, other) for id_, other in sides}
    others = {other for _, other in shared}
    letters = await db.execute(
        select(Outbox.id, Outbox.member_id, Outbox.about).where(
            Outbox.member_id.in_(others), Outbox.sent_text.is_not(None)
        )
    )
    told = [id_ for id_, other, about in letters if (about.get("introduction"), other) in shared]
    await db.execute(
        update(Outbox)
        .where(Outbox.id.in_(told))
        .values(sent_text=None)
        .execution_options(synchronize_session=False)
    )
    called = (member.name or "").split()
    answers = await db.scalars(select(Update).where(Update.member_id.in_(others)))
    for one in answers.all() if called else ():
        if html.escape(called[0], quote=False) in json.dumps(one.answer, ensure_ascii=False):
            # Should the update come again, nothing is said and nothing is done.
            one.answer = []
    await db.flush()


async def _erase_words(
    db: AsyncSession, member_id: int, addresses: Collection[tuple[str, str]]
) -> None:
    """Erase what no foreign key ties to the member."""
    for channel, address in addresses:
        # The one that is being served, too: nothing may write it again.
        conversation = await db.get(Conversation, conversation_key(channel, address))
        if conversation is not None:
            await db.delete(conversation)
    await db.flush()
    drafts = (Announcement.author_id == member_id, Announcement.stage == Stage.DRAFT)
    for statement in (
        delete(Update).where(Update.member_id == member_id),
        delete(Announcement).where(*drafts),
        update(Announcement).where(Announcement.approver_id == member_id).values(comment=None),
        update(Invitation).where(Invitation.made_by == member_id).values(made_by=None),
    ):
        await db.execute(statement.execution_options(synchronize_session=False))


async def _blank(db: AsyncSession, member_id: int) -> None:
    gone = delete(Member).where(Member.id == member_id)
    await db.execute(gone.execution_options(synchronize_session=False))
    await db.execute(insert(Member).values(id=member_id, created_at=_BLANK, role=Role.MEMBER))
    db.expunge_all()


# --- that it stays so -----------------------------------------------------------------------


async def erasures(db: AsyncSession) -> Erasures:
    """Who was forgotten so far. To be read before a restore, from the database that it replaces."""
    key = await db.scalar(select(ErasureKey.value)) or ""
    rows = await db.execute(select(Erasure.digest, Erasure.at))
    return Erasures(key, {row.digest: row.at for row in rows})


async def apply_again(db: AsyncSession, known: Erasures, now: datetime) -> int:
    """After a restore: forget again whom `known` says was forgotten, and keep that list.

    Who came back after they were forgotten stays. Returns how many people were forgotten now.
    """
    if not known.at:
        return 0
    # The list of the backup is older, and perhaps made with another key: what it says has been done.
    await db.execute(delete(Erasure))
    await db.execute(delete(ErasureKey))
    await db.execute(insert(ErasureKey).values(id=1, value=known.key))
    rows = [{"digest": digest, "at": at} for digest, at in known.at.items()]
    await db.execute(insert(Erasure), rows)
    book = await db.execute(
        select(Member, Address.channel, Address.address, Address.since)
        .join(Address, Address.member_id == Member.id)
        .order_by(Member.id)
    )
    again: dict[int, Member] = {}
    for member, channel, address, since in book:
        at = known.of(channel, address)
        if at is not None and (since or member.created_at) <= at:
            again[member.id] = member
    for member in again.values():
        await forget(db, member, now)
    return len(again)


async def unwiped(db: AsyncSession) -> Sequence[str]:
    """Whose erasure the database's file has not been made anew for, as their hashes."""
    return (await db.scalars(select(Erasure.digest).where(Erasure.wiped_at.is_(None)))).all()


async def wiped(db: AsyncSession, digests: Collection[str], now: datetime) -> None:
    """The file holds nothing any more of those: `digests` were read before it was made anew."""
    await db.execute(update(Erasure).where(Erasure.digest.in_(digests)).values(wiped_at=now))


async def _keep(db: AsyncSession, addresses: Collection[tuple[str, str]], now: datetime) -> None:
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(ErasureKey).values(id=1, value=secrets.token_hex(32))
    await db.execute(fresh.on_conflict_do_nothing(index_elements=["id"]))
    key = await db.scalar(select(ErasureKey.value)) or ""
    for channel, address in addresses:
        row = dialect.insert(Erasure).values(digest=_digest(key, channel, address), at=now)
        again = {"at": now, "wiped_at": None}
        await db.execute(row.on_conflict_do_update(index_elements=["digest"], set_=again))


def _digest(key: str, channel: str, address: str) -> str:
    return hmac.new(key.encode(), f"{channel}:{address}".encode(), sha256).hexdigest()
