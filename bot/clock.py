"""What time is it? A parameter: the real clock, or one that can be set, so that a whole event can
be rehearsed in a minute.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger


class Clock(Protocol):
    """Something that knows the present instant."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class RealClock:
    """The time of day."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)


class SimulatedClock:
    """A clock that starts when it is told to and runs at the speed it is told to."""

    def __init__(
        self, start: datetime, speed: float = 1.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._base, self._since, self._speed = start.astimezone(UTC), monotonic(), speed

    @property
    def speed(self) -> float:
        """Simulated seconds for each real second; 0 stands still."""
        return self._speed

    def now(self) -> datetime:
        """The present simulated instant, in UTC."""
        return self._base + timedelta(seconds=(self._monotonic() - self._since) * self._speed)

    def set_speed(self, factor: float) -> None:
        """Run at this many simulated seconds for each real second from here on."""
        self._base, self._since, self._speed = self.now(), self._monotonic(), factor

    def jump(self, to: datetime) -> None:
        """Be at this instant now. A jump backwards is allowed: clocks do that."""
        self._base, self._since = to.astimezone(UTC), self._monotonic()


Tick = Callable[[], Awaitable[None]]


class Metronome:
    """APScheduler as the beat: it asks, and the database is the only truth about what is due.

    Jobs live in memory. A beat that comes late is beaten once (misfires never lapse, backlog is
    coalesced, none overlaps itself): with the library's defaults a stall of seconds loses jobs.
    """

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def every(self, seconds: float, tick: Tick) -> None:
        """Call `tick` now and then every so many real seconds. Its errors are logged."""
        self._scheduler.add_job(
            tick, IntervalTrigger(seconds=seconds), next_run_time=datetime.now(UTC)
        )

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat while the block lasts."""
        self._scheduler.start()
        try:
            yield
        finally:
            self._scheduler.shutdown(wait=False)
