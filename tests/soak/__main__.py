"""Run every rehearsal of a disaster at full size; fails if one of them lost or doubled anything.

python -m tests.soak [inbound] [outbound] [contention] [seats] [announcements] [--seed N]
    [--updates N] [--letters N] [--kills N] [--writes N] [--wishes N] [--members N] [--on DATABASE]
"""

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from bot.zones import prefer_packaged_zones
from storage.database import open_storage
from storage.migrations import migrate
from tests.soak import announcements, contention, inbound, outbound, seats
from tests.soak.ground import databases

PARTS = ("inbound", "outbound", "contention", "seats", "announcements")


async def inbound_soak(folder: Path, seed: int, updates: int, kills: int) -> bool:
    """Polling and webhook, on each database in turn."""
    good, console = True, Console(soft_wrap=True, highlight=False)
    for webhook in (False, True):
        async with databases(folder / f"{webhook}") as urls:
            for kind, url in urls.items():
                place = folder / f"{webhook}-{kind}"
                place.mkdir()
                report = await inbound.fire(
                    place, url, webhook=webhook, updates=updates, kills=kills, seed=seed
                )
                how = "webhook" if webhook else "polling"
                console.print(f"inbound, {how}, {kind}: {report}")
                good = good and report.kept
    return good


async def contention_soak(folder: Path, writes: int) -> bool:
    """Four processes that write to one SQLite file."""
    url = f"sqlite+aiosqlite:///{folder / 'contention.db'}"
    async with open_storage(url) as storage:
        await migrate(storage)
    report = await contention.contend(url, processes=4, writes=writes)
    Console(soft_wrap=True, highlight=False).print(f"contention, sqlite: {report}")
    return report.kept


async def outbound_soak(folder: Path, seed: int, letters: int, kills: int) -> bool:
    """Engines killed at full speed and at Telegram's, and one that sleeps."""
    good, console = True, Console(soft_wrap=True, highlight=False)
    # At 28 a second a thousand letters take long enough.
    for pace, size in ((100_000.0, letters), (28.0, min(letters, 1000))):
        async with databases(folder / f"{pace:.0f}") as urls:
            for kind, url in urls.items():
                place = folder / f"{pace:.0f}-{kind}"
                place.mkdir()
                report = await outbound.fire(
                    place, url, letters=size, kills=kills, seed=seed, pace=pace
                )
                console.print(f"outbound, {pace:.0f}/s, {kind}: {report}")
                good = good and report.kept
    async with databases(folder / "asleep") as urls:
        zombie = await outbound.sleepwalk(folder, urls["postgresql"], letters=400, pace=28)
    console.print(f"outbound, asleep: {zombie}")
    return good and zombie.kept


async def seats_soak(folder: Path, seed: int, wishes: int, kills: int) -> bool:
    """Half of the wishes on each database, by workers that are killed."""
    good, console = True, Console(soft_wrap=True, highlight=False)
    async with databases(folder / "seats") as urls:
        for kind, url in urls.items():
            report = await seats.fire(url, wishes=wishes // 2, kills=kills, seed=seed)
            console.print(f"seats, {kind}: {report}")
            good = good and report.kept
    return good


async def announcements_soak(folder: Path, seed: int, members: int, only: str | None) -> bool:
    """A whole community on each database, or `only` one; twenty engines are killed."""
    good, console = True, Console(soft_wrap=True, highlight=False)
    async with databases(folder / "announcements") as urls:
        for kind, url in urls.items():
            if only in (None, kind):
                report = await announcements.fire(folder, url, members=members, kills=20, seed=seed)
                console.print(f"announcements, {kind}: {report}")
                good = good and report.kept
    return good


def main() -> int:
    """Read the size, print the seed, run."""
    wishes = argparse.ArgumentParser(description=__doc__)
    wishes.add_argument("parts", nargs="*", default=PARTS, metavar="part")
    wishes.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311 - printed, so that it can be repeated
    wishes.add_argument("--updates", type=int, default=10_000)
    wishes.add_argument("--letters", type=int, default=10_000)
    wishes.add_argument("--kills", type=int, default=50)
    wishes.add_argument("--writes", type=int, default=10_000)
    wishes.add_argument("--wishes", type=int, default=1_000_000)
    wishes.add_argument("--members", type=int, default=50_000)
    wishes.add_argument("--on", choices=("sqlite", "postgresql"))
    wish = wishes.parse_args()
    if unknown := set(wish.parts) - set(PARTS):
        wishes.error(f"there is no part {', '.join(sorted(unknown))}")
    prefer_packaged_zones()
    Console().print(f"seed {wish.seed}")
    with tempfile.TemporaryDirectory() as folder:
        place, good = Path(folder), True
        if "inbound" in wish.parts:
            good &= asyncio.run(inbound_soak(place, wish.seed, wish.updates, wish.kills))
        if "outbound" in wish.parts:
            good &= asyncio.run(outbound_soak(place, wish.seed, wish.letters, wish.kills))
        if "contention" in wish.parts:
            good &= asyncio.run(contention_soak(place, wish.writes))
        if "seats" in wish.parts:
            good &= asyncio.run(seats_soak(place, wish.seed, wish.wishes, wish.kills))
        if "announcements" in wish.parts:
            good &= asyncio.run(announcements_soak(place, wish.seed, wish.members, wish.on))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
