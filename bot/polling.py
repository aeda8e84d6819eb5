"""Listening by long polling: nothing is acknowledged before it was taken.

Updates of one chat are taken in the order they came, those of different chats side by side. The
offset that acknowledges moves up to the oldest update still in hand, so a kill makes the server
deliver that one, and what came after it, again.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from aiogram.exceptions import AiogramError, TelegramRetryAfter

from bot.telegram import AnotherPoller

log = structlog.get_logger()

# Seconds one long poll may wait (Bot API getUpdates.timeout).
LONG_POLL = 25
# Updates that one call returns at most (Bot API getUpdates.limit).
FULL_BATCH = 100
# Seconds to wait for those in hand before asking for more: a slow chat delays no other.
BREATH = 0.25
# Seconds to pause after an error, doubled up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
# Seconds that updates in hand get to finish when we are asked to stop.
LAST_WORDS = 8.0

Fetch = Callable[[int | None, int], Awaitable[Sequence[Mapping[str, Any]]]]
Take = Callable[[Mapping[str, Any]], Awaitable[None]]


class Poller:
    """Fetches updates and has each taken once, until cancelled. Raises BadToken."""

    def __init__(self, fetch: Fetch, take: Take) -> None:
        self._fetch, self._take = fetch, take
        self._in_hand: dict[int, asyncio.Task[None]] = {}
        self._last_of_chat: dict[int, asyncio.Task[None]] = {}
        self._taken: set[int] = set()

    async def run(self) -> None:
        """Listen until cancelled; then finish and acknowledge what is in hand."""
        try:
            await self._listen()
        finally:
            await self._finish()

    async def _listen(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                batch = await self._fetch(self._offset(), 0 if self._in_hand else LONG_POLL)
            except AnotherPoller:
                log.warning("another process is polling with this token; waiting for it to stop")
                await asyncio.sleep(LONGEST_PAUSE / 3)
                continue
            except TelegramRetryAfter as error:
                await asyncio.sleep(error.retry_after)
                continue
            except (AiogramError, OSError) as error:
                log.warning("the Bot API does not answer", error=type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            self._acknowledged(batch)
            for raw in batch:
                self._begin(raw)
            if self._in_hand:
                await asyncio.wait(self._in_hand.values(), timeout=BREATH)

    def _offset(self) -> int | None:
        """The oldest in hand, else one past the newest taken; None once that is acknowledged.

        Without an offset the server answers with whatever is unacknowledged: after a quiet week
        update ids start anew from a random number, and an old offset could pass them over.
        """
        if self._in_hand:
            return min(self._in_hand)
        return max(self._taken) + 1 if self._taken else None

    def _acknowledged(self, batch: Sequence[Mapping[str, Any]]) -> None:
        # What was taken but came again still waits behind an older one, and so may what lies
        # beyond a full batch (Bot API getUpdates.limit).
        ids = {raw["update_id"] for raw in batch}
        beyond = max(ids) if len(ids) >= FULL_BATCH else math.inf
        self._taken = {taken for taken in self._taken if taken in ids or taken > beyond}

    def _begin(self, raw: Mapping[str, Any]) -> None:
        update_id = raw["update_id"]
        if update_id in self._in_hand or update_id in self._taken:
            return
        chat = _chat_of(raw)
        before = self._last_of_chat.get(chat)
        task = asyncio.create_task(self._take_after(before, raw), name=f"update {update_id}")
        self._in_hand[update_id] = self._last_of_chat[chat] = task
        task.add_done_callback(lambda done: self._done(update_id, chat, done))

    async def _take_after(self, before: asyncio.Task[None] | None, raw: Mapping[str, Any]) -> None:
        if before is not None:
            await asyncio.wait([before])
        await self._take(raw)

    def _done(self, update_id: int, chat: int, task: asyncio.Task[None]) -> None:
        del self._in_hand[update_id]
        if self._last_of_chat.get(chat) is task:
            del self._last_of_chat[chat]
        if task.cancelled():
            return
        if error := task.exception():
            # The intake promises to raise nothing; a bug in it must not stop a chat for ever.
            log.error("intake failed", update=update_id, error=type(error).__name__)
        self._taken.add(update_id)

    async def _finish(self) -> None:
        if self._in_hand:
            await asyncio.wait(self._in_hand.values(), timeout=LAST_WORDS)
        for task in tuple(self._in_hand.values()):
            task.cancel()
        if (offset := self._offset()) is not None:
            try:
                await asyncio.wait_for(self._fetch(offset, 0), timeout=1)
            except (AiogramError, AnotherPoller, OSError, TimeoutError):
                log.info("the last updates could not be acknowledged and will come again")


def _chat_of(raw: Mapping[str, Any]) -> int:
    for kind in ("message", "edited_message", "my_chat_member"):
        if kind in raw:
            return int(raw[kind]["chat"]["id"])
    tap = raw.get("callback_query", {})
    return int(tap.get("message", {}).get("chat", {}).get("id", 0))
