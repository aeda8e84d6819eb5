"""A PostgreSQL that stops as if the power had failed, and is started again, while letters leave.

A real `jisr run --engine` lives on meanwhile. Nothing may be lost or come twice, and letters must
leave again soon after the server is back. Run in full by `python -m tests.soak restart`.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bot.simulator import Simulator
from storage.database import open_storage
from storage.tables import Fate
from tests.processes import Process, process
from tests.proving_ground import (
    all_settled,
    compare,
    eventually,
    post_letters,
    stoppable_postgres,
)
from tests.soak.outbound import PATIENCE
from tests.soak.storm import next_letter
from tests.until import until

# Seconds after which letters must leave again, and the pace of the bot in letters a second.
PROMPT, PACE = 10.0, 28
AWAY = "the database is away"


@dataclass(slots=True)
class Report:
    """What became of it. `back` are seconds from each start of the server to the next letter."""

    letters: int
    seed: int
    sent: int = 0
    back: list[float] = field(default_factory=list)
    twice: int = 0
    doubts: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Each letter was sent once, for the process that had it in its hands lived on."""
        once = self.sent == self.letters and self.twice == self.doubts == 0
        return once and not self.differences

    @property
    def prompt(self) -> bool:
        """After each start letters soon left again."""
        return bool(self.back) and max(self.back) <= PROMPT

    def __str__(self) -> str:
        """In one line."""
        return (
            f"{self.letters} letters, {len(self.back)} stops, seed {self.seed}: "
            f"{self.letters - self.sent} lost, {self.twice} heard twice, {self.doubts} in doubt; "
            f"ledger and outbox: {self.differences or 'the same, row by row'}; the next letter after "
            + ", ".join(f"{seconds:.1f} s" for seconds in self.back)
        )


async def fire(folder: Path, *, letters: int, stops: int, seed: int) -> Report:
    """Deliver `letters` while the server stops so often; each time in the middle of letters."""
    chance = random.Random(seed)  # noqa: S311 - chaos that can be repeated
    report, sim = Report(letters, seed), Simulator(now=lambda: datetime.now(UTC))
    part = letters // (stops + 1)
    async with stoppable_postgres() as postgres, sim.serve() as url:
        async with open_storage(postgres.url) as storage:
            await post_letters(storage, sim, letters, datetime.now(UTC))
        settings = {"telegram_token": sim.token, "telegram_api_url": url, "pace": f"{PACE}"}
        async with process(folder, "run", "--engine", database_url=postgres.url, **settings) as bot:
            await bot.start()
            for stop in range(stops):
                fatal = part * stop + chance.randint(part // 3, part)
                await sim.wait_for(partial(_has_heard, sim, fatal), PATIENCE)
                told = _told(bot)
                await postgres.stop_immediately()
                await until(partial(_tells_more, bot, told), 60)
                assert _heard(sim) < letters, "it stopped in the middle"
                await postgres.start()
                report.back.append(await next_letter(sim))
            async with open_storage(postgres.url) as storage:
                await eventually(lambda: all_settled(storage), PATIENCE)
                books = await compare(storage, sim)
            assert bot.running.returncode is None, bot.log
            assert await bot.stop() == 0
    report.sent, report.doubts = books.states[Fate.SENT], books.sum_of("doubts")
    report.twice = books.accepted.total() - len(books.accepted)
    report.differences = books.differences
    return report


def _heard(sim: Simulator) -> int:
    return len(sim.ledger.accepted("sendMessage"))


def _has_heard(sim: Simulator, letters: int) -> bool:
    return _heard(sim) >= letters


def _tells_more(bot: Process, told: int) -> bool:
    return _told(bot) > told


def _told(bot: Process) -> int:
    """How often the engine has told that the database is away."""
    return bot.log.count(AWAY)
