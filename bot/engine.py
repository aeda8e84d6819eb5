"""The engine's office: of all processes that serve one bot, one sends and ticks.

The office is a lease in the database. It is renewed every third of its length by the time of day,
never by the simulated clock; whoever is cut off for longer has lost it, and a successor may begin.

Two questions keep a process that slept (stopped, suspended, cut off) from acting beside its
successor. `held` asks the row, inside the transaction that marks letters as started. `safe` asks
only our own watch, right before a request leaves: it needs no database and can't be wrong for us.
"""

import asyncio
import math
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import RealClock, seconds_awake_or_asleep
from bot.outage import Outage
from storage import leases
from storage.database import Storage

log = structlog.get_logger()

NAME = "engine"
# The part of a lease in which its holder trusts it without asking; the rest is for clocks of
# machines that disagree.
TRUSTED = 3 / 4


class SecondEngine(Exception):  # noqa: N818  # it is somebody
    """Another process serves this SQLite database: it is for one alone."""


class Office:
    """The right to act alone, held by this process or by another."""

    def __init__(
        self,
        storage: Storage,
        name: str = NAME,
        *,
        elapsed: Callable[[], float] = seconds_awake_or_asleep,
    ) -> None:
        self._storage, self._name, self._clock = storage, name, RealClock()
        self._elapsed, self._safe_until = elapsed, -math.inf
        # A new name for each term: what is left of an earlier one of ours is somebody else's.
        self.holder = str(uuid.uuid4())

    @property
    def safe(self) -> bool:
        """Whether nobody can have taken it yet, by our own watch."""
        return self._elapsed() < self._safe_until

    async def held(self, db: AsyncSession) -> bool:
        """Whether we still hold it, asked inside the transaction that acts."""
        return await leases.holds(db, self._name, self.holder)

    async def renew(self) -> bool:
        """Take, keep or win it. False: somebody else has it."""
        asked = self._elapsed()
        async with self._storage.begin() as db:
            held = await leases.hold(db, self._name, self.holder, self._clock.now())
        trusted = leases.LEASE.total_seconds() * TRUSTED
        self._safe_until = asked + trusted if held else -math.inf
        return held

    async def won(self) -> None:
        """Wait until it is ours, under a new name.

        Raises SecondEngine on SQLite as soon as its holder shows to be alive.
        """
        self.holder = str(uuid.uuid4())
        outage, seen = Outage("waiting for the office"), None
        while True:
            try:
                if await self.renew():
                    return
                term = await self._term()
            except (SQLAlchemyError, OSError) as error:
                outage.struck(error)
            else:
                outage.over()
                if seen is None:
                    log.info("another engine is at work; waiting for its lease to end")
                elif term != seen and self._storage.is_sqlite:
                    raise SecondEngine
                seen = term
            await asyncio.sleep(self._beat / 4)

    async def kept(self) -> None:
        """Renew until it is lost, then return."""
        outage = Outage("renewing the lease")
        while True:
            await asyncio.sleep(self._beat)
            try:
                async with asyncio.timeout(leases.LEASE.total_seconds()):
                    kept = await self.renew()
            except (SQLAlchemyError, OSError) as error:  # TimeoutError is an OSError
                # While the database is away nobody can take the office; `safe` ends by itself.
                outage.struck(error)
                continue
            outage.over()
            if not kept:
                log.warning("another engine has taken over")
                return

    @asynccontextmanager
    async def until_left(self) -> AsyncIterator[None]:
        """Leave the office at the end of the block, so that a successor needn't wait."""
        try:
            yield
        finally:
            self._safe_until = -math.inf
            try:
                async with self._storage.begin() as db:
                    await leases.release(db, self._name, self.holder, self._clock.now())
            except (SQLAlchemyError, OSError) as error:
                log.warning("the office was left without a word", error=type(error).__name__)

    @property
    def _beat(self) -> float:
        """Seconds between two renewals."""
        return leases.LEASE.total_seconds() / 3

    async def _term(self) -> tuple[str, datetime] | None:
        async with self._storage.read() as db:
            return await leases.term(db, self._name)
