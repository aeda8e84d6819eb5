"""A post office for the tests of delivery: the real outbox and engine, a messenger that answers as
it is told, a clock that stands still, and letters that say what they are about.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import Outcome, Sent, Wait
from bot.clock import SimulatedClock
from bot.delivery import Delivery
from bot.engine import Office
from handlers.correspondence import Kind, Writing
from handlers.letters import Letter
from handlers.words import read_catalogs
from storage import members, outbox
from storage.database import Storage
from storage.tables import Address, Outbox

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CATALOGS = read_catalogs()


class Messenger:
    """A channel. `answers` are given in turn, then everything is accepted; `hold` keeps them back."""

    def __init__(self) -> None:
        self.answers: list[Outcome | Exception] = []
        self.heard: list[tuple[str, str]] = []
        self.not_begun: list[str] = []
        self.hold: asyncio.Event | None = None
        self.asked = asyncio.Condition()

    async def send(
        self, letter: Letter, address: str, *, priority: int, may_start: Callable[[], bool]
    ) -> Outcome:
        del priority
        if not may_start():
            self.not_begun.append(letter.text)
            return Wait(0)
        self.heard.append((address, letter.text))
        number = len(self.heard)
        async with self.asked:
            self.asked.notify_all()
        if self.hold is not None:
            await self.hold.wait()
        answer = self.answers.pop(0) if self.answers else Sent(str(number))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def heard_of(self, letters: int) -> None:
        """Wait until so many letters have come."""
        async with asyncio.timeout(10), self.asked:
            await self.asked.wait_for(lambda: len(self.heard) >= letters)


async def notes(_db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """What the rows say: a letter, nothing any more, or a fault of ours."""
    if any(one.about["says"] == "fault" for one in writings):
        raise LookupError("a writer with a fault")
    said = [one.about["says"] for one in writings]
    return [
        Letter(f"{one.words.language}: {says}") if says else None
        for one, says in zip(writings, said, strict=True)
    ]


KINDS = {"note": Kind(notes, resend=True), "invoice": Kind(notes, resend=False)}


class PostOffice:
    """One engine over an outbox. `watch` is its monotonic clock, in seconds."""

    def __init__(self, storage: Storage, messenger: Messenger, in_flight: int) -> None:
        self.storage, self.messenger, self.clock = storage, messenger, SimulatedClock(NOON, speed=0)
        self.watch = 0.0
        self.office = Office(storage, elapsed=lambda: self.watch)
        self.delivery = Delivery(
            storage,
            {"telegram": messenger},
            KINDS,
            CATALOGS,
            self.clock,
            office=self.office,
            default_language="en",
            in_flight=in_flight,
            monotonic=lambda: self.watch,
        )

    async def member(self, *addresses: str, channel: str = "telegram", language: str = "en") -> int:
        """Somebody who can be reached at these addresses."""
        async with self.storage.begin() as db:
            member = await members.meet(db, channel, addresses[0], NOON)
            member.language = language
            db.add_all(
                Address(member_id=member.id, channel=channel, address=one) for one in addresses[1:]
            )
        return member.id

    async def post(self, key: str, member: int, *, kind: str = "note", **more: Any) -> None:
        """Ask for a letter that says its key, unless `says` is given."""
        about = {"says": more.pop("says", key)}
        due = more.pop("due", NOON)
        async with self.storage.begin() as db:
            outbox.post(db, key=key, member_id=member, kind=kind, about=about, due=due, **more)

    async def passes(self, **duration: float) -> None:
        """Let time pass, on every clock."""
        self.clock.jump(self.clock.now() + timedelta(**duration))
        self.watch += timedelta(**duration).total_seconds()
        assert await self.office.renew()

    async def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """These columns of every row, after its key, oldest first."""
        async with self.storage.read() as db:
            wanted = [getattr(Outbox, name) for name in ("key", *columns)]
            return [tuple(row) for row in await db.execute(select(*wanted).order_by(Outbox.id))]


@asynccontextmanager
async def open_post_office(
    storage: Storage,
    messenger: Messenger | None = None,
    in_flight: int = 8,
    holder: str | None = None,
) -> AsyncIterator[PostOffice]:
    """A post office whose engine holds the office, under a name of its own or this one."""
    post = PostOffice(storage, messenger or Messenger(), in_flight)
    post.office.holder = holder or post.office.holder
    assert await post.office.renew()
    yield post


@asynccontextmanager
async def at_work(post: PostOffice) -> AsyncIterator[asyncio.Task[None]]:
    """The engine's loop, until the block ends; then it stops as on SIGTERM."""
    running = asyncio.create_task(post.delivery.run())
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.wait([running])
