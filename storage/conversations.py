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
    BigInteger,
    Insert,
    Select,
    String,
    and_,
    bindparam,
    delete,
    insert,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

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

    One statement for all of them: statements are what costs.
    """
    given: dict[str, Any] = {"channel": channel}
    for n, (update_id, address) in enumerate(updates):
        given |= {f"update_{n}": update_id, f"address_{n}": address}
        given |= {f"key_{n}": conversation_key(channel, address)}
    rows = await db.execute(_arrivals(len(updates)), given)
    found = {update_id: Arrival(*known) for update_id, *known in rows}
    return [found[update_id] for update_id, _ in updates]


@cache
def _arrivals(number: int) -> Select[Any, Any, Any, Any, Any]:
    # Building this statement costs as much as running it.
    asked = union_all(
        *(
            select(
                bindparam(f"update_{n}", type_=BigInteger).label("update_id"),
                bindparam(f"address_{n}", type_=String).label("address"),
                bindparam(f"key_{n}", type_=String).label("key"),
            )
            for n in range(number)
        )
    ).subquery()
    channel = bindparam("channel", type_=String)
    this = and_(Update.channel == channel, Update.update_id == asked.c.update_id)
    theirs = and_(Address.channel == channel, Address.address == asked.c.address)
    return (
        select(asked.c.update_id, Update.answer, Address, Member, Conversation)
        .select_from(asked)
        .outerjoin(Update, this)
        .outerjoin(Address, theirs)
        .outerjoin(Member, Member.id == Address.member_id)
        .outerjoin(Conversation, Conversation.key == asked.c.key)
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
