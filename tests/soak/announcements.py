"""An announcement to a whole community, by engines that are killed again and again; then another
one, watched: how long a member's tap waits meanwhile, and what still leaves after staff tap Stop.

The simulator's ledger is the witness: everybody in the snapshot heard it exactly once, but for the
letters that the outbox lists as in doubt. Run in full by `python -m tests.soak announcements`.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from bot.delivery import in_flight_at
from bot.simulator import Simulator
from bot.simulator.people import Person
from handlers.answers import Choose
from handlers.sendings import Sending
from storage import audience_counts
from storage.database import Storage, open_storage
from storage.tables import (
    Address,
    Agreement,
    Announcement,
    AnnouncementText,
    Fate,
    Member,
    Purpose,
    Recipient,
    Role,
    Stage,
)
from tests.proving_ground import eventually
from tests.soak.engine import Plan, engine

LANGUAGES = ("fr", "ar", "en")
# Of a hundred people one has blocked the bot, and nobody has told us.
BLOCKED = 100
# Seconds that a drain may take, and that lie between two taps of members.
PATIENCE, BETWEEN_TAPS = 3600.0, 0.1
EVERYBODY = {"everyone": True}
# Letters a second: only we are the limit.
PACE = 100_000.0


@dataclass(slots=True)
class Report:
    """What became of it. `twice` were heard once too often, `unheard` are said to be sent and were
    not; `most` may be in doubt; `taps` are seconds until each was answered; `stop` is from the tap until
    the last letter.
    """

    kind: str
    members: int
    kills: int
    seed: int
    most: int
    previewed: int = 0
    recipients: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    twice: int = 0
    unheard: int = 0
    strangers: int = 0
    seconds: float = 0.0
    taps: list[float] = field(default_factory=list)
    stop: float = 0.0
    stopped_at: int = 0
    after_stop: int = 0

    @property
    def kept(self) -> bool:
        """Each in the snapshot exactly once, all of them accounted for, and the previewed are those."""
        accounted = self.outcomes.total() == self.recipients == self.previewed
        right = not (self.twice or self.unheard or self.strangers or self.outcomes["None"])
        return accounted and right and self.outcomes["unknown"] <= self.most

    def __str__(self) -> str:
        """In a few lines."""
        taps = sorted(self.taps) or [0.0]
        p50, p99 = (taps[min(len(taps) - 1, int(len(taps) * part))] for part in (0.5, 0.99))
        return (
            f"{self.members} members, {self.kills} kills, seed {self.seed}: "
            f"previewed {self.previewed}, recipients {self.recipients}, {dict(self.outcomes)}, "
            f"twice {self.twice}, unheard {self.unheard}, strangers {self.strangers}, "
            f"{self.seconds:.0f} s; {len(self.taps)} taps meanwhile: p50 {p50 * 1000:.0f} ms, "
            f"p99 {p99 * 1000:.0f} ms, longest {taps[-1] * 1000:.0f} ms; stopped after "
            f"{self.stopped_at} letters: {self.after_stop} more, the last {self.stop * 1000:.0f} ms "
            "after the tap"
        )


async def fire(folder: Path, database_url: str, *, members: int, kills: int, seed: int) -> Report:
    """Send one announcement with kills, and stop another half way."""
    chance = random.Random(seed)  # noqa: S311 - chaos that can be repeated
    most = kills * in_flight_at(PACE)
    report = Report(database_url.partition("+")[0], members, kills, seed, most)
    sim = Simulator(now=_now)
    async with sim.serve() as url, open_storage(database_url) as storage:
        staff = await _people(storage, sim, members)
        log = folder / "engine.log"
        plan = Plan(database_url, url, sim.token, log, pace=PACE, listens=True)
        async with storage.read() as db:
            count = await audience_counts.count(
                db, EVERYBODY, purpose=Purpose.ANNOUNCEMENTS, languages=LANGUAGES, fallback="fr"
            )
        report.previewed = sum(count.reached.values())
        await _sent_with_kills(sim, storage, staff, plan, chance, report)
        await _sent_and_stopped(sim, storage, staff, plan, chance, report)
    return report


# --- the community ----------------------------------------------------------------------------


async def _people(storage: Storage, sim: Simulator, number: int) -> Person:
    """So many members in three languages, and one of the team who receives nothing."""
    people = [sim.person(f"Amal {n}", language_code=LANGUAGES[n % 3]) for n in range(number)]
    for person in people[::BLOCKED]:
        person.chat.blocked = True
    for at in range(0, number, 5_000):
        some = people[at : at + 5_000]
        async with storage.begin() as db:
            made = [
                {
                    "language": person.language_code,
                    "name": person.name,
                    "role": Role.MEMBER,
                    "created_at": _now(),
                    "registered_at": _now(),
                }
                for person in some
            ]
            returning = insert(Member).returning(Member.id, sort_by_parameter_order=True)
            ids = (await db.scalars(returning, made)).all()
            both = list(zip(ids, some, strict=True))
            await db.execute(
                insert(Address),
                [
                    {"member_id": i, "channel": "telegram", "address": str(person.id)}
                    for i, person in both
                ],
            )
            agreed = {"purpose": Purpose.ANNOUNCEMENTS, "version": "test", "since": _now()}
            await db.execute(insert(Agreement), [{"member_id": i} | agreed for i in ids])
    staff = sim.person("Emma", language_code="en")
    async with storage.begin() as db:
        member = Member(
            name="Emma", language="en", role=Role.STAFF, created_at=_now(), registered_at=_now()
        )
        db.add(member)
        await db.flush()
        db.add(Address(member_id=member.id, channel="telegram", address=str(staff.id)))
    return staff


async def _announce(storage: Storage, staff: Person, name: str) -> int:
    async with storage.begin() as db:
        author = await db.scalar(select(Address.member_id).where(Address.address == str(staff.id)))
        made = Announcement(
            author_id=author,
            stage=Stage.READY,
            rule=EVERYBODY,
            fallback="fr",
            quietly=False,
            answers=[dict.fromkeys(LANGUAGES, name)],
            created_at=_now(),
            edited_at=_now(),
        )
        db.add(made)
        await db.flush()
        for language in LANGUAGES:
            text = f"{name} <b>{language}</b>"
            db.add(AnnouncementText(announcement_id=made.id, language=language, text=text))
    return made.id


# --- killed -----------------------------------------------------------------------------------


async def _sent_with_kills(  # noqa: PLR0917 - all of one rehearsal
    sim: Simulator,
    storage: Storage,
    staff: Person,
    plan: Plan,
    chance: random.Random,
    report: Report,
) -> None:
    began = time.monotonic()
    announcement = await _announce(storage, staff, "First")
    # Some while the audience is written down, the others while letters leave.
    early = min(3, report.kills // 4)
    for _ in range(early):
        async with engine(plan) as alive:
            await asyncio.sleep(chance.uniform(0.5, 2.5))
            await alive.kill()
    most = int(report.members * 0.9)
    fatal = sorted(chance.sample(range(1, most), report.kills - early))
    for heard in fatal:
        async with engine(plan) as alive:
            await _letters(sim, heard)
            await asyncio.sleep(chance.uniform(0, 0.05))
            await alive.kill()
    async with engine(plan) as last:
        await eventually(lambda: _ended(storage, announcement), PATIENCE)
        last.asked_to_end()
        await last.ended()
    report.seconds = time.monotonic() - began
    await _compare(sim, storage, announcement, "First", report)


async def _letters(sim: Simulator, number: int) -> None:
    await sim.wait_for(lambda: len(sim.ledger) >= number, PATIENCE)


async def _ended(storage: Storage, announcement: int) -> bool:
    async with storage.read() as db:
        stage = await db.scalar(select(Announcement.stage).where(Announcement.id == announcement))
    return stage == Stage.SENT


async def _compare(
    sim: Simulator, storage: Storage, announcement: int, name: str, report: Report
) -> None:
    """The account beside the ledger, recipient by recipient."""
    heard = Counter(chat for chat, _ in _heard(sim, name))
    async with storage.read() as db:
        rows = await db.execute(
            select(Address.address, Recipient.outcome)
            .join(Address, Address.member_id == Recipient.member_id)
            .where(Recipient.announcement_id == announcement)
        )
        for address, outcome in rows:
            times = heard.pop(int(address), 0)
            report.recipients += 1
            report.outcomes[str(outcome)] += 1
            report.twice += times > 1
            report.unheard += outcome == Fate.SENT.value and not times
            report.strangers += outcome in (Fate.FAILED.value, Fate.VOID.value) and times > 0
    report.strangers += len(heard)


def _heard(sim: Simulator, name: str) -> Iterator[tuple[int, float]]:
    """Where and when an announcement was accepted."""
    for entry in sim.ledger.accepted("sendMessage"):
        if entry.chat_id is not None and (entry.text or "").startswith(name):
            yield entry.chat_id, entry.at


# --- stopped ----------------------------------------------------------------------------------


async def _sent_and_stopped(  # noqa: PLR0917 - all of one rehearsal
    sim: Simulator,
    storage: Storage,
    staff: Person,
    plan: Plan,
    chance: random.Random,
    report: Report,
) -> None:
    announcement = await _announce(storage, staff, "Second")
    begun = len(sim.ledger)
    async with engine(plan):
        await sim.wait_for(lambda: any(True for _ in _late(sim, begun, "Second")), PATIENCE)
        async with _tapping(sim, announcement, chance, report.taps):
            half = begun + report.members // 2
            await _letters(sim, half)
        tapped = time.monotonic()
        report.stopped_at = sum(1 for _ in _late(sim, begun, "Second"))
        card = staff.chat.messages[-1]
        staff.taps_data(Sending(verb="stopped", announcement=announcement).pack(), card)
        await eventually(lambda: _stopped(storage, announcement), PATIENCE)
        # Long enough for whatever still wanted to leave.
        await asyncio.sleep(3)
    late = [at - tapped for at in _late(sim, begun, "Second") if at > tapped]
    report.after_stop, report.stop = len(late), max(late, default=0.0)


def _late(sim: Simulator, begun: int, name: str) -> Iterator[float]:
    for entry in sim.ledger.entries[begun:]:
        if entry.accepted and entry.method == "sendMessage" and (entry.text or "").startswith(name):
            yield entry.at


async def _answered(sim: Simulator, query: str) -> None:
    await sim.wait_for(lambda: sim.world.taps[query].answered, 60)


async def _stopped(storage: Storage, announcement: int) -> bool:
    async with storage.read() as db:
        found: Any = await db.get(Announcement, announcement)
    return found.stage == Stage.STOPPED and found.finished_at is not None


@asynccontextmanager
async def _tapping(
    sim: Simulator, announcement: int, chance: random.Random, taps: list[float]
) -> AsyncIterator[None]:
    """Members who have received it answer it, one after the other, and time is taken."""

    async def tap() -> None:
        data = Choose(announcement=announcement, answer=0).pack()
        while True:
            received = [e.chat_id for e in sim.ledger.entries[-500:] if e.accepted and e.chat_id]
            person = sim.people.get(chance.choice(received)) if received else None
            if person is not None and person.chat.messages and not person.chat.blocked:
                at = time.monotonic()
                query = person.starts_tap(data, person.chat.messages[-1])
                await _answered(sim, query)
                taps.append(time.monotonic() - at)
            await asyncio.sleep(BETWEEN_TAPS)

    tapping = asyncio.create_task(tap())
    try:
        yield
    finally:
        tapping.cancel()
        await asyncio.wait([tapping])


def _now() -> datetime:
    return datetime.now(UTC)
