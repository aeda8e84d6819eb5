"""The door: who comes in, and in what order, however the updates reach us.

Updates of one chat are taken in the order they came, those of different chats side by side. An
update that comes again while it is in hand is not taken twice: whoever brought it waits for the
same end.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import structlog

from bot.callers import Caller, Unreadable, caller_of
from bot.flood import Flood, Verdict
from bot.logs import pseudonym
from bot.metrics import Metrics

log = structlog.get_logger()

Raw = Mapping[str, Any]


class Taker(Protocol):
    """What is behind the door: `bot.intake.Intake`."""

    def take(self, raw: Raw, caller: Caller) -> Awaitable[None]:
        """Take one update; when this returns it may be acknowledged."""
        ...

    def ask_for_patience(self, caller: Caller) -> Awaitable[None]:
        """Tell somebody that they write faster than we read."""
        ...


class Door:
    """Lets updates in. What `admit` returns ends when the update may be acknowledged."""

    def __init__(self, taker: Taker, flood: Flood, metrics: Metrics | None = None) -> None:
        self._taker, self._flood, self._metrics = taker, flood, metrics or Metrics()
        self._in_hand: dict[int, asyncio.Task[None]] = {}
        self._last_of_chat: dict[int, asyncio.Task[None]] = {}

    @property
    def in_hand(self) -> Mapping[int, asyncio.Task[None]]:
        """The updates that are being taken, by their ids."""
        return self._in_hand

    def admit(self, raw: Raw) -> asyncio.Task[None]:
        """Begin to take an update, which has an `update_id`. The task raises nothing."""
        update_id = raw["update_id"]
        if (task := self._in_hand.get(update_id)) is not None:
            return task
        caller = _read(raw)
        verdict = self._judge(caller)
        if caller is None or verdict is Verdict.LET_BE:
            task = asyncio.create_task(_nothing())
        else:
            before = self._last_of_chat.get(caller.chat_id)
            task = asyncio.create_task(self._enter(raw, caller, verdict, before))
            self._last_of_chat[caller.chat_id] = task
        self._in_hand[update_id] = task
        task.add_done_callback(partial(self._left, update_id, caller))
        task.add_done_callback(self._metrics.arrived(verdict))
        return task

    async def close(self, seconds: float) -> Sequence[int]:
        """Give what is in hand so long to finish. Returns what did not: it will come again."""
        if self._in_hand:
            await asyncio.wait(self._in_hand.values(), timeout=seconds)
        unfinished = dict(self._in_hand)
        for task in unfinished.values():
            task.cancel()
        await asyncio.gather(*unfinished.values(), return_exceptions=True)
        return tuple(unfinished)

    def _judge(self, caller: Caller | None) -> Verdict:
        # Blocking the bot is no word that could be too many.
        if caller is None or caller.kind == "my_chat_member":
            return Verdict.WELCOME
        verdict = self._flood.judge(caller.chat_id)
        if verdict is not Verdict.WELCOME and caller.wordless:
            return Verdict.LET_BE
        if verdict is not Verdict.WELCOME:
            who = pseudonym("telegram", caller.address)
            log.info("a flood", chat=who, verdict=verdict.name, update=caller.update_id)
        return verdict

    async def _enter(
        self, raw: Raw, caller: Caller, verdict: Verdict, before: asyncio.Task[None] | None
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            if verdict is Verdict.TELL:
                await self._taker.ask_for_patience(caller)
            else:
                await self._taker.take(raw, caller)
        except Exception as error:  # noqa: BLE001 - a broken promise must not stop a chat for ever
            log.error("intake failed", update=caller.update_id, error=type(error).__name__)  # noqa: TRY400 - an error's words may quote a person's

    def _left(self, update_id: int, caller: Caller | None, task: asyncio.Task[None]) -> None:
        del self._in_hand[update_id]
        if caller is not None and self._last_of_chat.get(caller.chat_id) is task:
            del self._last_of_chat[caller.chat_id]


async def _nothing() -> None:
    pass


def _read(raw: Raw) -> Caller | None:
    try:
        return caller_of(raw)
    except Unreadable as error:
        log.error("update can't be read", update=raw["update_id"], kind=str(error))  # noqa: TRY400 - the trace leads nowhere
        return None
