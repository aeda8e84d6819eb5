"""Quiet hours: when a reminder comes instead, so that it wakes nobody.

A rhythm is a zone with quiet hours in it. Many members share few rhythms, so a wave of reminders
asks when it comes for a rhythm, not for a member. In `member.rhythm` it is written
`Europe/Paris|1320|480`: the zone (empty: that of the event) and two minutes of the day (empty: no
quiet hours).

A reminder that would come in quiet hours comes the evening before, shortly before they begin. If
the session is held in a room and the reminder comes shortly before it, the day is that of the room:
whoever is about to walk in is there, wherever they live.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Member

# How long before quiet hours begin an early reminder comes.
EVENING = timedelta(minutes=5)
# By how much a reminder may come earlier: quiet hours are shorter than a day.
MOST = timedelta(days=1) + EVENING
# Up to this lead, in minutes, a reminder of a session in a room is for people who are there.
ON_SITE = 3 * 60


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A zone, and quiet hours from one minute of its day until another; None: no quiet hours."""

    zone: str | None
    hours: tuple[int, int] | None

    def written(self) -> str:
        """As `member.rhythm` has it."""
        begins, ends = self.hours or ("", "")
        return f"{self.zone or ''}|{begins}|{ends}"

    @staticmethod
    def read(written: str) -> "Rhythm":
        """The rhythm that was written so."""
        zone, begins, ends = written.split("|")
        return Rhythm(zone or None, (int(begins), int(ends)) if begins and ends else None)

    def moment(self, due: datetime, home: str) -> datetime:
        """When a reminder that is due then comes; `home` is the zone where none is known.

        Never later than `due`. In the hours that clocks skip or repeat the earlier reading counts.
        """
        if self.hours is None:
            return due
        begins, ends = self.hours
        local = due.astimezone(ZoneInfo(self.zone or home))
        minute = local.hour * 60 + local.minute
        quiet = begins <= minute < ends if begins < ends else minute >= begins or minute < ends
        if begins == ends or not quiet:
            return due
        day = local if begins <= minute else local - timedelta(days=1)
        began = day.replace(hour=begins // 60, minute=begins % 60, second=0, microsecond=0, fold=0)
        return min(due, began.astimezone(UTC) - EVENING)

    def awake(self, due: datetime, home: str) -> datetime:
        """When a letter that may come later comes instead: at the end of quiet hours.

        Never earlier than `due`. In the hours that clocks skip or repeat the earlier reading counts.
        """
        if self.hours is None:
            return due
        begins, ends = self.hours
        local = due.astimezone(ZoneInfo(self.zone or home))
        minute = local.hour * 60 + local.minute
        quiet = begins <= minute < ends if begins < ends else minute >= begins or minute < ends
        if begins == ends or not quiet:
            return due
        day = local if minute < ends else local + timedelta(days=1)
        ended = day.replace(hour=ends // 60, minute=ends % 60, second=0, microsecond=0, fold=0)
        return max(due, ended.astimezone(UTC))


@lru_cache(maxsize=4096)
def evenings(
    rhythms: tuple[str, ...], due: datetime, home: str, *, on_site: bool
) -> Mapping[datetime, frozenset[str]]:
    """The earlier moments of a reminder that is due then, and the rhythms each is for."""
    earlier: dict[datetime, set[str]] = {}
    for written in rhythms:
        rhythm = Rhythm.read(written)
        there = Rhythm(None, rhythm.hours) if on_site else rhythm
        if (moment := there.moment(due, home)) < due:
            earlier.setdefault(moment, set()).add(written)
    return {moment: frozenset(those) for moment, those in earlier.items()}


async def rhythms(db: AsyncSession) -> Sequence[str]:
    """Every rhythm that somebody has, in order: a few steps through the index, not a scan."""
    first = select(func.min(Member.rhythm).label("rhythm")).cte(recursive=True)
    following = (
        select(func.min(Member.rhythm)).where(Member.rhythm > first.c.rhythm).scalar_subquery()
    )
    walk = first.union_all(select(following).where(first.c.rhythm.is_not(None)))
    return (await db.scalars(select(walk.c.rhythm).where(walk.c.rhythm.is_not(None)))).all()
