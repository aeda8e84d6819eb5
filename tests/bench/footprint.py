"""How long from the start to the first answer, and how much memory, with many members?

`python -m tests.bench footprint`. A real process of `jisr run`, both roles, 100,000 members. On a
busy machine the processor's seconds are the ones to compare.
"""

import asyncio
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from bot.simulator import Simulator
from storage.database import open_storage
from tests.bench.scale import FEW, crowd, planned
from tests.processes import process
from tests.soak.ground import databases

# People who write once the bot is up.
TALKERS = 200
STARTS = 3


def _memory(pid: int) -> float:
    """MB that the process holds (resident)."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _processor(pid: int) -> float:
    """Seconds of the processor that the process has used, for itself and in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def run(console: Console) -> None:
    """Measure on each database."""
    table = Table(
        *("members", "start to first answer, s", "of them CPU", "MB then"),
        f"MB after {TALKERS} replies",
    )
    with tempfile.TemporaryDirectory() as folder:
        async with databases(Path(folder)) as urls:
            for kind, url in urls.items():
                async with open_storage(url) as storage, storage.begin() as db:
                    now = datetime.now(UTC)
                    await crowd(db, FEW, await planned(db, now), now - timedelta(days=1))
                    # Nobody is to be reminded while we look.
                    await db.execute(text("DELETE FROM rsvp"))
                place = Path(folder) / f"at-{kind}"
                place.mkdir()
                table.add_row(f"{FEW:,} {kind}", *await _lives(place, url))
    console.print(table)


async def _lives(place: Path, database_url: str) -> tuple[str, ...]:
    sim = Simulator(now=lambda: datetime.now(UTC))
    firsts, works = [], []
    async with sim.serve() as url:
        settings = {
            "database_url": database_url,
            "telegram_token": sim.token,
            "telegram_api_url": url,
            "pace": "30",
        }
        for start in range(STARTS):
            first = sim.person(f"Amal {start}", language_code="fr")
            first.says("/start")
            async with process(place, "run", **settings) as bot:
                begun = time.monotonic()
                await bot.start()
                await sim.wait_for(lambda: bool(sim.ledger.accepted("sendMessage", first.id)), 60)  # noqa: B023 - awaited here
                firsts.append(time.monotonic() - begun)
                works.append(_processor(bot.running.pid))
                small = _memory(bot.running.pid)
                if start == STARTS - 1:
                    people = [sim.person(f"Basma {n}", language_code="fr") for n in range(TALKERS)]
                    for person in people:
                        person.says("/start")
                    await sim.wait_for(
                        lambda: len(sim.ledger.accepted("sendMessage")) >= STARTS + TALKERS, 120
                    )
                    await asyncio.sleep(1)
                    large = _memory(bot.running.pid)
                await bot.stop(15)
    return f"{min(firsts):.1f}", f"{min(works):.1f}", f"{small:.0f}", f"{large:.0f}"
