"""The engine's part in sending announcements: step after step, each a short transaction.

Between two steps everybody else has a turn, so a member's tap waits for one of them at most.
"""

from collections.abc import Callable

from bot.clock import Clock
from storage import recipients, sending_cards, sendings
from storage.database import Storage

# Steps of one announcement in a tick: more than a second's worth of letters, and an end, so that
# another one may begin beside it.
ROUNDS = 20


class Sender:
    """Takes announcements further. `wake` is called when letters were posted."""

    def __init__(
        self, storage: Storage, clock: Clock, pace: float, home: str, wake: Callable[[], None]
    ) -> None:
        self._storage, self._clock, self._wake = storage, clock, wake
        self._pace, self._home = pace, home

    async def tend(self) -> None:
        """Begin what is due, post the next letters, add up what became of others, edit the cards.

        Harmless, should another engine do the same just now.
        """
        async with self._storage.read() as db:
            active = list(await sendings.active(db))
            cards = await sending_cards.any_to_tend(db)
        for _ in range(ROUNDS):
            active = [one for one in active if await self._step(one)]
        if active or cards:
            async with self._storage.begin() as db:
                edits = await sending_cards.tend(db, self._clock.now(), self._pace)
            if edits:
                self._wake()

    async def _step(self, announcement_id: int) -> bool:
        async with self._storage.begin() as db:
            step = await sendings.step(
                db, announcement_id, self._clock.now(), pace=self._pace, home=self._home
            )
        if step.woke:
            self._wake()
        return step.more

    async def welcome(self) -> None:
        """Let those who joined an audience receive what was sent to it, where staff chose that."""
        async with self._storage.read() as db:
            welcoming = await sendings.welcoming(db, self._clock.now())
            slices = await sendings.slices(db) if welcoming else range(0)
        for announcement in welcoming:
            for after in slices:
                async with self._storage.read() as db:
                    joined = await recipients.joined(db, announcement, after)
                if joined:
                    async with self._storage.begin() as db:
                        await sendings.welcome(
                            db, announcement.id, joined, self._clock.now(), self._home
                        )
