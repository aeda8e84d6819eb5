"""The nights on which Paris changes its clocks, with clocks that jump and machines that sleep.

The whole bot, with its real zones, lives from the eve until the sessions of the next day are over; its
clock is simulated, and is set wrong by an hour and right again, or stands for hours. What everybody
is to hear, and when, is reckoned here by the offsets of that night alone. Run in full by
`python -m tests.soak clocks`.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from bot.agenda_files import read_agenda
from storage import agendas, members
from storage.members import LEADS
from storage.tables import Address, Fate, Outbox, Rsvp, Seat, Session
from tests.town import Town, open_town

# The days on which Paris changes its clocks, at 01:00 UTC, with its offsets before and after.
NIGHTS = {
    "spring": (date(2027, 3, 28), 1, 2),
    "autumn": (date(2026, 10, 25), 2, 1),
}
PEOPLE, SESSIONS = 12, 14
# Hours of the wall: none that is skipped, and none that comes twice.
HOURS = (*range(2), *range(3, 24))
# Seconds that a reminder may be off, and between two ticks where something is due.
OFF, TICK = 30, (1, 25)
HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Report:
    """What became of it. `wrong` are reminders that came otherwise than they had to, in words."""

    night: str
    seed: int
    reminders: int = 0
    jumps: int = 0
    sleeps: int = 0
    off: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Each exactly once and in time, none after its session began."""
        return self.reminders > 0 and not self.wrong and self.off <= OFF

    def __str__(self) -> str:
        """In one line."""
        return (
            f"{self.night} in Paris, {self.jumps} jumps of an hour, {self.sleeps} sleeps, seed "
            f"{self.seed}: {self.reminders} reminders, at most {self.off:.0f} s off where nobody "
            f"slept, wrong: {'; '.join(self.wrong) or 'none'}"
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A reminder that is to come: who, of what, at which lead in minutes, when, and until when."""

    member: int
    session: int
    minutes: int
    due: datetime
    start: datetime


async def fire(folder: Path, database_url: str, *, night: str, jumps: int, seed: int) -> Report:
    """Live through a night in which the clock jumps, or stands, so often."""
    chance, report = random.Random(seed), Report(night, seed)  # noqa: S311 - chaos that can be repeated
    day, before, after = NIGHTS[night]
    change = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
    starts = _starts(chance, day)
    async with open_town(database_url) as town:
        town.clock.jump(change - timedelta(days=4))
        programme = folder / f"{night}-{seed}.yaml"
        programme.write_text(_programme(day, starts), "utf-8")
        async with town.app.storage.begin() as db:
            await agendas.apply(db, read_agenda(programme), town.clock.now())
        instants = {slug: _instant(wall, change, before, after) for slug, wall in starts.items()}
        wanted = await _seated(town, chance, instants)
        expected: dict[tuple[int, int, int], datetime] = {}
        waiting = set(wanted)
        for now, awake in _lived(chance, wanted, jumps, report):
            await town.is_now(now)
            for one in _told(waiting, now):
                expected[one.member, one.session, one.minutes] = now
                if awake:
                    report.off = max(report.off, (now - one.due).total_seconds())
        report.wrong += await _otherwise(town, expected, wanted)
        report.reminders = len(expected)
    return report


def _starts(chance: random.Random, day: date) -> dict[str, datetime]:
    """When sessions start, by the clocks on the wall: on the eve, in the night and on the day."""
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a time of the wall
    some = [
        midnight + timedelta(hours=chance.choice(HOURS), minutes=5 * chance.randrange(12))
        for _ in range(SESSIONS - 3)
    ]
    # Just before the change, just after it, and at noon of a day that has another length.
    some += [midnight + timedelta(minutes=minutes) for minutes in (115, 185, 12 * 60)]
    return {f"s{number}": one for number, one in enumerate(some)}


def _instant(wall: datetime, change: datetime, before: int, after: int) -> datetime:
    """The instant of a time on the wall, by the hours before and after the change."""
    early, late = (wall.replace(tzinfo=UTC) - hours * HOUR for hours in (before, after))
    return early if early < change else late


def _programme(day: date, starts: dict[str, datetime]) -> str:
    eve = day - timedelta(days=1)
    sessions = "".join(
        f"  - {{id: {slug}, kind: talk, title: {{fr: {slug}, ar: {slug}, en: {slug}}}, "
        f"start: {wall:%Y-%m-%dT%H:%M}, minutes: 20}}\n"
        for slug, wall in starts.items()
    )
    return (
        "event:\n  id: night\n  title: {fr: Nuit, ar: Nuit, en: Night}\n  city: Paris\n"
        f"  timezone: Europe/Paris\n  starts: {eve}\n  ends: {day}\nsessions:\n{sessions}"
    )


async def _seated(town: Town, chance: random.Random, instants: dict[str, datetime]) -> list[Wanted]:
    """People with leads of their own, who sleep never, each in some of the sessions."""
    wanted = []
    residents = [
        await town.member(
            f"Amal {n}", "en", leads=tuple(chance.sample(LEADS, chance.randint(1, 3)))
        )
        for n in range(PEOPLE)
    ]
    async with town.app.storage.begin() as db:
        sessions = {one.slug: one.id for one in await db.scalars(select(Session))}
        for resident in residents:
            member = await town.member_of(db, resident)
            members.set_quiet_hours(member, None)
            leads = await members.leads_of(db, member)
            for slug in chance.sample(sorted(instants), SESSIONS // 2):
                seat = Rsvp(member_id=member.id, session_id=sessions[slug], state=Seat.CONFIRMED)
                seat.since = town.clock.now()
                db.add(seat)
                start = instants[slug]
                wanted += [
                    Wanted(member.id, sessions[slug], m, start - timedelta(minutes=m), start)
                    for m in leads
                ]
    return wanted


def _lived(
    chance: random.Random, wanted: list[Wanted], jumps: int, report: Report
) -> Iterator[tuple[datetime, bool]]:
    """What the bot's clock shows at each of its ticks, and whether it was right and awake before.

    Ticks are close together where something is due, and far apart elsewhere.
    """
    dues = sorted({one.due for one in wanted} | {one.start for one in wanted})
    now, end = dues[0] - HOUR, dues[-1] + HOUR
    span = (end - now).total_seconds()
    troubles = sorted(now + timedelta(seconds=chance.uniform(0, span)) for _ in range(jumps))
    # As far as the clock is wrong, until when, and whether the next tick is one after a gap.
    wrong, until, awake = timedelta(), now, True
    while now < end:
        if troubles and now >= troubles[0]:
            del troubles[0]
            awake = False
            if chance.random() < 1 / 3:
                now += timedelta(minutes=chance.randint(10, 600))
                report.sleeps += 1
            else:
                wrong, until = chance.choice((HOUR, -HOUR)), now + timedelta(minutes=40)
                report.jumps += 1
        if wrong and now >= until:
            wrong, awake = timedelta(), False
        yield now + wrong, awake
        awake = True
        step = timedelta(seconds=chance.uniform(*TICK))
        shown = now + wrong
        coming = next((due for due in dues if due > shown), end)
        if coming - shown > HOUR / 30:
            # Up to just before what is due next; wake up within what remains of a tick.
            step = min(coming - shown, timedelta(minutes=30)) - timedelta(seconds=1)
        now += step


def _told(waiting: set[Wanted], now: datetime) -> list[Wanted]:
    """What is to be told now: of leads that are due together the nearest speaks for all."""
    due = defaultdict(list)
    for one in waiting:
        if one.due <= now < one.start:
            due[one.member, one.session].append(one)
    for together in due.values():
        waiting -= set(together)
    return [min(together, key=lambda one: one.minutes) for together in due.values()]


async def _otherwise(
    town: Town, expected: dict[tuple[int, int, int], datetime], wanted: list[Wanted]
) -> list[str]:
    """What the messenger's ledger says otherwise."""
    async with town.app.storage.read() as db:
        of_reminders = select(Outbox, Address.address).where(Outbox.kind == "reminder")
        known = Address.member_id == Outbox.member_id
        rows = (await db.execute(of_reminders.join(Address, known))).all()
    heard = {
        (f"{entry.chat_id}", f"{entry.message_id}"): entry.when
        for entry in town.sim.ledger.accepted("sendMessage")
    }
    start = {(one.member, one.session): one.start for one in wanted}
    came: dict[tuple[int, int, int], datetime] = {}
    said = []
    for row, chat in rows:
        which = (row.member_id, row.about["session"], row.about["minutes"])
        when = heard.get((chat, row.provider_id or ""))
        if row.state != Fate.SENT or when is None:
            said.append(f"{which} is {row.state} ({row.reason})")
        elif which in came:
            said.append(f"{which} came twice")
        elif when >= start[which[:2]]:
            said.append(f"{which} came after the session began")
        else:
            came[which] = when
    said += [
        f"{which} came at {came.get(which)}, not at {expected.get(which)}"
        for which in sorted(came.keys() | expected.keys())
        if came.get(which) != expected.get(which)
    ]
    return said
