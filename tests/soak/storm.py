"""A messenger in fire: floods of 429, an outage, slow answers, connections cut before and after.

An engine is at work meanwhile. Nothing may be lost, the messenger's ledger must be the outbox row
by row, and soon after each trouble letters must leave at the full pace again. Run in full by
`python -m tests.soak storm`.
"""

import asyncio
import random
import time
from bisect import bisect_left
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from bot.simulator import Simulator
from bot.simulator.faults import Faults
from storage.tables import Fate
from tests.proving_ground import all_settled, compare, eventually
from tests.soak.engine import engine
from tests.soak.outbound import PATIENCE, letters_to_deliver

# Seconds after which the full pace must be reached again, and the span in which it is counted; the
# part of the pace that counts as full, for a second of a busy machine isn't always whole.
PROMPT, SPAN, FULL = 10.0, 2.0, 0.95
ENDLESS = 1_000_000


@dataclass(slots=True)
class Report:
    """What became of it. `back` are seconds from the end of each trouble to the full pace."""

    letters: int
    seed: int
    sent: int = 0
    back: dict[str, float] = field(default_factory=dict)
    doubts: int = 0
    twice: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Every letter was sent, nothing twice that isn't listed, and the two books agree."""
        return self.sent == self.letters and self.twice <= self.doubts and not self.differences

    @property
    def prompt(self) -> bool:
        """After each trouble the full pace was soon reached again."""
        return bool(self.back) and max(self.back.values()) <= PROMPT

    def __str__(self) -> str:
        """In one line."""
        back = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.back.items())
        return (
            f"{self.letters} letters, seed {self.seed}: {self.letters - self.sent} lost, "
            f"{self.twice} heard twice, {self.doubts} listed as in doubt; ledger and outbox: "
            f"{self.differences or 'the same, row by row'}; the full pace again after {back}"
        )


def _floods(faults: Faults, chance: random.Random) -> None:
    faults.fail(ENDLESS, code=429, retry_after=chance.randint(1, 5))


def _is_down(faults: Faults, chance: random.Random) -> None:
    faults.fail(ENDLESS, code=chance.choice((500, 502, 503, 504)))


def _is_slow(faults: Faults, chance: random.Random) -> None:
    faults.latency = chance.uniform(1.5, 3)


def _hangs_up_before(faults: Faults, chance: random.Random) -> None:
    faults.drop_before(chance.randint(20, 40))


def _hangs_up_after(faults: Faults, chance: random.Random) -> None:
    faults.drop_after(chance.randint(20, 40))


TROUBLES = {
    "a storm of 429": _floods,
    "an outage (5xx)": _is_down,
    "slow answers": _is_slow,
    "cut before": _hangs_up_before,
    "cut after": _hangs_up_after,
}


async def fire(
    folder: Path,
    database_url: str,
    *,
    seconds: float,
    seed: int,
    pace: float = 28,
    patience: float = 3 * PROMPT,
) -> Report:
    """Make each trouble for so many `seconds`, in some order; `pace` is in letters a second.

    The full pace is awaited for `patience` seconds; with none, only the next letter is.
    """
    chance = random.Random(seed)  # noqa: S311 - chaos that can be repeated
    # Enough to see the pace after each trouble, and to have some to lose in it.
    letters = round(len(TROUBLES) * pace * (1.5 + min(seconds, patience) + patience / 2))
    report = Report(letters, seed)
    names = chance.sample(list(TROUBLES), len(TROUBLES))
    async with letters_to_deliver(folder, database_url, letters, pace) as (sim, storage, plan):
        async with engine(plan) as alive:
            for name in names:
                await next_letter(sim)
                TROUBLES[name](sim.faults, chance)
                await asyncio.sleep(seconds)
                sim.faults.clear()
                report.back[name] = await _full_pace(sim, pace, patience)
            await eventually(lambda: all_settled(storage), PATIENCE)
            alive.asked_to_end()
            await alive.ended()
        books = await compare(storage, sim)
    report.sent, report.doubts = books.states[Fate.SENT], books.sum_of("doubts")
    report.twice = books.accepted.total() - len(books.accepted)
    report.differences = books.differences
    return report


async def next_letter(sim: Simulator) -> float:
    """Seconds from now until the next letter was accepted."""
    now, heard = time.monotonic(), len(sim.ledger.accepted("sendMessage"))
    await sim.wait_for(lambda: len(sim.ledger.accepted("sendMessage")) > heard, PATIENCE)
    return sim.ledger.accepted("sendMessage")[heard].at - now


async def _full_pace(sim: Simulator, pace: float, patience: float) -> float:
    """Seconds from now until a span begins in which letters leave at the full pace."""
    now, enough = time.monotonic(), round(pace * SPAN * FULL)
    while True:
        times = [entry.at for entry in sim.ledger.accepted()]
        since = bisect_left(times, now)
        for first, last in zip(times[since:], times[since + enough - 1 :], strict=False):
            if last - first <= SPAN:
                return first - now
        if time.monotonic() - now > patience:
            return inf
        await asyncio.sleep(0.1)
