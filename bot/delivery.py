"""A word goes out: the engine's loop over the outbox.

Take a small batch that is due, have each letter written at this moment (in its reader's language,
from today's facts), mark it started, commit - and only then send, and settle what became of it. The
protocol and its honest promise stand in `storage/outbox.py`.
"""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import Channel, Gone, Later, Lost, Moved, Outcome, Refused, Sent, Wait
from bot.clock import Clock
from bot.engine import Office
from bot.logs import pseudonym
from handlers.correspondence import Kinds, Writing
from handlers.letters import Letter
from handlers.words import Catalogs
from storage import members, outbox
from storage.database import Storage
from storage.outbox import Due
from storage.tables import Lane, Outbox

log = structlog.get_logger()

# Requests in flight at once: at most so many duplicates if this process is killed.
IN_FLIGHT = 8
# Seconds between two looks at an outbox that had nothing due.
IDLE = 0.5


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter that is started: its row, and where it goes."""

    row_id: int
    kind: str
    lane: Lane
    channel: str
    address: str
    letter: Letter


class Delivery:
    """One engine's delivery, while it holds the office."""

    def __init__(
        self,
        storage: Storage,
        channels: Mapping[str, Channel],
        kinds: Kinds,
        catalogs: Catalogs,
        clock: Clock,
        *,
        office: Office,
        default_language: str,
    ) -> None:
        self._storage, self._channels, self._kinds = storage, channels, kinds
        self._catalogs, self._clock, self._office = catalogs, clock, office
        self._default_language = default_language
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something was posted: look now."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled; what is in flight then is still settled."""
        await self.rescue()
        while True:
            batch = asyncio.ensure_future(self.deliver())
            try:
                delivered = await asyncio.shield(batch)
            except asyncio.CancelledError:
                await batch
                raise
            if not delivered:
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), IDLE)
                except TimeoutError:
                    continue

    async def rescue(self) -> None:
        """Deal with what a dead engine had in its hands."""
        resent = [name for name, kind in self._kinds.items() if kind.resend]
        async with self._storage.begin() as db:
            found = await outbox.rescue(db, self._office.holder, resent, self._clock.now())
        if found:
            log.warning("letters of a dead engine found", letters=found)

    async def deliver(self) -> int:
        """Deliver one batch. Returns how many rows it dealt with: 0 when nothing is due."""
        now = self._clock.now()
        ready = []
        async with self._storage.begin() as db:
            # Fencing: an engine that lost the office while it slept starts nothing more.
            if not await self._office.held(db):
                return 0
            batch = await outbox.take_due(db, now, IN_FLIGHT)
            for due in batch:
                if (one := await self._start(db, due)) is not None:
                    ready.append(one)
        outcomes = await asyncio.gather(*map(self._send, ready))
        if ready:
            async with self._storage.begin() as db:
                for one, outcome in zip(ready, outcomes, strict=True):
                    await self._settle(db, one, outcome)
        return len(batch)

    async def _start(self, db: AsyncSession, due: Due) -> Ready | None:
        row, now = due.row, self._clock.now()
        if row.expires is not None and row.expires <= now:
            outbox.void(row, "expired", now)
            return None
        if due.address is None or due.address.channel not in self._channels:
            outbox.fail(row, "unreachable", now)
            return None
        kind = self._kinds.get(row.kind)
        letter = None
        if kind is not None:
            words = self._catalogs[due.member.language or self._default_language]
            try:
                letter = await kind.write(Writing(db, due.member, words, row.about, now))
            except Exception:
                log.exception("letter can't be written", row=row.id, kind=row.kind)
                outbox.fail(row, "can't be written", now)
                return None
        if letter is None:
            outbox.void(row, "overtaken by events", now)
            return None
        outbox.start(
            due, self._office.holder, due.address.channel, due.address.address, letter.text
        )
        return Ready(
            row.id,
            row.kind,
            Lane(row.lane),
            due.address.channel,
            due.address.address,
            letter,
        )

    async def _send(self, one: Ready) -> Outcome:
        try:
            return await self._channels[one.channel].send(
                one.letter, one.address, priority=one.lane
            )
        except Exception:
            # A channel promises to raise nothing; if it does, we can't know what left.
            log.exception("channel failed", row=one.row_id)
            return Lost("channel failed")

    async def _settle(self, db: AsyncSession, one: Ready, outcome: Outcome) -> None:
        row, now = await outbox.started(db, one.row_id, self._office.holder), self._clock.now()
        if row is None:
            log.warning("another engine took this row over", row=one.row_id)
            return
        resend = self._kinds[one.kind].resend
        match outcome:
            case Sent():
                outbox.sent(row, outcome.provider_id, now)
                return
            case Wait():
                outbox.again(row, now + timedelta(seconds=outcome.seconds))
            case Later():
                jitter = random.random()  # noqa: S311  # spreads load, guards nothing
                outbox.again_later(row, outcome.reason, now, jitter)
            case Gone():
                outbox.fail(row, outcome.reason, now)
                await members.unreachable(db, one.channel, one.address, now)
            case Moved():
                await members.moved(db, one.channel, one.address, outcome.address)
                outbox.again(row, now, reason="moved")
            case Refused():
                outbox.fail(row, outcome.reason, now)
            case Lost():
                outbox.lose(row, outcome.reason, now, resend=resend)
        self._tell(row, one, outcome)

    def _tell(self, row: Outbox, one: Ready, outcome: Outcome) -> None:
        tell = log.error if isinstance(outcome, Refused) else log.info
        tell(
            "letter not sent",
            row=row.id,
            kind=one.kind,
            outcome=type(outcome).__name__,
            reason=row.reason,
            to=pseudonym(one.channel, one.address),
        )
