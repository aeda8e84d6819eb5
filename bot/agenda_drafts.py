"""From what another system's file says to an agenda: cleaned, guessed where need be, and told.

The readers of foreign formats gather `Found` sessions; here they become what storage can compare.
A session's slug comes from what the other system never changes (a guid, an id), so that a file
made again after the organisers changed their minds is compared session by session.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from bot.agenda_fields import INVISIBLE, LANGUAGES, MAX_NAME, MAX_TEXT, YEARS
from bot.agenda_problems import MAX_SESSIONS, Remarks, fail
from handlers.agenda_flaws import Flaw
from handlers.agenda_remarks import About
from storage.agendas import Agenda, PlannedEvent, PlannedSession, PlannedTheme
from storage.tables import Trilingual

# What a session without a length gets.
SHORT = timedelta(minutes=15)
_LONGEST = timedelta(days=7)
# The width of a slug in links and in our own files.
_SLUG = 40
# What people call sessions elsewhere, and what we call them. The first that fits is taken.
_KINDS = (
    ("panel", "panel|podium|round ?table|table ronde|discussion|ندوة|مائدة"),
    ("workshop", "workshop|hands-on|atelier|ورشة"),
    ("plenary", "keynote|plenary|pl[ée]ni[èe]re|جلسة عامة"),
    ("ceremony", "ceremony|c[ée]r[ée]monie|opening|closing|ouverture|cl[ôo]ture|حفل|افتتاح|اختتام"),
    ("break", "break|pause|lunch|coffee|d[ée]jeuner|استراحة"),
    ("networking", "network|meet|r[ée]seautage|social|تعارف"),
    ("training", "training|tutorial|formation|تكوين|تدريب"),
    ("information", "information|infos?\\b"),
)


@dataclass(slots=True)
class FoundEvent:
    """An event as another system's file tells it; empty texts for what it leaves out."""

    name: str
    title: str
    zone: str
    starts: date | None = None
    ends: date | None = None


@dataclass(slots=True)
class Found:
    """A session as another system's file tells it. `key` is what never changes about it."""

    key: str
    title: str
    starts_at: datetime | None
    ends_at: datetime | None
    room: str = ""
    tracks: Sequence[str] = ()
    speakers: Sequence[str] = ()
    kind: str = ""


def drafted(
    path: Path,
    event: FoundEvent,
    sessions: Iterable[Found],
    remarks: Remarks,
    home: str,
    *,
    empty: bool = False,
) -> Agenda:
    """The agenda that these make. Raises AgendaFileError without a session, unless `empty` is fine."""
    zone_name = _zone(event.zone, remarks, home)
    zone = ZoneInfo(zone_name)
    title = _shortened(cleaned(event.title) or cleaned(event.name), remarks)
    if not title:
        title = cleaned(path.stem) or "Agenda"
        remarks.note(About.EVENT_NAME, title)
    themes: dict[str, PlannedTheme] = {}
    planned: dict[str, PlannedSession] = {}
    for number, found in enumerate(sessions, start=1):
        # Those that will be left out count too: they take time.
        if number > MAX_SESSIONS:
            fail(path, Flaw.MANY_SESSIONS, limit=MAX_SESSIONS)
        if session := _session(found, themes, planned, remarks):
            planned[session.slug] = session
    if not (planned or empty):
        fail(path, Flaw.NO_SESSIONS)
    remarks.note(About.ONE_LANGUAGE)
    starts, ends = _days(event, planned.values(), zone, remarks)
    return Agenda(
        event=PlannedEvent(
            slug=slug_of(event.name or title),
            title=_everywhere(title),
            timezone=zone_name,
            starts=starts,
            ends=ends,
        ),
        themes=tuple(themes.values()),
        # Those that begin together keep the order of the file.
        sessions=tuple(sorted(planned.values(), key=lambda session: session.starts_at)),
    )


def _session(
    found: Found,
    themes: dict[str, PlannedTheme],
    planned: dict[str, PlannedSession],
    remarks: Remarks,
) -> PlannedSession | None:
    title = _shortened(cleaned(found.title), remarks)
    if not title:
        remarks.note(About.NO_TITLE)
        return None
    starts_at, ends_at = found.starts_at, found.ends_at
    if starts_at is None or starts_at.year not in YEARS:
        remarks.note(About.NO_TIME, title)
        return None
    if ends_at is None or ends_at <= starts_at:
        remarks.note(About.NO_LENGTH, title)
        ends_at = starts_at + SHORT
    if ends_at - starts_at > _LONGEST:
        remarks.note(About.TOO_LONG, title)
        return None
    slug = slug_of(found.key)
    if slug in planned and planned[slug].starts_at != starts_at:
        # One talk that is given twice: the other time is part of what tells the two apart.
        slug = slug_of(f"{found.key} {starts_at.isoformat()}")
    if slug in planned:
        remarks.note(About.TWICE, title)
        return None
    room = _shortened(cleaned(found.room), remarks)
    if not room:
        remarks.note(About.NO_ROOM)
    speakers = (_shortened(cleaned(name), remarks, MAX_NAME) for name in found.speakers)
    about = [theme for track in found.tracks if (theme := _theme(track, remarks))]
    themes |= {theme.slug: theme for theme in about if theme.slug not in themes}
    return PlannedSession(
        slug=slug,
        kind=kind_of(found.kind),
        title=_everywhere(title),
        room=_everywhere(room) if room else None,
        starts_at=starts_at,
        ends_at=ends_at,
        speakers=tuple(dict.fromkeys(filter(None, speakers))),
        themes=frozenset(theme.slug for theme in about),
    )


def _theme(track: str, remarks: Remarks) -> PlannedTheme | None:
    name = _shortened(cleaned(track), remarks)
    return PlannedTheme(slug=slug_of(name), name=_everywhere(name)) if name else None


def _zone(name: str, remarks: Remarks, home: str) -> str:
    if name in available_timezones():
        return name
    remarks.note(About.UNKNOWN_ZONE if name else About.HOUSE_ZONE, home)
    return home


def _days(
    event: FoundEvent, sessions: Iterable[PlannedSession], zone: ZoneInfo, remarks: Remarks
) -> tuple[date, date]:
    """The event's days; those of its sessions where it names none, or too few."""
    days = {session.starts_at.astimezone(zone).date(): session for session in sessions}
    days_told = [day for day in (event.starts, event.ends) if day]
    first = event.starts or min([*days_told, *days])
    last = event.ends or max([*days_told, *days])
    for day, session in days.items():
        if not first <= day <= last:
            remarks.note(About.OTHER_DAYS, session.title["en"])
    return min([first, *days]), max([last, *days])


def cleaned(text: str) -> str:
    """One line of plain text: no HTML, nothing invisible, nothing that reorders other words."""
    text = html.unescape(re.sub(r"</?[A-Za-z][^<>]*>", " ", text))
    text = INVISIBLE.sub("", re.sub("[\t-\r\x85\u2028\u2029]", " ", text))
    return re.sub(" {2,}", " ", text).strip()


def _shortened(text: str, remarks: Remarks, longest: int = MAX_TEXT) -> str:
    if len(text) <= longest:
        return text
    text = text[: longest - 1].rstrip() + "…"
    remarks.note(About.SHORTENED, text[:_SLUG] + "…")
    return text


def _everywhere(text: str) -> Trilingual:
    return dict.fromkeys(LANGUAGES, text)


def slug_of(key: str) -> str:
    """A slug of at most 40 characters that is the same whenever the key is the same.

    A key that is not one already gets a piece of its hash, so that no two keys share a slug.
    """
    if re.fullmatch("[a-z0-9-]{1,40}", key):
        return key
    letters = unicodedata.normalize("NFKD", key.lower())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    readable = re.sub("[^a-z0-9]+", "-", plain).strip("-")
    if readable == re.sub("[ _]", "-", plain) and len(readable) <= _SLUG:
        return readable
    sign = blake2b(key.encode(), digest_size=4).hexdigest()
    return f"{readable[: _SLUG - 9].rstrip('-')}-{sign}".strip("-")


def kind_of(name: str) -> str:
    """What we call a session that another system calls so; a talk, if nothing else fits."""
    return next((kind for kind, sign in _KINDS if re.search(sign, name.lower())), "talk")
