"""Time: told, simulated, and beaten."""

import asyncio
from datetime import UTC, datetime, timedelta

import apscheduler.schedulers.base
import pytest
from structlog.testing import capture_logs

import bot.clock
from bot.clock import Beat, Metronome, RealClock, SimulatedClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Counted:
    """A tick that counts itself; `awaits(n)` returns after the n-th."""

    def __init__(self, fails: int = 0) -> None:
        self.beats, self._fails, self._beaten = 0, fails, asyncio.Condition()

    async def tick(self) -> None:
        async with self._beaten:
            self.beats += 1
            self._beaten.notify_all()
        if self.beats <= self._fails:
            raise LookupError("a fault of ours")

    async def awaits(self, beats: int) -> None:
        async with asyncio.timeout(10), self._beaten:
            await self._beaten.wait_for(lambda: self.beats >= beats)


# --- clocks ---------------------------------------------------------------------------------


def test_the_real_clock_is_aware_and_in_utc():
    assert RealClock().now().tzinfo is UTC


def test_a_simulated_clock_runs_at_its_speed_jumps_and_stands_still():
    passed = 0.0
    clock = SimulatedClock(NOON, speed=60, monotonic=lambda: passed)
    told = [clock.now()]
    passed = 2.0
    told.append(clock.now())
    clock.set_speed(0)
    passed = 9.0
    told.append(clock.now())
    clock.jump(NOON - timedelta(hours=1))
    told.append(clock.now())
    clock.set_speed(1)
    passed = 10.0
    told.append(clock.now())
    minutes = [(one - NOON).total_seconds() / 60 for one in told]
    assert minutes == [0, 2, 2, -60, -60 + 1 / 60]


# --- the metronome --------------------------------------------------------------------------


@pytest.mark.parametrize("slept", [0, 2.5, 3600, 30 * 86400])
def test_a_beat_comes_after_its_gap_and_a_long_sleep_leaves_no_backlog(slept):
    beat = Beat(1.0)
    assert beat.get_next_fire_time(None, NOON) == NOON
    woken = NOON + timedelta(seconds=slept)
    assert beat.get_next_fire_time(NOON, woken) == woken + timedelta(seconds=1)


async def test_a_tick_that_raises_is_told_once_and_the_next_still_comes():
    metronome, ours = Metronome(), Counted(fails=3)
    metronome.every(0.01, ours.tick)
    with capture_logs() as logs:
        async with metronome.beating():
            await ours.awaits(6)
    events = [(one["event"], one["work"]) for one in logs]
    assert events == [("failed, and is tried again", "tick"), ("works again", "tick")]


async def test_a_stall_of_the_whole_process_loses_no_beat():
    """With APScheduler's defaults a beat that is a second late is dropped for good."""
    metronome, ours = Metronome(), Counted()
    metronome.every(0.05, ours.tick)
    async with metronome.beating():
        await ours.awaits(1)
        time_of_day = Shifted()
        with pytest.MonkeyPatch.context() as patch:
            time_of_day.stand_in(patch)
            time_of_day.shift = timedelta(hours=1)
            await ours.awaits(ours.beats + 3)


async def test_a_time_of_day_set_back_by_an_hour_silences_nobody(monkeypatch):
    monkeypatch.setattr(bot.clock, "LOOK", 0.01)
    time_of_day = Shifted()
    time_of_day.stand_in(monkeypatch)
    metronome, ours = Metronome(), Counted()
    metronome.every(0.05, ours.tick)
    with capture_logs() as logs:
        async with metronome.beating():
            await ours.awaits(1)
            time_of_day.shift = timedelta(hours=-1)
            await ours.awaits(ours.beats + 3)
    assert logs == [{"event": "the time of day jumped", "log_level": "warning", "seconds": -3600}]


async def test_no_beat_comes_after_the_block():
    metronome, ours = Metronome(), Counted()
    metronome.every(0.001, ours.tick)
    async with metronome.beating():
        await ours.awaits(2)
    beats = ours.beats
    for _ in range(100):
        await asyncio.sleep(0)
    assert ours.beats == beats


class Shifted:
    """A time of day that can be set, for us and for the library."""

    shift = timedelta()

    def stand_in(self, patch: pytest.MonkeyPatch) -> None:
        outer = self

        class Stand(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) + outer.shift

        patch.setattr(bot.clock, "datetime", Stand)
        patch.setattr(apscheduler.schedulers.base, "datetime", Stand)
