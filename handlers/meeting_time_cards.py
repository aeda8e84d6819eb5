"""The cards on which people agree on a time, and their buttons: what is agreed, or who can't meet, or
else three times to tick, by the clocks of each.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from aiogram.filters.callback_data import CallbackData

from handlers.introduced import listed, others, plain_first
from handlers.letters import Letter, Tap
from handlers.places import city_of
from handlers.turns import Turn
from handlers.words import Html, Words, isolate, shortened
from storage import meeting_arrangements
from storage.meeting_arrangements import Arrangement
from storage.meeting_suggestions import LENGTH

# Buttons count from here, in minutes: seconds would outgrow what a button may say in 2038.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Meetings to come that a card has room for, and characters of a button.
MOST, BUTTON = 3, 60


class AgreeOnTime(CallbackData, prefix="agreetime"):
    """Let us agree on a time. `here`: on the card that was tapped."""

    introduction: int
    here: bool = False


class Suits(CallbackData, prefix="suits"):
    """This time (in minutes since 1970) suits me, or does no more."""

    introduction: int
    at: int


class Others(CallbackData, prefix="othertimes"):
    """None of those suits me: later ones, please. `last` is the latest of those I saw."""

    introduction: int
    last: int


class Another(CallbackData, prefix="anothertime"):
    """What we agreed on doesn't suit me after all. First I am asked back."""

    introduction: int
    at: int
    sure: bool = False


class CantMeet(CallbackData, prefix="cantmeet"):
    """We can't meet at all. `at`: the time we had agreed on; 0: none. First I am asked back."""

    introduction: int
    at: int = 0
    sure: bool = False


def card(words: Words, seen: Arrangement) -> Letter:
    """What is agreed; or who can't meet; or else three times to tick."""
    id_, names = seen.party.introduction.id, listed(words, others(seen.party, seen.place))
    if seen.meets_at is not None:
        title = words("🤝 <b>You meet {names}</b>", names=names)
        text = Html(f"{title}\n\n{when(words, seen, seen.meets_at)}")
        return Letter(text, ways_out(words, id_, seen.meets_at))
    if seen.place in seen.absent:
        text = words(
            "You said that you can't meet {names}. Has this changed? Then let us find a time.",
            names=names,
        )
        agree = Tap(
            words.label("📅 Agree on a time"), AgreeOnTime(introduction=id_, here=True).pack()
        )
        return Letter(text, ((agree,),))
    if seen.absent:
        away = [seen.party.members[place] for place in sorted(seen.absent)]
        return Letter(unable(words, listed(words, away)))
    if not seen.suggested:
        return Letter(words("I find no time that is free for all of you. Please write to them."))
    title = words("📅 <b>When will you meet {names}?</b>", names=names)
    hint = words(
        "Tap every time that suits you. The first that suits all of you is agreed. "
        "It takes half an hour."
    )
    return Letter(Html("\n\n".join([title, hint, table(words, seen)])), table_taps(words, seen))


async def to_come(turn: Turn) -> tuple[tuple[Tap, ...], ...]:
    """A tap for each meeting that is agreed, for the card of introductions."""
    coming = await meeting_arrangements.to_come(turn.db, turn.member, turn.now)
    rows = []
    for seen in coming[:MOST]:
        if seen.meets_at is None:
            continue
        zone, words = ZoneInfo(seen.zones[seen.place]), turn.words
        day = words.short_day(seen.meets_at.astimezone(zone).date())
        names = ", ".join(map(plain_first, others(seen.party, seen.place)))
        label = f"🤝 {day} · {words.clock(seen.meets_at, zone)} · {isolate(names)}"
        card_of = AgreeOnTime(introduction=seen.party.introduction.id)
        rows.append((Tap(shortened(label, BUTTON), card_of.pack()),))
    return tuple(rows)


def unable(words: Words, names: Html) -> Html:
    """Somebody can't meet."""
    return words(
        "{names} can't meet you for now. You have each other's contact, should that change.",
        names=names,
    )


def when(words: Words, seen: Arrangement, at: datetime) -> Html:
    """The day and the time, the reader's clocks first, then those of others where they differ."""
    zone = ZoneInfo(seen.zones[seen.place])
    span = words.span(at, at + LENGTH, zone)
    elsewhere = [
        Html(f"🌍 {_there(words, words.span(at, at + LENGTH, ZoneInfo(other)), other)}")
        for other in _elsewhere(seen, at)
    ]
    here = _there(words, span, zone.key) if elsewhere else span
    day = words.day(at.astimezone(zone).date())
    return Html("\n".join([f"📅 {day}", f"🕘 {here}", *elsewhere]))


def table(words: Words, seen: Arrangement) -> Html:
    """The suggested times, a line each, and whom of the others each suits."""
    zone, lines = ZoneInfo(seen.zones[seen.place]), []
    for at, suits in seen.suggested:
        parts = [words.time(at, zone)]
        if elsewhere := _elsewhere(seen, at):
            parts = [_there(words, parts[0], zone.key)]
            for other in elsewhere:
                there = _there(words, words.time(at, ZoneInfo(other)), other)
                own_day = at.astimezone(ZoneInfo(other)).date()
                if own_day != at.astimezone(zone).date():
                    there = Html(f"{words.short_day(own_day)} {there}")
                parts.append(there)
        if willing := [seen.party.members[place] for place in sorted(suits - {seen.place})]:
            parts.append(Html(f"👍 {listed(words, willing)}"))
        lines += [f"• <b>{words.day(at.astimezone(zone).date())}</b>", "  " + " · ".join(parts)]
    return Html("\n".join(lines))


def table_taps(words: Words, seen: Arrangement) -> tuple[tuple[Tap, ...], ...]:
    """A tick for each suggestion, and the ways out."""
    id_, zone = seen.party.introduction.id, ZoneInfo(seen.zones[seen.place])
    rows = []
    for at, suits in seen.suggested:
        sign = "✅" if seen.place in suits else "👍" if suits else "▫️"
        label = f"{sign} {words.short_day(at.astimezone(zone).date())} · {words.clock(at, zone)}"
        rows.append((Tap(label, Suits(introduction=id_, at=_minutes(at)).pack()),))
    last = _minutes(seen.suggested[-1][0])
    return (
        *rows,
        (
            Tap(words.label("🔄 Other times"), Others(introduction=id_, last=last).pack()),
            Tap(words.label("We can't meet"), CantMeet(introduction=id_).pack()),
        ),
    )


def ways_out(words: Words, introduction_id: int, at: datetime) -> tuple[tuple[Tap, ...], ...]:
    """Of a time that is agreed: another one, or none."""
    other = Another(introduction=introduction_id, at=_minutes(at)).pack()
    none = CantMeet(introduction=introduction_id, at=_minutes(at)).pack()
    return ((Tap(words.label("Another time"), other), Tap(words.label("We can't meet"), none)),)


def _elsewhere(seen: Arrangement, at: datetime) -> Sequence[str]:
    """The zones of others whose clocks differ from the reader's at that instant, and each other."""
    told: dict[timedelta | None, str] = {}
    for place in (seen.place, *range(len(seen.zones))):
        zone = seen.zones[place]
        told.setdefault(at.astimezone(ZoneInfo(zone)).utcoffset(), zone)
    return list(told.values())[1:]


def _there(words: Words, time: Html, zone: str) -> Html:
    return words("{time} ({city})", time=time, city=city_of(words, zone))


def instant(minutes: int) -> datetime:
    """The instant that a button names."""
    return _EPOCH + timedelta(minutes=minutes)


def _minutes(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(minutes=1)
