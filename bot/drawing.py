"""Rounds of introductions, drawn between two transactions: pairing thousands takes seconds."""

import asyncio

from bot.clock import Clock
from storage import introduction_rounds, introductions, meetings, pairing
from storage.database import Storage


class Drawings:
    """The part of the engine that tends introductions."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage, self._clock = storage, clock

    async def tend(self) -> bool:
        """Nudge, end and begin what is due, and draw the rounds that wait for it.

        Says whether letters may have been posted.
        """
        async with self._storage.begin() as db:
            now = self._clock.now()
            posted = await introductions.tend(db, now)
            posted += await meetings.ask_due(db, now)
            await introduction_rounds.begin_due(db, now)
        while await self._draw():
            posted += 1
        return posted > 0

    async def _draw(self) -> bool:
        async with self._storage.read() as db:
            drawing = await introduction_rounds.next_drawing(db)
        if drawing is None:
            return False
        drawn = await asyncio.to_thread(pairing.pair, drawing.pool, drawing.terms)
        async with self._storage.begin() as db:
            await introduction_rounds.write(db, drawing, drawn, self._clock.now())
        return True
