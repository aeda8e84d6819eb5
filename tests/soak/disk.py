"""A disk that fills up while people write and letters leave, and has room again.

The disk is a small tmpfs, so that it is really full, for the database and its log alike. Run in full
by `python -m tests.soak disk`; whoever may not mount one (Linux, root) is told so.
"""

import random
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import select

from bot.simulator import Simulator
from storage.database import Storage, open_storage
from storage.migrations import migrate
from storage.tables import Fate, Update
from tests.processes import Process, process
from tests.proving_ground import all_settled, compare, eventually, post_letters
from tests.until import until

AWAY = "the database is away"
MEGABYTES = 16
# What is still free for a few more, in bytes.
LITTLE = 100_000
# Until the letters come due that are to meet a full disk.
SOON = timedelta(seconds=5)


@dataclass(slots=True)
class Report:
    """What became of it. `amiss` are what must not be, in words."""

    people: int
    fillings: int
    seed: int
    amiss: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Nothing was acknowledged or said without a row, and everything was done once in the end."""
        return not self.amiss

    def __str__(self) -> str:
        """In one line."""
        return (
            f"{self.people} people, filled {self.fillings} times, seed {self.seed}: "
            f"{'; '.join(self.amiss) or 'no acknowledgement without a row, recovered by itself'}"
        )


class CantMount(Exception):  # noqa: N818  # it is no fault of ours
    """Nobody lets us mount a disk of our own here."""


@asynccontextmanager
async def small_disk(folder: Path) -> AsyncIterator[Path]:
    """A disk of a few megabytes, gone when the block ends. Raises CantMount."""
    place = folder / "small"
    place.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", f"{place}")
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)  # noqa: ASYNC221, S603 - before anything runs beside it
    except (OSError, subprocess.CalledProcessError) as error:
        raise CantMount(str(getattr(error, "stderr", None) or error).strip()) from error
    try:
        yield place
    finally:
        subprocess.run(("umount", f"{place}"), check=True)  # noqa: ASYNC221, S603, S607 - as above


async def fill(folder: Path, *, people: int, fillings: int, seed: int) -> Report:
    """Fill a small disk so often, each time with `people` writing. Raises CantMount."""
    async with small_disk(folder) as place:
        url = f"sqlite+aiosqlite:///{place / 'jisr.db'}"
        async with open_storage(url) as storage:
            await migrate(storage)
        ballast = place / "ballast"

        def leave(_bot: Process, free: int | None) -> None:
            if free is None:
                ballast.unlink()
            else:
                _fill_but(ballast, free)

        return await fire(folder, url, leave, people=people, fillings=fillings, seed=seed)


def _fill_but(ballast: Path, free: int) -> None:
    """Let so many bytes be free on this file's disk."""
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            file.truncate(max(0, file.tell() - free))


async def fire(
    folder: Path,
    database_url: str,
    leave: Callable[[Process, int | None], None],
    *,
    people: int,
    fillings: int,
    seed: int,
) -> Report:
    """Let `people` write to a bot each time its disk is full.

    `leave` lets so many bytes be free on it; None: as many as one likes.
    """
    chance, report = random.Random(seed), Report(people, fillings, seed)  # noqa: S311 - chaos that can be repeated
    sim = Simulator(now=_now)
    async with sim.serve() as url, open_storage(database_url) as storage:
        settings = {"telegram_token": sim.token, "telegram_api_url": url, "pace": "30"}
        async with process(folder, database_url=database_url, **settings) as bot:
            await bot.start()
            await bot.listens_to(sim)
            said: dict[int, int] = {}
            for filling in range(fillings):
                first = sim.person(f"Emma {filling}", language_code="en", started=False)
                said[first.says("/start")] = first.id
                await sim.settled(timeout=60)
                # They come due when the disk is full, for by then nobody can write them any more.
                await post_letters(storage, sim, chance.randint(5, 15), _now() + SOON)
                before, since = sim.world.mailbox.pending.keys() | said.keys(), len(bot.log)
                leave(bot, LITTLE)
                struck, number = partial(_struck, bot, since, "intake"), 0
                while not struck():
                    # What is written small finds room in what was written before, so more may have
                    # to come until there is none left.
                    for number in range(number + 1, number + people):  # noqa: B020 - goes on counting
                        name = f"Emma {filling}-{number}"
                        one = sim.person(name, language_code="en", started=False)
                        said[one.says("/start")] = one.id
                    await until(lambda: struck() or not sim.world.mailbox.pending, 60)  # noqa: B023 - awaited here
                leave(bot, 0)
                # What is written small may still find a place, so either may be the first to see.
                await until(partial(_struck, bot, since, "delivery", "settling"), 60)
                report.amiss += await _without_a_row(storage, sim, said, before)
                leave(bot, None)
                await sim.settled(timeout=60)
                await eventually(lambda: all_settled(storage))
            if bot.running.returncode is not None or await bot.stop() != 0:
                report.amiss.append(f"the bot ended: {bot.log.splitlines()[-1]}")
        report.amiss += await _in_the_end(storage, sim, said)
    return report


async def _without_a_row(
    storage: Storage, sim: Simulator, said: dict[int, int], before: set[int]
) -> list[str]:
    """What was acknowledged or answered on the full disk, and is not kept."""
    acknowledged = said.keys() - sim.world.mailbox.pending.keys()
    told = {entry.chat_id for entry in sim.ledger.accepted("sendMessage")}
    rows = await _known(storage)
    amiss = [f"update {n} was acknowledged, not kept" for n in sorted(acknowledged - rows)]
    answered = {number for number, chat in said.items() if chat in told}
    amiss += [f"update {number} was answered, not kept" for number in sorted(answered - rows)]
    if not said.keys() - before - acknowledged:
        amiss.append("the disk was not full in the middle of updates")
    return amiss


async def _in_the_end(storage: Storage, sim: Simulator, said: dict[int, int]) -> list[str]:
    """What was lost or done twice: each hears their answer or their letter, once."""
    books = await compare(storage, sim)
    amiss = [f"update {n} was lost" for n in sorted(said.keys() - await _known(storage))]
    amiss += [f"letters: {dict(books.states)}"] if set(books.states) != {Fate.SENT} else []
    amiss += [f"{books.sum_of('doubts')} letters in doubt"] if books.sum_of("doubts") else []
    amiss += [
        f"{person.name} heard {books.accepted[person.id]} letters"
        for person in sim.people.values()
        if books.accepted[person.id] != 1
    ]
    return amiss


async def _known(storage: Storage) -> set[int]:
    async with storage.read() as db:
        return set(await db.scalars(select(Update.update_id)))


def _struck(bot: Process, since: int, *works: str) -> bool:
    """Whether one of these works has found the database away, after so much of the log."""
    away = [line for line in bot.log[since:].splitlines() if AWAY in line]
    return any(f'"work": "{work}"' in line for line in away for work in works)


def _now() -> datetime:
    return datetime.now(UTC)
