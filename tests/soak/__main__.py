"""Run every rehearsal of a disaster at full size; fails if one of them lost or doubled anything.

python -m tests.soak [PART ...] [--seed N] [--updates N] [--letters N] [--kills N] [--writes N]
    [--wishes N] [--members N] [--seconds N] [--stops N] [--nights N] [--on DATABASE]

The parts: inbound, outbound, asleep, storm, restart, contention, disk, clocks, seats, announcements.
Each verdict is a line: "kept" or "BROKEN", what was rehearsed, on what, and what became of it.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from rich.console import Console

from bot.zones import prefer_packaged_zones
from storage import leases
from storage.database import open_storage
from storage.migrations import migrate
from tests.soak import (
    announcements,
    clocks,
    contention,
    disk,
    inbound,
    outbound,
    restart,
    seats,
    storm,
)
from tests.soak.ground import databases

# The pace of Telegram, in letters a second, and one at which only we are the limit.
TELEGRAMS, LIFTED = 28.0, 100_000.0
# Duplicates that a kill may cost at Telegram's pace, on average.
A_KILL = 1.0
# Seconds after which a silent engine must have a successor.
SUCCESSION = 15.0


class Report(Protocol):
    """What became of a rehearsal; its `str` is a line, the seed in it."""

    @property
    def kept(self) -> bool:
        """Whether nothing was that must not be."""
        ...


class Ground:
    """Where the rehearsals take place, and what was found there."""

    def __init__(self, folder: Path, wish: Namespace) -> None:
        self.folder, self.wish = folder, wish
        self._console = Console(soft_wrap=True, highlight=False, markup=False)
        self.verdicts: list[bool] = []

    @asynccontextmanager
    async def databases(self, name: str) -> AsyncIterator[dict[str, str]]:
        """Fresh databases, those that are wished for; the kind of each and its URL."""
        async with databases(self.folder / name) as urls:
            yield {kind: url for kind, url in urls.items() if self.wish.on in (None, kind)}

    def place(self, name: str) -> Path:
        """A folder for the logs of one rehearsal."""
        place = self.folder / f"at-{name}"
        place.mkdir()
        return place

    def judge(self, what: str, report: Report, *also: bool) -> None:
        """Print the verdict on a rehearsal: kept, and whatever else must be true."""
        kept = report.kept and all(also)
        self.verdicts.append(kept)
        self._console.print(f"{'kept' if kept else 'BROKEN'}: {what}: {report}")

    def tell(self, words: str) -> None:
        """Print what is no verdict."""
        self._console.print(words)


async def inbound_soak(ground: Ground) -> None:
    """A listener that is killed: polling and webhook, on each database in turn."""
    wish = ground.wish
    for how in ("polling", "webhook"):
        async with ground.databases(how) as urls:
            for kind, url in urls.items():
                report = await inbound.fire(
                    ground.place(f"{how}-{kind}"),
                    url,
                    webhook=how == "webhook",
                    updates=wish.updates,
                    kills=wish.kills,
                    seed=wish.seed,
                )
                ground.judge(f"inbound, {how}, {kind}", report)


async def outbound_soak(ground: Ground) -> None:
    """Engines that are killed, at full speed and at Telegram's."""
    wish = ground.wish
    # At 28 a second a thousand letters take long enough.
    for pace, size in ((LIFTED, wish.letters), (TELEGRAMS, min(wish.letters, 1000))):
        async with ground.databases(f"{pace:.0f}") as urls:
            for kind, url in urls.items():
                report = await outbound.fire(
                    ground.place(f"{pace:.0f}-{kind}"),
                    url,
                    letters=size,
                    kills=wish.kills,
                    seed=wish.seed,
                    pace=pace,
                )
                few = pace == LIFTED or report.twice <= report.kills * A_KILL
                ground.judge(f"outbound, {pace:.0f}/s, {kind}", report, few)


async def asleep_soak(ground: Ground) -> None:
    """Engines that sleep: one is replaced meanwhile, for 20 s at the real lease; one is not."""
    seed, lease = ground.wish.seed, leases.LEASE.total_seconds()
    async with ground.databases("asleep") as urls:
        for kind, url in urls.items():
            place = ground.place(f"asleep-{kind}")
            if kind == "postgresql":
                zombie = await outbound.sleepwalk(
                    place, url, letters=1000, pace=TELEGRAMS, seed=seed, lease=lease, seconds=20
                )
                ground.judge(f"zombie, {kind}", zombie, zombie.replaced <= SUCCESSION)
            else:
                napped = await outbound.nap(place, url, letters=1000, pace=TELEGRAMS, seed=seed)
                ground.judge(f"asleep and not replaced, {kind}", napped)


async def storm_soak(ground: Ground) -> None:
    """A messenger in fire; the full pace again within ten seconds after each trouble."""
    wish = ground.wish
    async with ground.databases("storm") as urls:
        for kind, url in urls.items():
            place = ground.place(f"storm-{kind}")
            report = await storm.fire(place, url, seconds=wish.seconds, seed=wish.seed)
            ground.judge(f"storm, {kind}", report, report.prompt)


async def restart_soak(ground: Ground) -> None:
    """A PostgreSQL that stops at once; letters leave again within ten seconds of its start."""
    wish, letters = ground.wish, min(ground.wish.letters, 2000)
    report = await restart.fire(
        ground.place("restart"), letters=letters, stops=wish.stops, seed=wish.seed
    )
    ground.judge("restart, postgresql", report, report.prompt)


async def contention_soak(ground: Ground) -> None:
    """Four processes that write to one SQLite file."""
    url = f"sqlite+aiosqlite:///{ground.folder / 'contention.db'}"
    async with open_storage(url) as storage:
        await migrate(storage)
    report = await contention.contend(url, processes=4, writes=ground.wish.writes)
    ground.judge("contention, sqlite", report)


async def disk_soak(ground: Ground) -> None:
    """A small disk that is full, several times."""
    try:
        report = await disk.fill(
            ground.place("disk"), people=60, fillings=ground.wish.stops, seed=ground.wish.seed
        )
    except disk.CantMount as refusal:
        ground.tell(f"NOT REHEARSED: disk: mounting a small one needs root on Linux ({refusal})")
    else:
        ground.judge("disk, sqlite", report)


async def clocks_soak(ground: Ground) -> None:
    """Nights on which Paris changes its clocks, each with other jumps and sleeps."""
    wish = ground.wish
    for number in range(wish.nights):
        for night in clocks.NIGHTS:
            name = f"{night}-{number}"
            async with ground.databases(name) as urls:
                for kind, url in urls.items():
                    report = await clocks.fire(
                        ground.place(f"{name}-{kind}"),
                        url,
                        night=night,
                        jumps=8,
                        seed=wish.seed + number,
                    )
                    ground.judge(f"clocks, {kind}", report)


async def seats_soak(ground: Ground) -> None:
    """Half of the wishes on each database, by workers that are killed."""
    wish = ground.wish
    async with ground.databases("seats") as urls:
        for kind, url in urls.items():
            report = await seats.fire(
                url, wishes=wish.wishes // 2, kills=wish.kills, seed=wish.seed
            )
            ground.judge(f"seats, {kind}", report)


async def announcements_soak(ground: Ground) -> None:
    """A whole community on each database; twenty engines are killed, fewer for a smaller one."""
    wish = ground.wish
    # What a kill leaves in doubt is held, and must not be all that there is to send.
    kills = min(20, 2 + wish.members // 1000)
    async with ground.databases("announcements") as urls:
        for kind, url in urls.items():
            report = await announcements.fire(
                ground.folder, url, members=wish.members, kills=kills, seed=wish.seed
            )
            ground.judge(f"announcements, {kind}", report)


PARTS: dict[str, Callable[[Ground], Awaitable[None]]] = {
    "inbound": inbound_soak,
    "outbound": outbound_soak,
    "asleep": asleep_soak,
    "storm": storm_soak,
    "restart": restart_soak,
    "contention": contention_soak,
    "disk": disk_soak,
    "clocks": clocks_soak,
    "seats": seats_soak,
    "announcements": announcements_soak,
}


async def rehearse(ground: Ground) -> bool:
    """Run the parts that are wished for, one after another. True: all of them were kept."""
    for part in ground.wish.parts:
        await PARTS[part](ground)
    broken = ground.verdicts.count(False)
    ground.tell(f"seed {ground.wish.seed}: {len(ground.verdicts)} rehearsals, {broken} BROKEN")
    return not broken


def main() -> int:
    """Read the size, print the seed, run."""
    wishes = argparse.ArgumentParser(description=__doc__)
    wishes.add_argument("parts", nargs="*", metavar="part")
    wishes.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311 - printed, so that it can be repeated
    wishes.add_argument("--updates", type=int, default=10_000)
    wishes.add_argument("--letters", type=int, default=10_000)
    wishes.add_argument("--kills", type=int, default=50)
    wishes.add_argument("--writes", type=int, default=10_000)
    wishes.add_argument("--wishes", type=int, default=1_000_000)
    wishes.add_argument("--members", type=int, default=50_000)
    wishes.add_argument("--seconds", type=float, default=60, help="of each trouble in a storm")
    wishes.add_argument("--stops", type=int, default=10, help="of PostgreSQL, and full disks")
    wishes.add_argument("--nights", type=int, default=10, help="of each kind")
    wishes.add_argument("--on", choices=("sqlite", "postgresql"))
    wish = wishes.parse_args()
    if unknown := set(wish.parts) - set(PARTS):
        wishes.error(f"there is no part {', '.join(sorted(unknown))}")
    wish.parts = wish.parts or list(PARTS)
    prefer_packaged_zones()
    Console().print(f"seed {wish.seed}")
    with tempfile.TemporaryDirectory() as folder:
        return 0 if asyncio.run(rehearse(Ground(Path(folder), wish))) else 1


if __name__ == "__main__":
    sys.exit(main())
