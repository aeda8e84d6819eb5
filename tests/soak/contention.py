"""Several processes write to one SQLite file at once: each write reads first, as our rules do.

python -m tests.soak.contention DATABASE_URL NAME WRITES   (one of the writers)
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from storage import members, outbox
from storage.database import open_storage
from storage.tables import Address, Outbox

# What a writer says when it is ready, and waits for before its first write.
READY = b"ready\n"


@dataclass(frozen=True, slots=True)
class Report:
    """What became of it. `complaints` are the last words of writers that failed."""

    wished: int
    written: int
    complaints: list[str]

    @property
    def kept(self) -> bool:
        """Nobody was turned away, and every write is there."""
        return self.written == self.wished and not self.complaints

    def __str__(self) -> str:
        """In one line; there is no chance in it, hence no seed."""
        return (
            f"{self.written} of {self.wished} written, turned away: {self.complaints or 'nobody'}"
        )


async def contend(database_url: str, *, processes: int, writes: int) -> Report:
    """Let so many processes write so often, all of them at once."""
    writers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.soak.contention", database_url, f"{n}", f"{writes}"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for n in range(processes)
    ]
    try:
        # A writer that fails to start says nothing, and its last words are told below.
        await asyncio.gather(*(one.stdout.readline() for one in writers if one.stdout))
        said = await asyncio.gather(*(one.communicate(READY) for one in writers))
    finally:
        for one in writers:
            if one.returncode is None:
                one.kill()
                await one.wait()
    async with open_storage(database_url) as storage, storage.read() as db:
        written = await db.scalar(select(func.count()).select_from(Outbox)) or 0
    complaints = [
        (errors.decode().strip().splitlines() or ["no words"])[-1]
        for one, (_, errors) in zip(writers, said, strict=True)
        if one.returncode
    ]
    return Report(processes * writes, written, complaints)


async def _write(database_url: str, name: str, writes: int) -> None:
    now = datetime.now(UTC)
    async with open_storage(database_url) as storage:
        async with storage.read() as db:
            await db.scalar(select(1))
        sys.stdout.write(READY.decode())
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        for number in range(writes):
            async with storage.begin() as db:
                # The same few people for all: whom one writer meets, another must find.
                person = f"{number % 10}"
                known = await members.address_on(db, "telegram", person)
                met = known or await members.meet(db, "telegram", person, now)
                member_id = met.member_id if isinstance(met, Address) else met.id
                key = f"{name}:{number}"
                outbox.post(db, key=key, member_id=member_id, kind="note", about={}, due=now)


if __name__ == "__main__":
    asyncio.run(_write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
