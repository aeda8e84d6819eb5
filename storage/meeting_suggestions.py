"""Suggestions: times at which two or three people might meet, wherever each of them lives.

A pure function of their zones, of what each already holds, and of the instant from which it looks.
A time is suggested if it is decent for all: on a working day of each, between nine and eight in the
evening by the clocks of each, in nobody's quiet hours, beside nothing that any of them has agreed to
already; on Fridays not around noon, which is for prayer and the family. Where the zones leave no such
hours, the day grows: from eight to nine, then from seven to ten. Where even that leaves none (three
people around the globe), it is the hour that is least far from early afternoon for whom it is
farthest, on a working day of all.

Each suggestion is on another day and at another time of day, so that whoever works, or teaches in the
morning, finds one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, islice
from zoneinfo import ZoneInfo

# How many times are suggested, and how long a meeting is reckoned to be.
NUMBER, LENGTH = 3, timedelta(minutes=30)
# From how long ahead, so that everybody has the time to answer.
NOTICE = timedelta(hours=24)
# From when to when a day is decent, in minutes: as it should be, then wider where zones are far apart.
DECENT = ((9 * 60, 20 * 60), (8 * 60, 21 * 60), (7 * 60, 22 * 60))
# Which of a day's hours is taken, as a part of the way from its first to its last: a day each.
PARTS = (0.25, 1.0, 0.5)
# How far ahead it is looked for.
AHEAD = timedelta(days=60)
# Working days with a decent hour: so many, and all taken, are weeks.
WEEKS = 20
_HOUR, _FRIDAY, _SATURDAY, _AFTERNOON, _DAY = timedelta(hours=1), 4, 5, 14 * 60, 24 * 60
# Friday's noon, in minutes of the day.
_PRAYER = (12 * 60, 14 * 60 + 30)


@dataclass(frozen=True, slots=True)
class Diary:
    """What must be known of one of them: an IANA zone, quiet hours by its minutes, and what is taken
    from when until when.
    """

    zone: str
    quiet: tuple[int, int] | None = None
    taken: tuple[tuple[datetime, datetime], ...] = ()

    def free(self, at: datetime) -> bool:
        """Whether nothing of theirs is at the time of a meeting that begins then."""
        return all(ends <= at or at + LENGTH <= begins for begins, ends in self.taken)

    def decent(self, at: datetime, day: tuple[int, int]) -> bool:
        """Whether they may be asked to meet then, in a day from one minute until another."""
        local = at.astimezone(ZoneInfo(self.zone))
        begins = local.hour * 60 + local.minute
        ends = begins + LENGTH // timedelta(minutes=1)
        noon = local.weekday() == _FRIDAY and _overlap(begins, ends, _PRAYER)
        quiet = self.quiet is not None and _overlap(begins, ends, self.quiet)
        return self.works(at) and day[0] <= begins and ends <= day[1] and not (noon or quiet)

    def works(self, at: datetime) -> bool:
        """Whether it is a working day where they are: Monday to Friday."""
        return at.astimezone(ZoneInfo(self.zone)).weekday() < _SATURDAY

    def strain(self, at: datetime) -> int:
        """How far it is from their early afternoon, in minutes around the clock."""
        local = at.astimezone(ZoneInfo(self.zone))
        far = abs(local.hour * 60 + local.minute - _AFTERNOON)
        return min(far, _DAY - far)


def suggest(
    diaries: Sequence[Diary], after: datetime, *, number: int = NUMBER
) -> tuple[datetime, ...]:
    """So many times later than `after`, the soonest first, each on another day of the first diary.

    Fewer only where they are taken all day long for weeks.
    """

    def found(day: tuple[int, int] | None) -> tuple[datetime, ...]:
        return tuple(islice(_one_a_day(diaries, after, day, NUMBER - number), number))

    best: tuple[datetime, ...] = ()
    for day in DECENT:
        best = max(best, found(day), key=len)
        if len(best) == number:
            return best
    # Rather fewer than a time at night, where it is diaries and not zones that leave no more.
    unburdened = [replace(diary, taken=()) for diary in diaries]
    days = islice(_one_a_day(unburdened, after, DECENT[-1], 0), WEEKS)
    if len(tuple(days)) == WEEKS:
        return best
    return max(best, found(None), key=len)


def _one_a_day(
    diaries: Sequence[Diary], after: datetime, day: tuple[int, int] | None, turn: int
) -> Iterator[datetime]:
    home = ZoneInfo(diaries[0].zone)
    for _, hours in groupby(_hours(after), key=lambda at: at.astimezone(home).date()):
        free = [at for at in hours if all(diary.free(at) for diary in diaries)]
        if day is None:
            at_work = [at for at in free if all(diary.works(at) for diary in diaries)]
            kindest = sorted(at_work, key=lambda at: max(diary.strain(at) for diary in diaries))
            yield from kindest[:1]
        elif decent := [at for at in free if all(diary.decent(at, day) for diary in diaries)]:
            yield decent[round(PARTS[turn % len(PARTS)] * (len(decent) - 1))]
            turn += 1


def _hours(after: datetime) -> Iterator[datetime]:
    """The full hours (of UTC) that follow."""
    first = after.replace(minute=0, second=0, microsecond=0) + _HOUR
    return (first + _HOUR * count for count in range(AHEAD // _HOUR))


def _overlap(begins: int, ends: int, hours: tuple[int, int]) -> bool:
    """Whether minutes of one day fall into these hours, which may go past midnight."""
    first, last = hours
    if first < last:
        return begins < last and first < ends
    return first != last and (begins < last or first < ends)
