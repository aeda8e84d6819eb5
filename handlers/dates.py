"""Days and times as people type them: "12/12", "le 12 décembre", "14h30", "2:30 pm", "4 يوليوز".

The day comes before the month, as both shores write it. A day without a year is the next one.
"""

import re
from datetime import date, time, timedelta

from babel import Locale
from babel.dates import get_month_names

from handlers.words import LOCALES
from storage.folding import folded

# Arabic's other month names, of the east and of the press, besides those of CLDR's ar_MA.
_MORE_MONTHS = ("ar", "ar_SY")
_NEAR = {
    **dict.fromkeys(("today", "aujourd hui", "aujourdhui", "اليوم"), 0),
    **dict.fromkeys(("tomorrow", "demain", "غدا"), 1),
}
_YEARS = range(2000, 2100)
_ORDINAL = re.compile(r"^(\d{1,4})(?:er|st|nd|rd|th|e)?$")
_TIME = re.compile(
    r"^(?:a|at|from|de|vers)?\s*(\d{1,2})\s*(?:(?:h|:|\.|٫|،)\s*(\d{2})?)?\s*(am|pm|ص|م)?$"
)
_BARE = re.compile(r"^(\d{2})(\d{2})$")
_MINUTES = re.compile(r"^(\d{1,4})\s*(?:min|mn|minutes?|دقيقة|دقائق)$")


def read_day(typed: str, today: date) -> date | None:
    """The day that was meant; None if that can't be told."""
    text = folded(typed)
    if text in _NEAR:
        return today + timedelta(days=_NEAR[text])
    months = _months()
    numbers, month = [], None
    for word in text.split():
        if found := _ORDINAL.match(word):
            numbers.append(found[1])
        elif month is None:
            month = months.get(word)
    if month is not None:
        return _day(numbers[0], month, numbers[1:], today) if numbers else None
    if len(numbers) == 3 and len(numbers[0]) == 4:  # noqa: PLR2004  # 2026-12-24
        return _day(numbers[2], int(numbers[1]), numbers[:1], today)
    return _day(numbers[0], int(numbers[1]), numbers[2:], today) if len(numbers) > 1 else None


def read_time(typed: str) -> time | None:
    """The time of day that was meant; None if that can't be told."""
    text = _digits(typed).strip().lower().replace("à", "a")
    if bare := _BARE.match(text):
        hour, minute, half = int(bare[1]), int(bare[2]), None
    elif found := _TIME.match(text):
        hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
    else:
        return None
    if half is not None:
        if not 1 <= hour <= 12:  # noqa: PLR2004  # of a clock face
            return None
        hour = hour % 12 + (12 if half in ("pm", "م") else 0)
    try:
        return time(hour, minute)
    except ValueError:
        return None


def read_minutes(typed: str) -> int | None:
    """A length in minutes: "90 min". None if it is none."""
    found = _MINUTES.match(_digits(typed).strip().lower())
    return int(found[1]) if found else None


def _day(day: str, month: int, years: list[str], today: date) -> date | None:
    try:
        if years:
            year = int(years[0])
            found = date(year + 2000 if len(years[0]) <= 2 else year, month, int(day))  # noqa: PLR2004  # "26"
            return found if found.year in _YEARS else None
        # The next one: a 29 February may be some years away.
        for year in range(today.year, today.year + 5):
            if (day == "29" and month == 2 and year % 4) or (  # noqa: PLR2004  # February
                found := date(year, month, int(day))
            ) < today:
                continue
            return found
    except ValueError:
        pass
    return None


def _months() -> dict[str, int]:
    """Every month's names and abbreviations, folded, in all our languages."""
    return {
        folded(name): number
        for language in (*LOCALES.values(), *_MORE_MONTHS)
        for width in ("wide", "abbreviated")
        for context in ("format", "stand-alone")
        for number, name in get_month_names(width, context, Locale.parse(language)).items()
    }


def _digits(typed: str) -> str:
    """Eastern digits are digits."""
    return re.sub(r"\d", lambda found: str(int(found[0])), typed)
