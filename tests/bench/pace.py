"""Three minutes at Telegram's pace, with people who write in between: is the limit used, and kept?

`python -m tests.bench pace`. A real process of `jisr run`, and the strict simulator.
"""

import asyncio
import tempfile
import time
from bisect import bisect_left
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

from rich.console import Console
from rich.table import Table

from bot.simulator import Simulator
from bot.simulator.people import Person
from storage.database import open_storage
from tests.processes import process
from tests.proving_ground import post_letters
from tests.soak.ground import databases

PACE, SECONDS = 28, 180
# People who write, one after the other, and the seconds between them.
TALKERS, EVERY = 60, 0.5
# Telegram's own limit (Bot API FAQ, "How can I message all of my bot's subscribers at once?").
LIMIT = 30


def _worst_second(times: list[float]) -> int:
    """The most requests that any second held."""
    return max(
        (bisect_left(times, begins + 1) - place for place, begins in enumerate(times)), default=0
    )


async def _talk(sim: Simulator, people: list[Person], until: float) -> list[float]:
    """Ask for help again and again; seconds until each answer was accepted."""
    waits = []
    number = 0
    while time.monotonic() < until:
        person = people[number % len(people)]
        heard = len(sim.ledger.accepted("sendMessage", person.id))
        begun = time.monotonic()
        person.says("/help")
        await sim.wait_for(
            lambda: len(sim.ledger.accepted("sendMessage", person.id)) > heard,  # noqa: B023 - awaited here
            30,
        )
        waits.append(time.monotonic() - begun)
        number += 1
        await asyncio.sleep(max(0.0, EVERY - waits[-1]))
    return waits


async def run(console: Console) -> None:
    """Measure on each database."""
    table = Table("pace", "requests/s", "of the limit", "worst second", "refused", "reply p99, s")
    with tempfile.TemporaryDirectory() as folder:
        async with databases(Path(folder)) as urls:
            for kind, url in urls.items():
                place = Path(folder) / f"at-{kind}"
                place.mkdir()
                table.add_row(kind, *await _keep_pace(place, url))
    console.print(table)


async def _keep_pace(place: Path, database_url: str) -> tuple[str, ...]:
    sim = Simulator(now=lambda: datetime.now(UTC))
    async with sim.serve() as url, open_storage(database_url) as storage:
        talkers = [sim.person(f"Basma {n}", language_code="fr") for n in range(TALKERS)]
        await post_letters(storage, sim, PACE * SECONDS, datetime.now(UTC))
        settings = {
            "database_url": database_url,
            "telegram_token": sim.token,
            "telegram_api_url": url,
            "pace": str(PACE),
        }
        async with process(place, "run", **settings) as bot:
            await bot.start()
            await sim.wait_for(lambda: len(sim.ledger.accepted("sendMessage")) > PACE, 60)
            begun = time.monotonic()
            # The letters last a little longer than this.
            ends = begun + SECONDS * 0.85
            waits = await _talk(sim, talkers, ends)
            await bot.stop(15)
    messages = [entry for entry in sim.ledger.accepted("sendMessage") if begun <= entry.at < ends]
    rate = len(messages) / (ends - begun)
    return (
        f"{rate:.2f}",
        f"{rate / PACE:.1%}",
        f"{_worst_second([entry.at for entry in messages])} (at most {LIMIT})",
        f"{len(sim.ledger.refused('sendMessage'))}",
        f"{quantiles(waits, n=100)[-1]:.2f}",
    )
