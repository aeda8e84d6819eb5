"""Words: the three languages, how each writes dates, numbers and plurals, and what is safe to say.

English is the msgid. Catalogs are read from `.po` files at start, with no compile step. What a
person typed is escaped for HTML and wrapped in Unicode isolates, so that a Latin name inside an
Arabic sentence moves no other word.
"""

import gettext
import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_timedelta
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from storage.folding import folded

# The languages we speak, and the locale whose conventions each follows: Morocco's month names
# (CLDR ar_MA) and Western digits for Arabic.
LOCALES = {"fr": "fr", "ar": "ar_MA", "en": "en"}
# How a language calls itself.
AUTONYMS = {"fr": "Français", "ar": "العربية", "en": "English"}

_COMMAS = {"ar": "، "}

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"


class Html(str):
    """Text that is already safe to send: escaped, isolated, or written by us."""

    __slots__ = ()


Field = str | int | Html


@dataclass(frozen=True, slots=True)
class Words:
    """One language: `words("Hello {name}", name=...)` translates, escapes and isolates."""

    language: str
    locale: Locale
    catalog: gettext.NullTranslations

    def __call__(self, msgid: str, **fields: Field) -> Html:
        """Say it in this language, for the text of a letter."""
        return Html(self.catalog.gettext(msgid).format_map(self._safe(fields)))

    def plural(self, one: str, many: str, n: int, **fields: Field) -> Html:
        """Say it of `n` things, in the form that this language has for that number."""
        said = self.catalog.ngettext(one, many, n)
        return Html(said.format_map(self._safe({"n": n, **fields})))

    def label(self, msgid: str, **fields: Field) -> str:
        """Say it where no HTML is understood: on a button, in a toast, in the command menu."""
        return self.catalog.gettext(msgid).format_map(
            {k: isolate(v) if isinstance(v, str) else self.number(v) for k, v in fields.items()}
        )

    def pick(self, words: Mapping[str, str] | None) -> str:
        """Pick this language's words, or else the ones there are."""
        if not words:
            return ""
        return words.get(self.language) or next(filter(None, words.values()), "")

    def number(self, value: int) -> str:
        """A number, grouped as this language does."""
        return _number(value, self.locale)

    def day(self, day: date) -> Html:
        """A day in full: "mercredi 4 juillet 2018"."""
        return Html(_day(day, self.locale))

    def short_day(self, day: date) -> str:
        """A day on a button: "mer. 4 juil."."""
        return format_skeleton("MMMEd", datetime(day.year, day.month, day.day), locale=self.locale)  # noqa: DTZ001  # a day has no zone

    def clock(self, instant: datetime, zone: ZoneInfo) -> str:
        """The time of day there: "10:30"."""
        return _clock(instant, zone, self.locale)

    def hour(self, minute: int) -> str:
        """A minute of the day, on nobody's calendar: "22:00" for 1320."""
        midnight = datetime(2000, 1, 1, tzinfo=UTC)
        return self.clock(midnight + timedelta(minutes=minute), ZoneInfo("UTC"))

    def time(self, instant: datetime, zone: ZoneInfo) -> Html:
        """The time of day there, which the messenger also offers in the reader's own zone.

        Bot API, "Formatting options": a tg-time without a format shows the text inside.
        """
        unix = int(instant.timestamp())
        return Html(f'<tg-time unix="{unix}">{self.clock(instant, zone)}</tg-time>')

    def span(self, begins: datetime, ends: datetime, zone: ZoneInfo) -> Html:
        """From when to when: "10:30 – 12:30"."""
        return Html(f"{self.time(begins, zone)} – {self.time(ends, zone)}")

    def ahead(self, delta: timedelta) -> Html:
        """How long until then: "in 15 minutes", "in 24 hours"."""
        # CLDR's relative units. Up to 90 minutes and 36 hours as people say their leads; never
        # seconds, which are over before they are read.
        whole = timedelta(minutes=max(1, round(delta / timedelta(minutes=1))))
        unit: Literal["minute", "hour", "day"] = "minute"
        if whole > timedelta(minutes=90):
            unit = "hour" if whole <= timedelta(hours=36) else "day"
        return Html(
            format_timedelta(
                whole, granularity=unit, threshold=100, add_direction=True, locale=self.locale
            )
        )

    def lead(self, minutes: int) -> str:
        """A lead: "24 hours", "15 minutes"."""
        unit: Literal["hour", "minute"] = "hour" if minutes % 60 == 0 else "minute"
        return format_timedelta(
            timedelta(minutes=minutes), threshold=25, granularity=unit, locale=self.locale
        )

    def listed(self, items: Sequence[str]) -> Html:
        """An enumeration of what others wrote: "a, b and c"."""
        return Html(format_list([quote(item) for item in items], locale=self.locale))

    def series(self, items: Sequence[str]) -> Html:
        """Names that may hold an "and" of their own, one after the other: "a and b, c"."""
        return Html(_COMMAS.get(self.language, ", ").join(map(quote, items)))

    def place(self, city: str) -> str:
        """A city as this language writes it, where the catalog knows it."""
        # gettext's "" is the header of the catalog.
        return self.catalog.gettext(city) if city else ""

    def country(self, code: str) -> str:
        """The name of a country, from its ISO 3166 code."""
        return str(self.locale.territories.get(code, code))

    def _safe(self, fields: Mapping[str, Field]) -> dict[str, str]:
        return {
            name: value
            if isinstance(value, Html)
            else quote(value)
            if isinstance(value, str)
            else self.number(value)
            for name, value in fields.items()
        }


# A card, and each of a thousand reminders, tells the same few days, hours and numbers.


@lru_cache(maxsize=1_000)
def _number(value: int, locale: Locale) -> str:
    return format_decimal(value, locale=locale)


@lru_cache(maxsize=1_000)
def _day(day: date, locale: Locale) -> str:
    return format_date(day, "full", locale)


@lru_cache(maxsize=1_000)
def _clock(instant: datetime, zone: ZoneInfo, locale: Locale) -> str:
    return format_skeleton("Hm", instant, tzinfo=zone, locale=locale)


Catalogs = Mapping[str, Words]


def read_catalogs(folder: Traversable | None = None) -> Catalogs:
    """Read the three languages, by default those that come with Jisr."""
    folder = folder or files("locales")
    catalogs = {}
    for language, locale in LOCALES.items():
        with folder.joinpath(language, "LC_MESSAGES", "jisr.po").open("rb") as file:
            compiled = BytesIO()
            write_mo(compiled, read_po(file, locale=language))
        compiled.seek(0)
        catalogs[language] = Words(
            language, Locale.parse(locale), gettext.GNUTranslations(compiled)
        )
    return catalogs


def country_named(typed: str) -> str | None:
    """The ISO 3166 code of a country named in any of our languages, or by its code."""
    wanted = folded(typed)
    for locale in LOCALES.values():
        for code, name in Locale.parse(locale).territories.items():
            # CLDR's longer codes are continents and regions.
            if len(code) == 2 and wanted in {folded(name), code.lower()}:  # noqa: PLR2004  # as told
                return str(code)
    return None


def quote(text: str) -> Html:
    """What others wrote, ready for a letter: escaped and isolated."""
    return Html(isolate(html.escape(text, quote=False)))


def isolate(text: str) -> str:
    """Keep what is inside from turning the words around it (Unicode UAX #9, isolates)."""
    return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"


# Format characters that could turn or hide the text of others: all of Unicode's Cf but the
# joiners that Arabic script and emoji need.
_JOINERS = {"\u200c", "\u200d"}


def cleaned(typed: str) -> str:
    """What a person typed, on one line, without control and direction characters."""
    kept = "".join(
        " " if char.isspace() else char
        for char in unicodedata.normalize("NFC", typed)
        if char.isspace()
        or char in _JOINERS
        or unicodedata.category(char) not in {"Cc", "Cf", "Co", "Cs", "Cn"}
    )
    return re.sub(r" +", " ", kept).strip()


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, cut at a word, with an ellipsis where something is missing."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    return (
        head[: head.rfind(" ")].rstrip(" :,;–-") + "…" if " " in head[limit // 2 :] else head + "…"
    )
