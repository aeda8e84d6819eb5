"""Seats wished for, given back, offered and resized by workers that are killed at any instant.

python -m tests.soak.seats DATABASE_URL SEED HALLS   (one of the workers)

A worker does one thing after another in several tasks, each with its own transaction, and looks for
what must never be (`tests/halls.py`) as it goes. Two workers run side by side; one of them is killed
in the middle of whatever it is doing, and another takes its place.
"""

import asyncio
import itertools
import json
import random
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage import waitlist
from storage.database import open_storage
from tests import halls
from tests.halls import OPENING, Halls

WORKERS, TASKS = 2, 4
# Two sessions at once and one after them, with fewer seats than people, and an event that is fuller
# than its sessions.
PEOPLE, CAPACITIES, PLACES = 60, (10, 12, None), 40
# How many wishes a worker tells of at once, and looks for faults after.
BATCH = 20
# Seconds of the halls that pass in one of ours: an offer lapses after two of ours.
HASTE = 3600


@dataclass(slots=True)
class Report:
    """What became of it. `wishes` are those whose commit was told of; `faults` what must not be."""

    wishes: int
    kills: int
    seed: int
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Nothing was found that must not be."""
        return not self.faults

    def __str__(self) -> str:
        """In one line, with the pace."""
        pace = self.wishes / self.seconds if self.seconds else 0.0
        said = f"{self.wishes} wishes, {self.kills} kills, seed {self.seed}, {pace:.0f} a second"
        return f"{said}; faults: {self.faults or 'none'}"


class _Worker:
    """One process, its wishes counted as it tells of them."""

    def __init__(self, process: asyncio.subprocess.Process, report: Report) -> None:
        self.process, self._report = process, report
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            said = line.decode().strip()
            if said.isdecimal():
                self._report.wishes += int(said)
            else:
                self._report.faults.append(said)

    async def end(self) -> None:
        """Without a warning, whatever it is doing."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self.reading


async def fire(database_url: str, *, wishes: int, kills: int, seed: int) -> Report:
    """Let the workers do so many things, killing one of them so often."""
    chance = random.Random(seed)  # noqa: S311 - chaos that can be repeated
    report, began = Report(0, 0, seed), time.time()
    async with open_storage(database_url) as storage:
        crowd = await halls.build(
            storage,
            people=PEOPLE,
            capacities=CAPACITIES,
            event_capacity=PLACES,
            promotes=bool(seed % 2),
        )
        seeds = itertools.count(seed)
        fatal = sorted(chance.sample(range(wishes // 20, wishes), kills))
        workers = [
            await _worker(database_url, next(seeds), crowd, report, began) for _ in range(WORKERS)
        ]
        try:
            while report.wishes < wishes and not report.faults:
                await asyncio.sleep(0.05)
                if fatal and report.wishes >= fatal[0]:
                    del fatal[0]
                    which = chance.randrange(WORKERS)
                    await workers[which].end()
                    report.kills += 1
                    async with storage.read() as db:
                        report.faults += await halls.faults(db, crowd)
                    workers[which] = await _worker(database_url, next(seeds), crowd, report, began)
                for one in workers:
                    if one.process.returncode is not None:
                        report.faults.append(f"a worker ended with {one.process.returncode}")
        finally:
            for one in workers:
                await one.end()
        report.seconds = time.time() - began
        async with storage.begin() as db:
            await waitlist.tend(db, _now(began) + timedelta(days=1))
        async with storage.read() as db:
            report.faults += await halls.faults(db, crowd) + await halls.unserved(db, crowd)
            if untold := await halls.untold(db, crowd):
                report.faults.append(f"{untold} offers were never told")
    return report


async def _worker(
    database_url: str, seed: int, crowd: Halls, report: Report, began: float
) -> _Worker:
    given = json.dumps([crowd.event, list(crowd.sessions), list(crowd.people), began])
    return _Worker(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.soak.seats", database_url, f"{seed}", given),
            stdout=asyncio.subprocess.PIPE,
        ),
        report,
    )


def _now(began: float) -> datetime:
    """The halls' clock: that of the machine, which all processes and all lives share, only faster."""
    return OPENING + timedelta(seconds=(time.time() - began) * HASTE)


async def _work(database_url: str, seed: int, crowd: Halls, began: float) -> None:
    chance, done = random.Random(seed), itertools.count(1)  # noqa: S311 - chaos that can be repeated
    async with open_storage(database_url) as storage:

        async def task() -> None:
            while True:
                async with storage.begin() as db:
                    await halls.act(db, crowd, halls.wished(crowd, chance), _now(began))
                if next(done) % BATCH == 0:
                    async with storage.read() as db:
                        said = await halls.faults(db, crowd)
                    sys.stdout.write("".join(f"{one}\n" for one in [*said, f"{BATCH}"]))
                    sys.stdout.flush()

        await asyncio.gather(*(task() for _ in range(TASKS)))


if __name__ == "__main__":
    _event, _sessions, _people, _began = json.loads(sys.argv[3])
    _halls = Halls(_event, _sessions, _people)
    asyncio.run(_work(sys.argv[1], int(sys.argv[2]), _halls, _began))
