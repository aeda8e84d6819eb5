"""Crowds for the tests of audiences: made-up members, rules about them, and whom a rule means.

`means` says in plain Python what `storage/audiences.py` says in SQL.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as some

from storage import cities
from storage.tables import (
    Announcement,
    Event,
    Fate,
    Member,
    MemberTheme,
    Outbox,
    Recipient,
    Role,
    Rsvp,
    Seat,
    Session,
    Side,
    Theme,
    Ticket,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
# Each inner tuple is one city, as people write it.
CITIES = (("Lyon", "lyon ", "ليون"), ("Fès", "FEZ", "فاس"), ("Ville d'Avray", "ville d’avray"))
COUNTRIES, LANGUAGES = ("FR", "MA"), ("fr", "ar", "en")
# The sessions, by number, and the number of the event of each; all numbers begin at 1.
EVENT_OF = {1: 1, 2: 1, 3: 2}
EVENTS, THEMES, ANNOUNCEMENTS, POSTS = (1, 2), (1, 2, 3), (1, 2), (1, 2)


@dataclass(frozen=True)
class Told:
    """What became of an announcement: settled, or else as the outbox knows it; and the answer."""

    outcome: Fate | None
    outbox: Fate
    answer: int | None


@dataclass(frozen=True)
class Soul:
    """A member, by what rules can ask about."""

    registered: bool
    language: str | None
    country: str | None
    city: str | None
    side: Side | None
    post: int | None
    themes: frozenset[int]
    seats: dict[int, Seat]
    # The events into which they were let at the event's own door.
    entered: frozenset[int]
    told: dict[int, Told]


def souls() -> some.SearchStrategy[Soul]:
    fates = some.sampled_from(Fate)
    told = some.builds(Told, some.none() | fates, fates, some.none() | some.integers(0, 3))
    return some.builds(
        Soul,
        registered=some.integers(0, 9).map(bool),
        language=some.none() | some.sampled_from(LANGUAGES),
        country=some.none() | some.sampled_from(COUNTRIES),
        city=some.none() | some.sampled_from([name for names in CITIES for name in names]),
        side=some.none() | some.sampled_from(Side),
        post=some.none() | some.sampled_from(POSTS),
        themes=some.frozensets(some.sampled_from(THEMES)),
        seats=some.dictionaries(some.sampled_from(sorted(EVENT_OF)), some.sampled_from(Seat)),
        entered=some.frozensets(some.sampled_from(EVENTS)),
        told=some.dictionaries(some.sampled_from(ANNOUNCEMENTS), told),
    )


def rules() -> some.SearchStrategy[dict[str, Any]]:
    states = some.lists(some.sampled_from([s.value for s in Seat]), min_size=1, unique=True)
    announcement = some.sampled_from(ANNOUNCEMENTS)
    answers = some.lists(some.integers(0, 3), min_size=1, unique=True)
    leaf = some.one_of(
        some.just({"everyone": True}),
        some.fixed_dictionaries({"event": some.sampled_from(EVENTS), "states": states}),
        some.fixed_dictionaries({"session": some.sampled_from(sorted(EVENT_OF)), "states": states}),
        some.fixed_dictionaries({"country": some.sampled_from(COUNTRIES)}),
        some.fixed_dictionaries(
            {"city": some.sampled_from([cities.key(one) for names in CITIES for one in names])}
        ),
        some.fixed_dictionaries(
            {"themes": some.lists(some.sampled_from(THEMES), min_size=1, unique=True)}
        ),
        some.fixed_dictionaries({"side": some.sampled_from([side.value for side in Side])}),
        some.fixed_dictionaries({"language": some.sampled_from(LANGUAGES)}),
        some.fixed_dictionaries({"post": some.sampled_from(POSTS)}),
        some.fixed_dictionaries({"received": announcement}),
        some.fixed_dictionaries({"answered": announcement}, optional={"answers": answers}),
        some.fixed_dictionaries({"unanswered": announcement}),
    )
    return some.recursive(
        leaf,
        lambda inner: some.one_of(
            some.fixed_dictionaries({"all": some.lists(inner, min_size=1, max_size=3)}),
            some.fixed_dictionaries({"any": some.lists(inner, min_size=1, max_size=3)}),
            some.fixed_dictionaries({"not": inner}),
        ),
        max_leaves=8,
    ).filter(lambda rule: depth(rule) <= 8)


def depth(rule: dict[str, Any]) -> int:
    inner = [rule["not"]] if "not" in rule else rule.get("all") or rule.get("any") or []
    return 1 + max(map(depth, inner), default=0)


def means(rule: dict[str, Any], soul: Soul) -> bool:
    """Whether a rule means this member."""
    return soul.registered and _fits(rule, soul)


def _fits(rule: dict[str, Any], soul: Soul) -> bool:  # noqa: C901, PLR0911  # a case for each rule
    match rule:
        case {"all": inner}:
            return all(_fits(one, soul) for one in inner)
        case {"any": inner}:
            return any(_fits(one, soul) for one in inner)
        case {"not": inner}:
            return not _fits(inner, soul)
        case {"everyone": _}:
            return True
        case {"event": event, "states": states}:
            seats = {seat for session, seat in soul.seats.items() if EVENT_OF[session] == event}
            return bool(seats & set(states)) or (
                Seat.CHECKED_IN in states and event in soul.entered
            )
        case {"session": session, "states": states}:
            return soul.seats.get(session) in states
        case {"city": city}:
            same = next(names for names in CITIES if city in map(cities.key, names))
            return soul.city in same
        case {"themes": themes}:
            return bool(soul.themes & set(themes))
        case {"received": announcement}:
            told = soul.told.get(announcement)
            return told is not None and (told.outcome or told.outbox) in {Fate.SENT, Fate.UNKNOWN}
        case {"answered": announcement}:
            told = soul.told.get(announcement)
            answer = None if told is None else told.answer
            return answer is not None and answer in rule.get("answers", range(4))
        case {"unanswered": announcement}:
            told = soul.told.get(announcement)
            return told is not None and told.answer is None
    ((name, value),) = rule.items()
    return bool(getattr(soul, name) == value)


async def settle(db: Any, crowd: list[Soul]) -> dict[int, Soul]:
    """Write them, and all that rules name, into an empty database; by the ids of their rows."""
    db.add_all(Theme(id=n, slug=f"t{n}", name={"en": f"Theme {n}"}) for n in THEMES)
    db.add_all(
        Event(
            id=n,
            slug=f"e{n}",
            title={"en": f"Event {n}"},
            timezone="Africa/Casablanca",
            starts=date(2026, 11, 23),
            ends=date(2026, 11, 23),
        )
        for n in EVENTS
    )
    await db.flush()
    db.add_all(
        Session(
            id=n,
            event_id=event,
            slug=f"s{n}",
            kind="panel",
            title={"en": f"Session {n}"},
            starts_at=NOON,
            ends_at=NOON + timedelta(hours=1),
        )
        for n, event in EVENT_OF.items()
    )
    db.add_all(Announcement(id=n, created_at=NOON, edited_at=NOON) for n in ANNOUNCEMENTS)
    await db.flush()
    # Somebody who was forgotten since: of them only the count is left.
    db.add_all(
        Recipient(announcement_id=n, language="fr", outcome=Fate.SENT, answer=0)
        for n in ANNOUNCEMENTS
    )
    return {number: await _settle_one(db, number, soul) for number, soul in enumerate(crowd, 1)}


async def _settle_one(db: Any, id_: int, soul: Soul) -> Soul:
    db.add(
        Member(
            id=id_,
            role=Role.MEMBER,
            created_at=NOON,
            registered_at=NOON if soul.registered else None,
            language=soul.language,
            country=soul.country,
            city=soul.city,
            city_folded=soul.city and cities.key(soul.city),
            side=soul.side,
            post_id=soul.post,
        )
    )
    await db.flush()
    db.add_all(MemberTheme(member_id=id_, theme_id=theme) for theme in soul.themes)
    db.add_all(
        Rsvp(session_id=session, member_id=id_, state=seat, since=NOON)
        for session, seat in soul.seats.items()
    )
    db.add_all(
        Ticket(
            code=f"{event}-{id_}",
            member_id=id_,
            event_id=event,
            used_at=NOON if event in soul.entered else None,
        )
        for event in EVENTS
    )
    for announcement, told in soul.told.items():
        db.add(
            Recipient(
                announcement_id=announcement,
                member_id=id_,
                language="fr",
                outcome=told.outcome,
                answer=told.answer,
            )
        )
        db.add(
            Outbox(
                key=f"announcement:{announcement}:{id_}",
                member_id=id_,
                kind="announcement",
                about={},
                lane=2,
                due=NOON,
                state=told.outbox,
            )
        )
    await db.flush()
    return soul
