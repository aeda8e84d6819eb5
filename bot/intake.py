"""A word comes in: one update, one transaction, one answer.

Begin -> is this update known? then its stored answer is said again, and nothing is done twice ->
let the conversation answer -> keep the answer under the update's id, commit -> only then say it ->
only then may the update be acknowledged. A kill at any instant loses nothing: an update that was
not acknowledged comes again, and its answer is either kept or not yet begun.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiogram import Bot, Dispatcher
from aiogram.types import Chat, Update, User
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.channels import Gone, Moved, Outcome, Refused, Sent
from bot.clock import Clock
from bot.logs import pseudonym
from bot.memory import ConversationMemory, serving
from handlers import guide
from handlers.conversations import purposes, routers
from handlers.letters import Say, Spoken
from handlers.turns import Turn
from handlers.words import Catalogs
from storage import conversations, members
from storage.database import Storage
from storage.tables import Conversation

log = structlog.get_logger()

CHANNEL = "telegram"
# An update that fails this often is parked, and its chat goes on.
TRIES = 5
# Pauses, in seconds, between two tries of one update, and while the database is away.
PAUSE, LONG_PAUSE = 0.05, 2.0
# What the database being away looks like: no fault of the update's.
AWAY = (OperationalError, InterfaceError, PoolTimeout, ConnectionError)

Speak = Callable[[Sequence[Spoken], int, int | None, str | None], Awaitable[Sequence[Outcome]]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who an update is from, and where the answer goes."""

    update_id: int
    chat_id: int
    phone_language: str
    tapped: int | None = None
    callback_id: str | None = None
    # The person has just blocked the bot: they can't be answered.
    left: bool = False

    @property
    def address(self) -> str:
        """The chat, as the address book keeps it."""
        return str(self.chat_id)


class Intake:
    """Takes updates of one bot. `take` may be called for many chats side by side."""

    def __init__(
        self,
        storage: Storage,
        bot: Bot,
        catalogs: Catalogs,
        clock: Clock,
        speak: Speak,
        *,
        default_language: str,
    ) -> None:
        self._storage, self._bot, self._catalogs, self._clock = storage, bot, catalogs, clock
        self._speak, self._default_language = speak, default_language
        self._dispatcher = Dispatcher(storage=ConversationMemory(), purposes=purposes())
        self._dispatcher.include_routers(*routers())

    async def take(self, raw: Mapping[str, Any]) -> None:
        """Take one update; when this returns it may be acknowledged.

        Raises nothing that the update, the database or the messenger can cause.
        """
        update = Update.model_validate(raw, context={"bot": self._bot})
        caller = _caller(update)
        if caller is None:
            return
        spoken = await self._answer_kept(update, caller)
        if not caller.left:
            await self._say(spoken, caller)

    async def _answer_kept(self, update: Update, caller: Caller) -> Sequence[Spoken]:
        failures = 0
        while True:
            try:
                return await self._answer(update, caller)
            except AWAY as error:
                if isinstance(error, DBAPIError) and not _is_away(error):
                    failures += 1
                log.warning("the database is away", error=type(error).__name__)
                await asyncio.sleep(LONG_PAUSE if failures == 0 else PAUSE)
            except Exception:
                failures += 1
                log.exception(
                    "update failed",
                    update=update.update_id,
                    kind=update.event_type,
                    chat=pseudonym(CHANNEL, caller.address),
                    failures=failures,
                )
                await asyncio.sleep(PAUSE)
            if failures >= TRIES:
                return await self._park(caller)

    async def _answer(self, update: Update, caller: Caller) -> Sequence[Spoken]:
        now = self._clock.now()
        async with self._storage.begin() as db:
            arrival = await conversations.arrive(db, CHANNEL, caller.update_id, caller.address)
            if arrival.known is not None:
                return Say.from_json(arrival.known.answer).spoken
            member = arrival.member or await members.meet(db, CHANNEL, caller.address, now)
            if arrival.address is not None:
                arrival.address.unreachable_at = now if caller.left else None
            conversation = arrival.conversation or conversations.begin_conversation(
                db, CHANNEL, caller.address
            )
            turn = Turn(
                db=db,
                member=member,
                say=Say(),
                now=now,
                channel=CHANNEL,
                catalogs=self._catalogs,
                first_language=self._language(caller),
            )
            with serving(conversation):
                await self._dispatcher.feed_update(self._bot, update, turn=turn)
            conversations.remember_answer(db, CHANNEL, caller.update_id, turn.say.as_json(), now)
        return turn.say.spoken

    async def _park(self, caller: Caller) -> Sequence[Spoken]:
        """Keep an apology as the answer. A second failure in a row frees the chat of its wizard."""
        now = self._clock.now()
        async with self._storage.begin() as db:
            arrival = await conversations.arrive(db, CHANNEL, caller.update_id, caller.address)
            if arrival.known is not None:
                return Say.from_json(arrival.known.answer).spoken
            language = arrival.member and arrival.member.language
            words = self._catalogs[language or self._language(caller)]
            if arrival.conversation is not None:
                _free(arrival.conversation)
            say = Say()
            say(guide.apology(words))
            conversations.remember_answer(
                db, CHANNEL, caller.update_id, say.as_json(), now, parked=True
            )
        log.error("update parked", update=caller.update_id)
        return say.spoken

    async def _say(self, spoken: Sequence[Spoken], caller: Caller) -> None:
        pause = PAUSE
        while True:
            outcomes = await self._speak(spoken, caller.chat_id, caller.tapped, caller.callback_id)
            said = next(
                (i for i, one in enumerate(outcomes) if not isinstance(one, Sent | Refused)),
                len(outcomes),
            )
            for outcome in outcomes:
                if isinstance(outcome, Refused):
                    log.error("reply refused", reason=outcome.reason, update=caller.update_id)
            if said == len(outcomes) or isinstance(outcomes[said], Gone | Moved):
                return
            log.warning("reply delayed", outcome=type(outcomes[said]).__name__)
            spoken = spoken[said:]
            await asyncio.sleep(pause := min(pause * 2, LONG_PAUSE * 15))

    def _language(self, caller: Caller) -> str:
        spoken = caller.phone_language.partition("-")[0]
        return spoken if spoken in self._catalogs else self._default_language


def _free(conversation: Conversation) -> None:
    if conversation.data.get("stumbled"):
        conversation.state, conversation.data = None, {}
    else:
        conversation.data = {**conversation.data, "stumbled": True}


def _is_away(error: DBAPIError) -> bool:
    # A deadlock's victim or a constraint is the update's own affair and is simply tried again.
    return (
        error.connection_invalidated
        or "locked" in str(error.orig)
        or isinstance(error, InterfaceError)
    )


def _caller(update: Update) -> Caller | None:
    """The person behind an update, or None for what doesn't concern us: groups, channels."""
    if (tap := update.callback_query) is not None and tap.message is not None:
        return _private(update, tap.message.chat, tap.from_user, tap.message.message_id, tap.id)
    for message in (update.message, update.edited_message):
        if message is not None and message.from_user is not None:
            return _private(update, message.chat, message.from_user)
    if (change := update.my_chat_member) is not None:
        left = change.new_chat_member.status in {"kicked", "left"}
        return _private(update, change.chat, change.from_user, left=left)
    return None


def _private(
    update: Update,
    chat: Chat,
    person: User,
    tapped: int | None = None,
    callback_id: str | None = None,
    *,
    left: bool = False,
) -> Caller | None:
    if chat.type != "private":
        return None
    return Caller(update.update_id, chat.id, person.language_code or "", tapped, callback_id, left)
