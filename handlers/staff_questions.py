"""The questions about an event or a session: how each is asked, and how its answer is read.

Answers are plain values in a draft, as those of a profile (`handlers/profile.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from handlers.dates import read_day, read_minutes, read_time
from handlers.profile import NotUnderstood
from handlers.words import AUTONYMS, Html, Words, cleaned, shortened
from storage.folding import folded
from storage.tables import Event

# As wide as an agenda file may make them.
_TITLE, _CITY, _SEATS = 200, 80, 100_000
# What a keyboard offers at most, and how much of a room's name.
OFFERED, _BUTTON = 6, 28
_ZONES = ("Africa/Casablanca", "Europe/Paris")
_LENGTHS = (30, 60, 90, 120)
# A session that begins after six in the evening may end after midnight.
_EVENING, _MORNING = 18, 6


@dataclass(slots=True)
class Form:
    """What is being filled in: its answers so far, and what there is to choose from."""

    draft: dict[str, Any]
    today: date
    event: Event | None = None
    # The session that a room is known from, and the room.
    rooms: Sequence[tuple[int, dict[str, str]]] = ()
    days: Sequence[date] = field(default_factory=tuple)

    @property
    def zone(self) -> ZoneInfo:
        """Whose times of day are meant."""
        return ZoneInfo(self.event.timezone if self.event else _ZONES[0])

    def instant(self, name: str) -> datetime:
        """The instant of an answer `start` or `end`."""
        day = date.fromisoformat(self.draft["day"])
        at = time.fromisoformat(self.draft[name])
        if name == "end" and at <= time.fromisoformat(self.draft["start"]):
            day += timedelta(days=1)
        return datetime.combine(day, at, self.zone).astimezone(UTC)


def kinds(words: Words) -> Mapping[str, str]:
    """What a session can be."""
    return {
        "plenary": words.label("Plenary"),
        "panel": words.label("Panel"),
        "talk": words.label("Talk"),
        "workshop": words.label("Workshop"),
        "training": words.label("Training"),
        "information": words.label("Information"),
        "networking": words.label("Networking"),
        "ceremony": words.label("Ceremony"),
        "break": words.label("Break"),
    }


def text(name: str, words: Words) -> Html:
    """The question itself."""
    if name.startswith("title_"):
        return _title_question(name, words)
    return {
        "city": words("In which city?"),
        "zone": words("In which time zone? Tap one, or write a city, e.g. Brussels."),
        "starts": words("On which day does it begin? For example: 12/12, or 12 December."),
        "ends": words("On which day does it end?"),
        "day": words("On which day? For example: 12/12, or 12 December."),
        "start": words("When does it begin? For example: 14:30."),
        "end": words("When does it end? For example: 16:00, or 90 min."),
        "room": words("In which room? Tap one, or write its name."),
        "capacity": words("How many seats are there?"),
        "kind": words("What kind of session is it?"),
    }[name]


def _title_question(name: str, words: Words) -> Html:
    language = name.removeprefix("title_")
    if language == words.language:
        return words("What is its title?")
    return words("And its title in this language: {language}?", language=AUTONYMS[language])


def taps(name: str, words: Words, form: Form) -> list[list[tuple[str, str]]]:
    """Rows of answers that can be tapped, each with its value."""
    skip = [[(words.label("Skip"), "")]]
    if name.startswith("title_"):
        return skip if name != f"title_{words.language}" else []
    offered: dict[str, Callable[[], list[list[tuple[str, str]]]]] = {
        "city": lambda: skip,
        "zone": lambda: [[(zone.rpartition("/")[2], zone) for zone in _ZONES]],
        "ends": lambda: [[(words.label("The same day"), form.draft["starts"])]],
        "day": lambda: _paired([(words.short_day(d), d.isoformat()) for d in form.days]),
        "end": lambda: _paired([(words.lead(length), f"{length} min") for length in _LENGTHS]),
        "room": lambda: [
            *_paired([(shortened(words.pick(r), _BUTTON), str(id_)) for id_, r in form.rooms]),
            [(words.label("Online"), "online"), (words.label("No room"), "")],
        ],
        "capacity": lambda: [[(words.label("No limit"), "")]],
        "kind": lambda: _paired([(label, kind) for kind, label in kinds(words).items()]),
    }
    return offered[name]() if name in offered else []


def _paired(answers: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    return [answers[at : at + 2] for at in range(0, len(answers), 2)]


def read(name: str, said: str, words: Words, form: Form, *, tapped: bool) -> Any:
    """Make an answer of what was typed or tapped. Raises NotUnderstood."""
    typed = cleaned(said)
    offered = {value for row in taps(name, words, form) for _, value in row}
    if tapped and typed not in offered:
        raise NotUnderstood(words("Please choose one of the answers below."))
    if not typed and not tapped:
        raise NotUnderstood(words("Please answer by writing a short text."))
    readers: dict[str, Callable[[], Any]] = {
        "city": lambda: _read_text(typed, words, _CITY),
        "zone": lambda: _read_zone(typed, words),
        **dict.fromkeys(("starts", "ends", "day"), lambda: _read_day(name, typed, words, form)),
        **dict.fromkeys(("start", "end"), lambda: _read_time(name, typed, words, form)),
        "room": lambda: _read_room(typed, words, form, tapped=tapped),
        "capacity": lambda: _read_capacity(typed, words),
        "kind": lambda: _read_kind(typed, words, tapped=tapped),
    }
    return readers.get(name, lambda: _read_text(typed, words, _TITLE))()


def _read_text(typed: str, words: Words, longest: int) -> str | None:
    if len(typed) > longest:
        raise NotUnderstood(
            words("That is too long: please keep it under {limit} characters.", limit=longest)
        )
    return typed or None


def _read_zone(typed: str, words: Words) -> str:
    zones = available_timezones()
    if typed in zones:
        return typed
    wanted = folded(typed).replace(" ", "_")
    named = [z for z in sorted(zones) if "/" in z and not z.startswith("Etc/")]
    found = next((z for z in named if z.rpartition("/")[2].lower() == wanted), None)
    if found is None:
        raise NotUnderstood(
            words("I don't know this time zone. Write a large city, e.g. Paris or Montreal.")
        )
    return found


def _read_day(name: str, typed: str, words: Words, form: Form) -> str:
    day = read_day(typed, form.today)
    if day is None:
        raise NotUnderstood(words("I can't read this day. Write it like 12/12 or 12/12/2026."))
    if name == "ends" and day < date.fromisoformat(form.draft["starts"]):
        raise NotUnderstood(words("It would end before it begins."))
    event = form.event
    if name == "day" and event is not None and not event.starts <= day <= event.ends:
        raise NotUnderstood(
            words(
                "The event is from {first} to {last}.",
                first=words.day(event.starts),
                last=words.day(event.ends),
            )
        )
    return day.isoformat()


def _read_time(name: str, typed: str, words: Words, form: Form) -> str:
    at = read_time(typed)
    if name == "end" and (length := read_minutes(typed)) is not None:
        ends = form.instant("start") + timedelta(minutes=min(length, 12 * 60))
        at = ends.astimezone(form.zone).time()
    if at is None:
        raise NotUnderstood(words("I can't read this time. Write it like 14:30."))
    if name == "end":
        start = time.fromisoformat(form.draft["start"])
        if at <= start and not (start.hour >= _EVENING and at.hour < _MORNING):
            raise NotUnderstood(words("It would end before it begins."))
    local = datetime.combine(date.fromisoformat(form.draft["day"]), at, form.zone)
    if local.astimezone(UTC).astimezone(form.zone).time() != at:
        raise NotUnderstood(words("Clocks go forward in that hour: choose another time."))
    return at.isoformat("minutes")


def _read_room(typed: str, words: Words, form: Form, *, tapped: bool) -> dict[str, Any]:
    if not tapped:
        written = _read_text(typed, words, _TITLE)
        known = next((r for _, r in form.rooms if typed in r.values()), None)
        return {"room": known or dict.fromkeys(AUTONYMS, written), "online": False}
    if typed == "online":
        return {"room": None, "online": True}
    room = next((known for id_, known in form.rooms if str(id_) == typed), None)
    return {"room": room, "online": False}


def _read_capacity(typed: str, words: Words) -> int | None:
    if not typed:
        return None
    if not typed.isdecimal() or int(typed) > _SEATS:
        raise NotUnderstood(words("Please write a whole number, e.g. 30."))
    return int(typed)


def _read_kind(typed: str, words: Words, *, tapped: bool) -> str:
    named = {folded(label): kind for kind, label in kinds(words).items()}
    kind = typed if tapped else named.get(folded(typed))
    if kind is None:
        raise NotUnderstood(words("Please choose one of the answers below."))
    return kind
