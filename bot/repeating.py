"""The dates of what repeats: RFC 5545's rules as far as programmes use them, daily and weekly.

Other rules (the last Friday of a month, every 29 February) are not guessed at. Nothing here runs
longer than the dates it gives, whatever a rule says.
"""

import re
from datetime import UTC, datetime, time, timedelta

# The most dates of one rule that become sessions.
DATES = 100
_WEEK = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# "Every day, but only on Mondays" takes seven steps for a date; a week has one at least.
_MAX_DAYS, _MAX_WEEKS = 7 * DATES + 7, DATES + 2


def repeated(first: datetime, rule: str) -> list[datetime] | None:
    """The dates from `first` on, at most `DATES` and one more; None if the rule isn't one of ours.

    The time of day stays the same in `first`'s zone, also when clocks change.
    """
    parts = dict(re.findall(r"([A-Z-]+)=([^;]*)", rule.upper()))
    frequency, days = parts.pop("FREQ", ""), parts.pop("BYDAY", "")
    parts.pop("WKST", None)
    every, count, until = (parts.pop(name, "") for name in ("INTERVAL", "COUNT", "UNTIL"))
    wanted = set(days.split(",")) if days else set()
    numbers = all(re.fullmatch(r"[1-9]\d{0,3}|", number) for number in (every, count))
    if frequency not in {"DAILY", "WEEKLY"} or parts or not wanted <= set(_WEEK) or not numbers:
        return None
    last = _last(until, first)
    if until and last is None:
        return None
    step = int(every or 1)
    most = min(int(count or DATES + 1), DATES + 1)
    if frequency == "WEEKLY":
        return _weekly(first, wanted or {_WEEK[first.weekday()]}, step, most, last)
    return _daily(first, wanted or set(_WEEK), step, most, last)


def _daily(
    first: datetime, wanted: set[str], step: int, most: int, last: datetime | None
) -> list[datetime]:
    dates: list[datetime] = []
    for n in range(_MAX_DAYS):
        at = first + timedelta(days=n * step)
        # After seven steps the days of the week come round again.
        if n > len(_WEEK) and not dates:
            break
        if len(dates) == most or (last is not None and at > last):
            break
        if _WEEK[at.weekday()] in wanted:
            dates.append(at)
    return dates


def _weekly(
    first: datetime, wanted: set[str], step: int, most: int, last: datetime | None
) -> list[datetime]:
    dates: list[datetime] = []
    monday = first - timedelta(days=first.weekday())
    for n in range(_MAX_WEEKS):
        for day in range(7):
            at = monday + timedelta(weeks=n * step, days=day)
            if len(dates) == most or (last is not None and at > last):
                return dates
            if at >= first and _WEEK[at.weekday()] in wanted:
                dates.append(at)
    return dates


def _last(until: str, first: datetime) -> datetime | None:
    """Until when, in the zone of `first` where the rule names none; a day counts to its end."""
    found = re.fullmatch(r"(\d{8})(T(\d{6})(Z?))?", until)
    if found is None:
        return None
    try:
        day = datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=first.tzinfo)
        if not found[3]:
            return datetime.combine(day, time.max, first.tzinfo)
        clock = datetime.strptime(found[3], "%H%M%S").time()  # noqa: DTZ007 - its zone comes below
    except ValueError:
        return None
    return datetime.combine(day, clock, UTC if found[4] else first.tzinfo)
