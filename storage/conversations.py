"""Where each chat stands, and what was already answered to it.

An update's id is an idempotency key: its answer is kept with its effect, in the same transaction,
so an update that comes again gets the same answer and does nothing twice. Two processes that take
the same update at once both insert its answer; one of them fails, rolls back, and finds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Insert,
    Select,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from storage.batches import padded
from storage.tables import Address, Base, Conversation, Member, Update


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known when an update comes in."""

    # What was answered to it before; None: it is new.
    answer: list[dict[str, Any]] | None
    address: Address | None
    member: Member | None
    conversation: Conversation | None


async def arrive(
    db: AsyncSession, channel: str, updates: Sequence[tuple[int, str]]
) -> list[Arrival]:
    """Look up all that the intake needs of these updates, each an id and the address it came from.

    Three statements, each by the keys of one index. As a single one it was a join that PostgreSQL,
    before it had counted a new table, began by reading everybody's address.
    """
    ids = [update_id for update_id, _ in updates]
    addresses = [address for _, address in updates]
    keys = [conversation_key(channel, address) for address in addresses]
    given: dict[str, Any] = {"channel": channel, "ids": padded(ids)}
    given |= {"addresses": padded(addresses), "keys": padded(keys)}
    answers = {row.update_id: row.answer for row in await db.execute(_answered(), given)}
    people = {row[0].address: row for row in await db.execute(_people(), given)}
    standing = {one.key: one for one in await db.scalars(_standing(), given)}
    arrivals = []
    for update_id, sender, key in zip(ids, addresses, keys, strict=True):
        address, member = people.get(sender, (None, None))
        arrivals.append(Arrival(answers.get(update_id), address, member, standing.get(key)))
    return arrivals


# Building these statements costs as much as running them.


@cache
def _answered() -> Select[int, list[Any]]:
    ids = Update.update_id.in_(bindparam("ids", expanding=True))
    return select(Update.update_id, Update.answer).where(
        Update.channel == bindparam("channel"), ids
    )


@cache
def _people() -> Select[Address, Member]:
    addresses = Address.address.in_(bindparam("addresses", expanding=True))
    return (
        select(Address, Member)
        .join(Member, Member.id == Address.member_id)
        .where(Address.channel == bindparam("channel"), addresses)
    )


@cache
def _standing() -> Select[Conversation]:
    return select(Conversation).where(Conversation.key.in_(bindparam("keys", expanding=True)))


def conversation_key(channel: str, address: str) -> str:
    """The name under which a chat's conversation is kept."""
    return f"{channel}:{address}"


def new_conversation(channel: str, address: str) -> Conversation:
    """Nothing is asked and nothing answered; a row only if `keep_conversation` finds more."""
    return Conversation(key=conversation_key(channel, address), state=None, data={})


def keep_conversation(db: AsyncSession, conversation: Conversation) -> None:
    """Keep a new conversation, unless it is still where it began."""
    if conversation.state is not None or conversation.data:
        db.add(conversation)


async def language_of(db: AsyncSession, channel: str, address: str) -> str | None:
    """The language that this person chose; None if they haven't, or are unknown."""
    return await db.scalar(
        select(Member.language)
        .join(Address, Address.member_id == Member.id)
        .where(Address.channel == channel, Address.address == address)
    )


async def free(db: AsyncSession, channel: str, address: str) -> None:
    """Forget where a chat stands, whatever is written there: it is not even read."""
    await db.execute(
        update(Conversation)
        .where(Conversation.key == conversation_key(channel, address))
        .values(state=None, data={})
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was said to an update, and to whom (None: to somebody who leaves no trace)."""

    update_id: int
    answer: list[dict[str, Any]]
    member_id: int | None = None
    parked: bool = False


async def remember_answers(
    db: AsyncSession, channel: str, answers: Sequence[Remembered], now: datetime
) -> None:
    """Keep what was said. Raises IntegrityError if another process has answered one of them."""
    rows = [
        {
            "channel": channel,
            "update_id": one.update_id,
            "at": now,
            "answer": one.answer,
            "parked": one.parked,
            "member_id": one.member_id,
        }
        for one in answers
    ]
    if rows:
        # Of rows that nobody reads again in this transaction the session need not know.
        await db.execute(_remember(), rows)


@cache
def _remember() -> Insert:
    return insert(Base.metadata.tables[Update.__tablename__])


async def answer_to(db: AsyncSession, channel: str, update_id: int) -> list[dict[str, Any]] | None:
    """What was said to this update; None if it is unknown or long ago."""
    return await db.scalar(
        select(Update.answer).where(Update.channel == channel, Update.update_id == update_id)
    )


async def forget_answers(db: AsyncSession, before: datetime) -> int:
    """Drop answers older than a messenger could ask for again. Returns how many."""
    gone = await db.execute(
        delete(Update)
        .where(Update.at < before, Update.parked.is_(False))
        .returning(Update.update_id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
