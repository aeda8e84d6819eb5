"""A word goes out: the engine's loop over the outbox.

A turn: take as many letters as there is room for, have each written at this moment (in its reader's
language, from today's facts), mark them started, commit - and only then send them. Letters under way
overlap with the next turns, so that the pace is used to the full; the busier it gets, the more
letters share a turn. Beside the turns, what was answered is settled as soon as it can be: an answer
not written down is a duplicate if we are killed. The protocol and its honest promise stand in
`storage/outbox.py`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from math import ceil, inf

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import Channel, Gone, Lost, Moved, Outcome, Refused, Sent, Wait, becomes
from bot.clock import Clock
from bot.engine import Office
from bot.logs import pseudonym
from bot.metrics import Metrics
from bot.outage import Outage, Respite
from handlers.correspondence import Kinds, Writing
from handlers.letters import Letter
from handlers.links import Links
from handlers.words import Catalogs
from storage import group_chats, members, outbox, purposes, settlements
from storage.database import Storage
from storage.outbox import Start
from storage.settlements import Due, Settlement

log = structlog.get_logger()

# Requests in flight, counted in seconds of the pace: what a slow answer may take without holding
# up the next letter. Each may be a duplicate if we are killed, hence never more than are needed at
# the paid rate of 1,000 messages a second (Bot API, sendMessage.allow_paid_broadcast).
ANSWER_SECONDS, FEWEST, MOST = 0.3, 4, 300
# Seconds between two looks at an outbox that had nothing due.
IDLE = 0.5
# Seconds that requests under way get to be answered when we are asked to stop.
LAST_WORDS = 8.0


def in_flight_at(pace: float) -> int:
    """How many requests to have in flight at so many letters a second."""
    return max(FEWEST, min(MOST, ceil(pace * ANSWER_SECONDS)))


def worth_a_transaction(in_flight: int) -> int:
    """For how many letters a transaction is worth its while, with so many in flight.

    At Telegram's usual pace for each: answers that wait are duplicates if we are killed. With
    hundreds in flight for a quarter of them, or transactions would be most of what a letter costs.
    """
    return max(1, in_flight // 4 - 1)


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter that is started: its row, and where it goes."""

    due: Due
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
        in_flight: int = FEWEST,
        metrics: Metrics | None = None,
        links: Links | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage, self._channels, self._kinds = storage, channels, kinds
        self._catalogs, self._clock, self._office = catalogs, clock, office
        self._default_language, self._monotonic = default_language, monotonic
        self._most, self._worth = in_flight, worth_a_transaction(in_flight)
        self._metrics, self._links = metrics or Metrics(), links or Links()
        self._stir, self._noted = asyncio.Event(), asyncio.Event()
        self._stopping, self._unsure = False, True
        # The last batch was full: there is more, and no need to ask.
        self._more = False
        self._halted_until, self._respite = -inf, Respite()
        self._under_way: dict[asyncio.Task[Outcome], Ready] = {}
        self._answered: list[tuple[Ready, Outcome]] = []

    @property
    def _room(self) -> int:
        """How many letters more may be in flight; one is until it is settled, should we be killed."""
        return self._most - len(self._under_way) - len(self._answered)

    def wake(self) -> None:
        """Something was posted: look now."""
        self._stir.set()

    async def run(self) -> None:
        """Deliver until cancelled; then finish what is under way, and start nothing more."""
        self._stopping, self._unsure = False, True
        work = asyncio.create_task(self._work(), name="delivery")
        books = asyncio.create_task(self._keep_books(), name="settling")
        try:
            await asyncio.shield(work)
        finally:
            self._stopping = True
            self._stir.set()
            self._noted.set()
            await asyncio.wait([work, books], timeout=LAST_WORDS)
            if not (work.done() and books.done()):
                log.warning("stopped with letters under way", letters=len(self._under_way))
            for task in (work, books, *self._under_way):
                task.cancel()
            await asyncio.wait([work, books, *self._under_way])
            # What is not settled by now stays `started`: whoever has the office next finds it.
            self._under_way.clear()
            self._answered.clear()

    async def deliver(self) -> int:
        """Deliver one batch to its end: for rehearsals. Returns how many rows it dealt with."""
        dealt_with = await self._turn(self._most)
        if self._under_way:
            await asyncio.wait(self._under_way)
            await self._settle_answered()
        return dealt_with

    async def _work(self) -> None:
        """Turn after turn, until we are to stop."""
        outage, pause = Outage("delivery"), IDLE
        while not self._stopping:
            room = self._room
            try:
                taken = await self._turn(room)
            except Exception as error:  # noqa: BLE001 - told by the outage; letters must go on
                outage.struck(error)
                self._unsure = True
                await asyncio.sleep(pause)
                pause = min(pause * 2, IDLE * 8)
                continue
            outage.over()
            pause = IDLE
            if not taken or taken < room or self._room < self._worth:
                await self._rest()

    async def _keep_books(self) -> None:
        """Settle what was answered, until we are to stop and nothing is under way any more."""
        outage, pause = Outage("settling"), IDLE
        while not self._stopping or self._under_way or self._answered:
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE):
                    await self._noted.wait()
            self._noted.clear()
            try:
                await self._settle_answered()
            except Exception as error:  # noqa: BLE001 - told by the outage; what was said must be kept
                outage.struck(error)
                # A commit whose answer was lost, perhaps: the next turn looks for what it left.
                self._unsure = True
                await asyncio.sleep(pause)
                pause = min(pause * 2, IDLE * 8)
            else:
                outage.over()
                pause = IDLE
                if self._room >= self._worth:
                    self._stir.set()

    async def _rest(self) -> None:
        """Wait until there is something to do: letters answered, posted, or time gone by."""
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE):
                await self._stir.wait()
        self._stir.clear()

    async def _turn(self, room: int) -> int:
        """Start up to `room` letters more. Returns how many rows were taken."""
        if self._monotonic() < self._halted_until or not self._office.safe:
            room = 0
        if not self._unsure and not (room and (self._more or await self._anything_due())):
            return 0
        ready: list[Ready] = []
        taken = 0
        async with self._storage.begin() as db:
            now = self._clock.now()
            # Fencing: an engine that lost the office while it slept starts nothing more.
            held = await self._office.held(db)
            if self._unsure and held:
                await self._recover(db, now)
            if room and held:
                batch = await outbox.take_due(db, now, room, self._channels)
                ready, taken = await self._start(db, batch, now), len(batch)
        self._unsure = self._unsure and not held
        self._more = bool(room) and taken == room
        for one in ready:
            task = asyncio.create_task(self._send(one))
            self._under_way[task] = one
            task.add_done_callback(self._note_answer)
        return taken

    async def _anything_due(self) -> bool:
        async with self._storage.read() as db:
            return await outbox.anything_due(db, self._clock.now())

    async def _recover(self, db: AsyncSession, now: datetime) -> None:
        """Find what a dead engine, or a commit whose answer was lost, left behind."""
        holder = self._office.holder
        in_hand = [one.due.id for one in self._under_way.values()]
        in_hand += [one.due.id for one, _ in self._answered]
        resent = [name for name, kind in self._kinds.items() if kind.resend]
        if found := await outbox.rescue(db, holder, resent, now):
            log.warning("letters of a dead engine found", letters=found)
        if found := await outbox.put_back(db, holder, in_hand):
            log.warning("letters marked and never sent found", letters=found)

    async def _start(self, db: AsyncSession, batch: Sequence[Due], now: datetime) -> list[Ready]:
        off: list[Settlement] = []
        by_kind: dict[str, list[Due]] = {}
        for row in batch:
            if row.expires is not None and row.expires <= now:
                off.append(settlements.void(row, "expired", now))
            elif row.channel is None:
                off.append(settlements.fail(row, "unreachable", now))
            elif row.kind not in self._kinds:
                log.error("nobody writes this kind of letter", row=row.id, kind=row.kind)
                off.append(settlements.fail(row, "unknown kind", now))
            else:
                by_kind.setdefault(row.kind, []).append(row)
        ready = []
        for kind, rows in by_kind.items():
            willing = await purposes.willing(db, rows, self._kinds[kind].purpose)
            wanted = {row.id for row in willing}
            off += [settlements.void(row, "opted out", now) for row in rows if row.id not in wanted]
            if not willing:
                continue
            for row, letter in await self._write(db, willing, now):
                if isinstance(letter, Settlement):
                    off.append(letter)
                elif row.channel is not None and row.address is not None:
                    ready.append(Ready(row, row.channel, row.address, letter))
        await outbox.write_off(db, off)
        starts = [Start(one.due.id, one.channel, one.address, one.letter.text) for one in ready]
        await outbox.start(db, self._office.holder, starts)
        # In the order in which they were taken, whatever their kinds.
        order = {row.id: place for place, row in enumerate(batch)}
        return sorted(ready, key=lambda one: order[one.due.id])

    async def _write(
        self, db: AsyncSession, rows: Sequence[Due], now: datetime
    ) -> list[tuple[Due, Letter | Settlement]]:
        """Letters of one kind; a row that can't be written holds up none of the others."""
        words, house = self._catalogs, (self._links, self._catalogs)
        writings = [
            Writing(row.member, words[self._language(row)], row.about, now, *house) for row in rows
        ]
        try:
            async with db.begin_nested():
                letters = await self._kinds[rows[0].kind].write(db, writings)
        except Exception:
            if len(rows) > 1:
                return [done for row in rows for done in await self._write(db, [row], now)]
            log.exception("letter can't be written", row=rows[0].id, kind=rows[0].kind)
            return [(rows[0], settlements.fail(rows[0], "can't be written", now))]
        return [
            (row, letter or settlements.void(row, "overtaken by events", now))
            for row, letter in zip(rows, letters, strict=True)
        ]

    def _language(self, row: Due) -> str:
        known = row.member.language in self._catalogs
        return row.member.language if known and row.member.language else self._default_language

    async def _send(self, one: Ready) -> Outcome:
        try:
            return await self._channels[one.channel].send(
                one.letter, one.address, priority=one.due.lane, may_start=self._may_start
            )
        except Exception:
            # A channel promises to raise nothing; if it does, we can't know what left.
            log.exception("channel failed", row=one.due.id)
            return Lost("channel failed")

    def _may_start(self) -> bool:
        """Asked right before the first byte leaves: did we stop, or sleep too long, since?"""
        return self._office.safe and not self._stopping

    def _note_answer(self, task: asyncio.Task[Outcome]) -> None:
        one = self._under_way.pop(task)
        if not task.cancelled():
            self._answered.append((one, task.result()))
        if len(self._answered) >= self._worth or not self._under_way:
            self._noted.set()

    async def _settle_answered(self) -> None:
        answered, now = tuple(self._answered), self._clock.now()
        if not answered:
            return
        async with self._storage.begin() as db:
            await self._settle(db, answered, now)
        del self._answered[: len(answered)]
        for one, outcome in answered:
            self._metrics.letter(one.due.lane, outcome, now - one.due.due)

    async def _settle(
        self, db: AsyncSession, answered: Sequence[tuple[Ready, Outcome]], now: datetime
    ) -> None:
        kinds = self._kinds
        decided = [
            (one, outcome, becomes(one.due, outcome, now, resend=kinds[one.due.kind].resend))
            for one, outcome in answered
        ]
        overtaken = await outbox.settle(db, self._office.holder, [s for _, _, s in decided])
        for one, outcome, settlement in decided:
            if isinstance(outcome, Gone):
                await members.unreachable(db, one.channel, one.address, now)
            elif isinstance(outcome, Moved):
                await members.moved(db, one.channel, one.address, outcome.address, now)
                await group_chats.moved(db, one.channel, one.address, outcome.address)
            seconds = outcome.seconds if isinstance(outcome, Wait) else self._respite.after(outcome)
            if seconds:
                self._halted_until = max(self._halted_until, self._monotonic() + seconds)
            if one.due.id in overtaken:
                log.warning("another engine took this row over", row=one.due.id)
            elif not isinstance(outcome, Sent | Wait):
                _tell(one, outcome, settlement)


def _tell(one: Ready, outcome: Outcome, settlement: Settlement) -> None:
    tell = log.error if isinstance(outcome, Refused) else log.info
    tell(
        "letter not sent",
        row=one.due.id,
        kind=one.due.kind,
        outcome=type(outcome).__name__,
        reason=settlement.reason,
        to=pseudonym(one.channel, one.address),
    )
