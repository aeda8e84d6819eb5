"""A word comes in: one update, one answer, in one transaction, which it may share.

Begin -> is this update known? then its stored answer is said again, and nothing is done twice ->
let the conversation answer -> keep the answer under the update's id, commit -> only then say it ->
only then may the update be acknowledged. A kill at any instant loses nothing: an update that was
not acknowledged comes again, and its answer is either kept or not yet begun.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from aiogram import Bot
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import StorageKey
from aiogram.types import Update
from sqlalchemy.ext.asyncio import AsyncSession

from bot import late_answers
from bot.callers import Caller
from bot.channels import Gone, Later, Lost, Outcome, Refused, Wait
from bot.clock import Clock
from bot.logs import pseudonym
from bot.memory import ConversationMemory
from bot.metrics import Metrics
from bot.outage import Outage, is_away
from bot.together import Together
from handlers import guide, privacy
from handlers.conversations import purposes, routers
from handlers.letters import Say, Spoken
from handlers.links import Links
from handlers.switchboard import Switchboard
from handlers.turns import Turn
from handlers.words import Catalogs, Words
from storage import company, conversations, members, retention
from storage.conversations import Arrival, Remembered
from storage.database import Storage
from storage.failures import passes
from storage.tables import Conversation
from storage.terms import APPROVAL_ABOVE, Terms

log = structlog.get_logger()

CHANNEL = "telegram"
# An update that fails this often is parked, and its chat goes on.
TRIES = 5
# Parking, too, is tried again, after another round of tries; then even silence is better.
ROUNDS = 2
# Seconds between two tries of one update; doubled, up to the longer, while the database is away.
PAUSE, LONG_PAUSE = 0.05, 2.0

# What a person says or taps in their own chat, and is answered there.
_ANSWERED = ("message", "callback_query")

# The innermost calls that are logged of an error.
_FRAMES = 6

# Transactions of updates under way at once on PostgreSQL: one that takes long holds up no other.
SIDE_BY_SIDE = 2

T = TypeVar("T")
_Asked = tuple[Update, Caller]
Speak = Callable[[Sequence[Spoken], int, int | None, str | None], Awaitable[Sequence[Outcome]]]


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
        metrics: Metrics | None = None,
        links: Links | None = None,
        terms: Terms | None = None,
        approval_above: int = APPROVAL_ABOVE,
    ) -> None:
        self._storage, self._bot, self._catalogs, self._clock = storage, bot, catalogs, clock
        self._speak, self._default_language = speak, default_language
        self._metrics, self._links = metrics or Metrics(), links or Links()
        self._terms = terms or Terms()
        self._switchboard = Switchboard(routers())
        # What conversations may ask for, besides the turn.
        self._known = {"bot": bot, "purposes": purposes(), "approval_above": approval_above}
        self._outage = Outage("intake")
        # Chats whose last update was parked.
        self._stumbled: set[int] = set()
        self._together = Together(
            self._transaction, side_by_side=1 if storage.is_sqlite else SIDE_BY_SIDE
        )

    async def take(self, raw: Mapping[str, Any], caller: Caller) -> None:
        """Take one update; when this returns it may be acknowledged.

        Raises nothing that the update, the database or the messenger can cause.
        """
        spoken = await self._kept_answer(raw, caller)
        if spoken and not caller.left:
            await self._say(spoken, caller)

    async def ask_for_patience(self, caller: Caller) -> None:
        """Tell somebody who writes faster than we read. Nothing is kept: no answer is due."""
        language = await self._kept(
            lambda db: conversations.language_of(db, CHANNEL, caller.address)
        )
        await self._spoken([Spoken("send", guide.patience(self._words(language, caller)))], caller)

    async def _kept_answer(self, raw: Mapping[str, Any], caller: Caller) -> Sequence[Spoken]:
        for failures in range(ROUNDS * (TRIES + 1)):
            try:
                if failures % (TRIES + 1) == TRIES:
                    spoken = await self._kept(partial(self._park, caller))
                    log.error("update parked", update=caller.update_id, kind=caller.kind)
                    self._metrics.parked()
                    self._stumbled.add(caller.chat_id)
                else:
                    update = Update.model_validate(raw, context={"bot": self._bot})
                    ask = self._together.ask_alone if failures else self._together.ask
                    spoken = await self._lasting(partial(ask, (update, caller)))
                    self._stumbled.discard(caller.chat_id)
            except Exception as error:  # noqa: BLE001 - a conversation may fail in any way
                log.warning("update failed", failures=failures + 1, **_about(caller, error))
                await asyncio.sleep(PAUSE)
            else:
                return spoken
        log.error("update given up", update=caller.update_id, kind=caller.kind)
        return ()

    async def _transaction(self, asked: Sequence[_Asked]) -> Sequence[Sequence[Spoken]]:
        """Answer several updates, each of another chat, in one transaction."""
        async with self._storage.begin() as db:
            if shared := len(asked) > 1:
                await self._storage.wait_briefly(db)
            now = self._clock.now()
            updates = [(caller.update_id, caller.address) for _, caller in asked]
            arrivals = await conversations.arrive(db, CHANNEL, updates)
            if shared:
                company.share(db, [one.member for one in arrivals if one.member is not None])
            spoken: list[Sequence[Spoken]] = []
            answers: list[Remembered] = []
            for (update, caller), arrival in zip(asked, arrivals, strict=True):
                if arrival.answer is not None:
                    spoken.append(Say.from_json(arrival.answer).spoken)
                    continue
                turn = await self._answer(update, caller, arrival, db, now)
                said = Say() if turn is None else turn.say
                spoken.append(said.spoken)
                if turn is not None:
                    answers.append(Remembered(caller.update_id, said.as_json(), turn.member.id))
            await conversations.remember_answers(db, CHANNEL, answers, now)
        return spoken

    async def _answer(
        self, update: Update, caller: Caller, arrival: Arrival, db: AsyncSession, now: datetime
    ) -> Turn | None:
        """Let the conversation answer. None: there is nobody to answer."""
        member, address = arrival.member, arrival.address
        if member is None or address is None:
            if caller.left:
                return None  # they never said a word
            if caller.elsewhere or caller.kind == "inline_query":
                # Who only asks from another chat, or adds us to one, leaves no trace here.
                member = members.stranger(now)
            else:
                member = await members.meet(db, CHANNEL, caller.address, now)
        elif caller.left:
            address.unreachable_at = address.unreachable_at or now
        elif not caller.wordless and address.unreachable_at is not None:
            address.unreachable_at = None
        if not caller.left:
            retention.seen(member, now)
        turn = Turn(
            db=db,
            member=member,
            say=Say(),
            now=now,
            channel=CHANNEL,
            catalogs=self._catalogs,
            first_language=self._first_language(caller),
            links=self._links,
            terms=self._terms,
        )
        conversation = arrival.conversation or conversations.new_conversation(
            CHANNEL, caller.address
        )
        asked_again = caller.kind in _ANSWERED and privacy.is_new_to(turn)
        await self._converse(update, caller, conversation, turn)
        if asked_again and turn.member in turn.db:  # they may just have been forgotten
            turn.say(await privacy.card(turn))
        conversations.keep_conversation(db, conversation)
        return turn

    async def _converse(
        self, update: Update, caller: Caller, conversation: Conversation, turn: Turn
    ) -> None:
        key = StorageKey(bot_id=self._bot.id, chat_id=caller.chat_id, user_id=caller.chat_id)
        state = FSMContext(ConversationMemory(conversation), key)
        told = {"turn": turn, "state": state, "raw_state": conversation.state}
        try:
            event = getattr(update, caller.kind)
            await self._switchboard.lead(caller.kind, event, **self._known, **told)
        except OSError as error:
            # No trouble on the way to the database, which has answered already.
            raise RuntimeError("a conversation failed") from error

    async def _park(self, caller: Caller, db: AsyncSession) -> Sequence[Spoken]:
        """Keep an apology as the answer. The second in a row frees the chat of its wizard."""
        if caller.chat_id in self._stumbled:
            await conversations.free(db, CHANNEL, caller.address)
        language = await conversations.language_of(db, CHANNEL, caller.address)
        say = Say()
        if not caller.wordless:
            say(guide.apology(self._words(language, caller)))
        apology = Remembered(caller.update_id, say.as_json(), parked=True)
        await conversations.remember_answers(db, CHANNEL, [apology], self._clock.now())
        return say.spoken

    async def _say(self, spoken: Sequence[Spoken], caller: Caller) -> None:
        outcomes = await self._spoken(spoken, caller)
        now = self._clock.now()
        if any(isinstance(outcome, Gone) for outcome in outcomes):
            await self._kept(lambda db: members.unreachable(db, CHANNEL, caller.address, now))
            return
        unsaid = [
            (part, spoken[part])
            for part, outcome in enumerate(outcomes)
            if isinstance(outcome, Wait | Later | Lost)
        ]
        if unsaid:
            log.warning("the answer will come late", update=caller.update_id)
            await self._kept(
                lambda db: late_answers.post(
                    db,
                    channel=CHANNEL,
                    address=caller.address,
                    update_id=caller.update_id,
                    parts=unsaid,
                    due=now,
                )
            )

    async def _spoken(self, spoken: Sequence[Spoken], caller: Caller) -> Sequence[Outcome]:
        try:
            outcomes = await self._speak(spoken, caller.chat_id, caller.tapped, caller.callback_id)
        except Exception as error:  # noqa: BLE001 - what can't be said now can't be said later
            log.error("answer can't be said", **_about(caller, error))  # noqa: TRY400 - see there
            return ()
        for one, outcome in zip(spoken, outcomes, strict=True):
            # A tap that is too old for its toast is an everyday thing.
            if isinstance(outcome, Refused) and one.letter is not None:
                log.error("answer refused", reason=outcome.reason, update=caller.update_id)
        return outcomes

    async def _kept(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Do this in a transaction of its own."""

        async def attempt() -> T:
            async with self._storage.begin() as db:
                return await work(db)

        return await self._lasting(attempt)

    async def _lasting(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Attempt this again and again for as long as the database is away."""
        pause = PAUSE
        while True:
            try:
                done = await attempt()
            except Exception as error:
                if not passes(error):
                    raise
                if is_away(error):
                    self._outage.struck(error)
                else:
                    log.info("a transaction is tried again", error=type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONG_PAUSE)
            else:
                self._outage.over()
                return done

    def _words(self, language: str | None, caller: Caller) -> Words:
        return self._catalogs[language or self._first_language(caller)]

    def _first_language(self, caller: Caller) -> str:
        spoken = caller.phone_language.partition("-")[0]
        return spoken if spoken in self._catalogs else self._default_language


def _about(caller: Caller, error: BaseException) -> dict[str, Any]:
    # Where it happened and what kind of error it is; not its words, which may quote a person's.
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    frames = traceback.extract_tb(causes[-1].__traceback__)
    return {
        "update": caller.update_id,
        "kind": caller.kind,
        "chat": pseudonym(CHANNEL, caller.address),
        "error": " < ".join(type(cause).__name__ for cause in causes),
        "trail": [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames[-_FRAMES:]],
    }
