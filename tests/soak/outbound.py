"""An engine that is killed again and again, and one that sleeps while another takes over.

Nothing may be lost; what comes twice was under way at a kill, and the outbox lists it. Run in full
by `python -m tests.soak`.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from bot.delivery import in_flight_at
from bot.simulator import Simulator
from storage import leases
from storage.database import Storage, open_storage
from storage.tables import Fate, Outbox
from tests.proving_ground import Books, all_settled, compare, eventually, post_letters
from tests.soak.engine import Plan, engine
from tests.until import until

# Seconds that a drain of all letters may take.
PATIENCE = 1800.0


@dataclass(frozen=True, slots=True)
class Report:
    """What became of it. `twice` are letters heard once too often, `most` what is allowed."""

    letters: int
    kills: int
    seed: int
    lost: int
    twice: int
    most: int
    doubts: int
    differences: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Nothing lost, nothing twice that isn't listed, and the two books agree."""
        listed = self.twice <= self.doubts <= self.most
        return not self.lost and listed and not self.differences

    def __str__(self) -> str:
        """In one line."""
        a_kill = f" ({self.twice / self.kills:.2f} a kill)" if self.kills else ""
        return (
            f"{self.letters} letters, {self.kills} kills, seed {self.seed}: {self.lost} lost, "
            f"{self.twice} heard twice{a_kill}, {self.doubts} listed as in doubt of {self.most} that "
            f"may be; ledger and outbox: {self.differences or 'the same, row by row'}"
        )


@asynccontextmanager
async def letters_to_deliver(
    folder: Path, database_url: str, letters: int, pace: float, lease: float = 1.0
) -> AsyncIterator[tuple[Simulator, Storage, Plan]]:
    sim = Simulator(now=lambda: datetime.now(UTC))
    async with sim.serve() as url, open_storage(database_url) as storage:
        await post_letters(storage, sim, letters, datetime.now(UTC))
        yield sim, storage, Plan(database_url, url, sim.token, folder / "engine.log", pace, lease)


def _reported(books: Books, *, letters: int, kills: int, seed: int, pace: float) -> Report:
    return Report(
        letters,
        kills,
        seed,
        lost=letters - books.states[Fate.SENT],
        twice=books.accepted.total() - len(books.accepted),
        most=kills * in_flight_at(pace),
        doubts=books.sum_of("doubts"),
        differences=books.differences,
    )


async def fire(
    folder: Path,
    database_url: str,
    *,
    letters: int,
    kills: int,
    seed: int,
    pace: float = 100_000,
) -> Report:
    """Let engines deliver `letters` and kill `kills` of them; `pace` is in letters a second."""
    chance = random.Random(seed)  # noqa: S311 - chaos that can be repeated
    fatal = sorted(chance.sample(range(1, int(letters * 0.9)), kills))
    async with letters_to_deliver(folder, database_url, letters, pace) as (sim, storage, plan):
        for heard in fatal:
            async with engine(plan) as alive:
                await _heard(sim, heard)
                # At any instant of whatever it is doing.
                await asyncio.sleep(chance.uniform(0, 0.05))
                await alive.kill()
        async with engine(plan) as last:
            await eventually(lambda: all_settled(storage), PATIENCE)
            last.asked_to_end()
            await last.ended()
        books = await compare(storage, sim)
    return _reported(books, letters=letters, kills=kills, seed=seed, pace=pace)


@dataclass(frozen=True, slots=True)
class Zombie:
    """What an engine did that was stopped, replaced and continued."""

    report: Report
    # Letters that it marked as started after another had taken over.
    started: int
    # Letters that left it after it was continued.
    sent: int

    # Seconds for which it was stopped, and until another had its office.
    asleep: float
    replaced: float

    @property
    def kept(self) -> bool:
        """It did nothing, and nothing was lost."""
        return self.report.kept and self.started == self.sent == 0

    def __str__(self) -> str:
        """In one line."""
        return (
            f"stopped for {self.asleep:.0f} s, replaced after {self.replaced:.1f} s: "
            f"{self.started} letters started and "
            f"{self.sent} sent by it afterwards; {self.report}"
        )


async def sleepwalk(
    folder: Path,
    database_url: str,
    *,
    letters: int,
    pace: float,
    seed: int = 0,
    lease: float = 1.0,
    seconds: float = 0.0,
) -> Zombie:
    """Stop an engine in the middle of its work, let another take over, let the first go on.

    It is stopped when a letter was just accepted: between two letters, with others that are
    marked and wait for their turn. `lease` is how long the office is kept for it, `seconds` how
    long it sleeps at least.
    """
    ground = letters_to_deliver(folder, database_url, letters, pace, lease)
    chance = random.Random(seed)  # noqa: S311 - chaos that can be repeated
    async with ground as (sim, storage, plan):
        async with engine(plan) as zombie:
            await _heard(sim, chance.randint(letters // 10, letters // 6))
            zombie.stop_the_world()
            began = time.monotonic()
            holder = await _holder(storage)
            async with engine(plan) as other:
                await eventually(lambda: _moved(storage, holder), 30)
                replaced = time.monotonic() - began
                before = await _started_by(storage, holder)
                # What the first had in its hands is sent by the second first.
                await eventually(lambda: _doubts_sent(storage), 30)
                asleep = time.monotonic() - began
                await asyncio.sleep(seconds - asleep)
                asleep = time.monotonic() - began
                heard = len(sim.ledger)
                known = {entry.chat_id for entry in sim.ledger}
                zombie.go_on()
                await until(lambda: "another engine has taken over" in _read(plan.log), 30)
                await eventually(lambda: all_settled(storage), PATIENCE)
                for one in (other, zombie):
                    one.asked_to_end()
                    await one.ended()
        books = await compare(storage, sim)
        started = await _started_by(storage, holder) - before
        sent = [entry for entry in list(sim.ledger)[heard:] if entry.chat_id in known]
    report = _reported(books, letters=letters, kills=1, seed=seed, pace=pace)
    return Zombie(report, len(started), len(sent), asleep, replaced)


async def nap(folder: Path, database_url: str, *, letters: int, pace: float, seed: int) -> Report:
    """Stop an engine for three leases, while nobody replaces it: it goes on as if nothing had been.

    So does one whose machine was suspended.
    """
    chance = random.Random(seed)  # noqa: S311 - chaos that can be repeated
    async with letters_to_deliver(folder, database_url, letters, pace) as (sim, storage, plan):
        async with engine(plan) as alone:
            await _heard(sim, chance.randint(letters // 10, letters // 2))
            alone.stop_the_world()
            await asyncio.sleep(plan.lease * 3)
            alone.go_on()
            await eventually(lambda: all_settled(storage), PATIENCE)
            alone.asked_to_end()
            await alone.ended()
        books = await compare(storage, sim)
    return _reported(books, letters=letters, kills=0, seed=seed, pace=pace)


async def _heard(sim: Simulator, letters: int) -> None:
    await sim.wait_for(lambda: len(sim.ledger) >= letters, PATIENCE)


async def _holder(storage: Storage) -> str:
    async with storage.read() as db:
        term = await leases.term(db, "engine")
    assert term is not None
    return term[0]


async def _moved(storage: Storage, holder: str) -> bool:
    return await _holder(storage) != holder


async def _started_by(storage: Storage, holder: str) -> set[int]:
    """The rows whose last start was this engine's."""
    async with storage.read() as db:
        return set(await db.scalars(select(Outbox.id).where(Outbox.engine == holder)))


async def _doubts_sent(storage: Storage) -> bool:
    """Whether there are rows in doubt, and all of them are sent."""
    async with storage.read() as db:
        states = set(await db.scalars(select(Outbox.state).where(Outbox.doubts > 0)))
    return states == {Fate.SENT}


def _read(log: Path) -> str:
    return log.read_text("utf-8")
