"""Listening by long polling: nothing is acknowledged before it was taken.

The offset that acknowledges moves up to the oldest update still in hand, so a kill makes the server
deliver that one, and what came after it, again. While one is in hand the server hands out no more
than the hundred that follow it, which is why the intake gives a late answer to the outbox.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from aiogram.exceptions import AiogramError, TelegramRetryAfter

from bot.door import Door
from bot.telegram import AnotherPoller, BadToken

log = structlog.get_logger()

# Seconds one long poll may wait (Bot API getUpdates.timeout).
LONG_POLL = 25
# Updates that one call returns at most (Bot API getUpdates.limit).
FULL_BATCH = 100
# Seconds to wait for those in hand before asking for more: a slow chat delays no other.
BREATH = 0.25
# Seconds to pause after an error, doubled up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
# Seconds between two tries while somebody else is polling.
STEP_ASIDE = 5.0
# Seconds that updates in hand get to finish when we are asked to stop, and the last call.
LAST_WORDS, LAST_CALL = 7.0, 1.0

Fetch = Callable[[int | None, int], Awaitable[Sequence[Mapping[str, Any]]]]
Unhook = Callable[[], Awaitable[None]]


class Poller:
    """Fetches updates and has each taken once, until cancelled. Raises BadToken.

    `unhook` removes a webhook that keeps us from polling.
    """

    def __init__(self, fetch: Fetch, door: Door, unhook: Unhook) -> None:
        self._fetch, self._door, self._unhook = fetch, door, unhook
        # Taken, and perhaps not yet acknowledged.
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
            in_hand, offset = self._door.in_hand, self._offset()
            try:
                batch = await self._fetch(offset, 0 if in_hand else LONG_POLL)
            except AnotherPoller as other:
                await self._step_aside(other)
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
            self._acknowledged(offset, batch)
            for raw in batch:
                if raw["update_id"] not in self._taken:
                    task = self._door.admit(raw)
                    task.add_done_callback(partial(self._note, raw["update_id"]))
            if in_hand:
                oldest = in_hand[min(in_hand)]
                await asyncio.wait(in_hand.values(), timeout=BREATH)
                if len(batch) >= FULL_BATCH:
                    # Until the oldest is taken there is nothing new to be had.
                    await asyncio.wait([oldest])

    async def _step_aside(self, other: AnotherPoller) -> None:
        if "webhook" in str(other):
            log.warning("a webhook is set, so nothing can be polled; removing it")
            await self._unhook()
        else:
            log.warning("another process is polling with this token; waiting for it to stop")
        await asyncio.sleep(STEP_ASIDE if "other getUpdates" in str(other) else FIRST_PAUSE)

    def _offset(self) -> int | None:
        """The oldest in hand, else one past the newest taken; None once that is acknowledged.

        Without an offset the server answers with whatever is unacknowledged: after a quiet week
        update ids start anew from a random number, and an old offset could pass them over.
        """
        if self._door.in_hand:
            return min(self._door.in_hand)
        return max(self._taken) + 1 if self._taken else None

    def _acknowledged(self, offset: int | None, batch: Sequence[Mapping[str, Any]]) -> None:
        # Whatever lies before the offset is acknowledged: should it come again, it is told again.
        # What was taken but came again still waits behind an older one, and so may what lies
        # beyond a full batch (Bot API getUpdates.limit).
        ids = {raw["update_id"] for raw in batch}
        beyond = max(ids) if len(ids) >= FULL_BATCH else math.inf
        self._taken = {
            taken
            for taken in self._taken
            if taken >= (offset or 0) and (taken in ids or taken > beyond)
        }

    def _note(self, update_id: int, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._taken.add(update_id)

    async def _finish(self) -> None:
        unfinished = await self._door.close(LAST_WORDS)
        offset = min(unfinished) if unfinished else self._offset()
        if offset is not None:
            try:
                await asyncio.wait_for(self._fetch(offset, 0), LAST_CALL)
            except (AiogramError, AnotherPoller, BadToken, OSError) as error:
                log.info(
                    "the last updates were not acknowledged and will come again",
                    error=type(error).__name__,
                )
