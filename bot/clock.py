"""What time is it? A parameter: the real clock, or one that can be set, so that a whole event can
be rehearsed in a minute.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from bot.outage import Outage

log = structlog.get_logger()


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


def seconds_awake_or_asleep() -> float:
    """Seconds that also pass while the machine sleeps, where there is such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


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

# Seconds between two looks at the time of day, and what it may differ by from what has passed.
LOOK, ASTRAY = 1.0, 0.5


class Beat(BaseTrigger):  # type: ignore[misc]  # the library publishes no types
    """Every so many seconds from now on. After a long sleep there is one beat and no backlog."""

    def __init__(self, seconds: float) -> None:
        self._gap = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The next beat: the first comes at once."""
        return now if previous is None else now + self._gap


class Metronome:
    """APScheduler as the beat: it asks, and the database is the only truth about what is due.

    Jobs live in memory. A beat that comes late is beaten once (misfires never lapse, backlog is
    coalesced, none overlaps itself): with the library's defaults a stall of seconds loses jobs.
    APScheduler goes by the time of day: should that be set back by an hour, it would be silent for
    an hour. So we watch it, and beat at once after a jump.
    """

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            # It would warn at each beat that finds the last one still at work.
            logger=_quiet("apscheduler.scheduler"),
        )

    def every(self, seconds: float, tick: Tick) -> None:
        """Call `tick` now and then every so many real seconds. Trouble is told by an Outage."""
        outage = Outage(getattr(tick, "__name__", "tick"))
        self._scheduler.add_job(_tried, Beat(seconds), args=(tick, outage))

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat while the block lasts."""
        self._scheduler.start()
        watching = asyncio.create_task(self._watch_the_time_of_day(), name="watch")
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait([watching])
            self._scheduler.shutdown(wait=False)

    async def _watch_the_time_of_day(self) -> None:
        astray = _time_of_day_beyond_what_passed()
        while True:
            await asyncio.sleep(LOOK)
            before, astray = astray, _time_of_day_beyond_what_passed()
            if abs(astray - before) > ASTRAY:
                log.warning("the time of day jumped", seconds=round(astray - before))
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=datetime.now(UTC))


async def _tried(tick: Tick, outage: Outage) -> None:
    try:
        await tick()
    except asyncio.CancelledError:
        # We stop; APScheduler would tell of it as of a failure, with a trace.
        log.info("a tick was cut short")
    except Exception as error:  # noqa: BLE001 - told by the outage; the next beat must come
        outage.struck(error)
    else:
        outage.over()


def _time_of_day_beyond_what_passed() -> float:
    return datetime.now(UTC).timestamp() - time.monotonic()


def _quiet(name: str) -> logging.Logger:
    logger = logging.getLogger(name)
    logger.setLevel(logging.ERROR)
    return logger
