"""Where each chat stands, and what was already answered to it.

An update's id is an idempotency key: its answer is kept with its effect, in the same transaction,
so an update that comes again gets the same answer and does nothing twice. Two processes that take
the same update at once both insert its answer; one of them fails, rolls back, and finds it.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Insert,
    Select,
    String,
    and_,
    bindparam,
    delete,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Address, Base, Conversation, Member, Update


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known when an update comes in, read in a single statement."""

    known: Update | None
    address: Address | None
    member: Member | None
    conversation: Conversation | None


async def arrive(db: AsyncSession, channel: str, update_id: int, address: str) -> Arrival:
    """Look up all that the intake needs: statements are what costs."""
    key = conversation_key(channel, address)
    given = {"channel": channel, "update_id": update_id, "address": address, "key": key}
    return Arrival(*(await db.execute(_arrival(), given)).one())


@cache
def _arrival() -> Select[Any, Any, Any, Any]:
    # Building this statement costs as much as running it.
    one = select(literal(1).label("one")).subquery()
    channel, address = bindparam("channel", type_=String), bindparam("address", type_=String)
    this = and_(Update.channel == channel, Update.update_id == bindparam("update_id"))
    return (
        select(Update, Address, Member, Conversation)
        .select_from(one)
        .outerjoin(Update, this)
        .outerjoin(Address, and_(Address.channel == channel, Address.address == address))
        .outerjoin(Member, Member.id == Address.member_id)
        .outerjoin(Conversation, Conversation.key == bindparam("key"))
    )


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


async def remember_answer(
    db: AsyncSession,
    channel: str,
    update_id: int,
    answer: list[dict[str, Any]],
    now: datetime,
    *,
    member_id: int | None = None,
    parked: bool = False,
) -> None:
    """Keep what was said to this update, and to whom (None: to somebody who leaves no trace)."""
    row = {
        "channel": channel,
        "update_id": update_id,
        "at": now,
        "answer": answer,
        "parked": parked,
        "member_id": member_id,
    }
    # Of a row that nobody reads again in this transaction the session need not know.
    await db.execute(_remember(), row)


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
