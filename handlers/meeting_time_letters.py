"""The letters about a meeting's time: what suits the others, what is agreed, what is off, and that
it is soon. Each is written from what is true when it leaves, or not at all.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.introduced import how_to_reach, listed, others, plain_first
from handlers.letters import Letter, Template
from handlers.meeting_time_cards import table, table_taps, unable, ways_out, when
from handlers.meeting_words import first_name
from handlers.papers import Calendar, Entry
from handlers.words import FIRST_STRONG_ISOLATE, POP_ISOLATE, Html, Words
from storage import meeting_arrangements, members
from storage.introduction_parties import agreed_at
from storage.meeting_arrangements import HOME, Arrangement
from storage.meeting_suggestions import LENGTH
from storage.quiet import Rhythm

_BARE = str.maketrans("", "", FIRST_STRONG_ISOLATE + POP_ISOLATE)


async def write_times(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """What suits the others; None where it was agreed, or nothing suits them any more."""
    letters: list[Letter | None] = []
    for one in writings:
        seen = await _seen(db, one)
        if seen is None or not seen.suggested:
            letters.append(None)
            continue
        words = one.words
        if willing := [seen.party.members[place] for place in sorted(seen.ticks_of_others)]:
            text = words(
                "📅 {names} could meet you. Which time suits you?", names=listed(words, willing)
            )
        elif one.about.get("others"):
            names = listed(words, others(seen.party, seen.place))
            text = words(
                "📅 The times before did not suit everybody. When could you meet {names}?",
                names=names,
            )
        else:
            letters.append(None)
            continue
        letters.append(_suggesting(words, seen, text))
    return letters


async def write_set(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """A time is agreed: when, with whom and how to reach them, and a file for the calendar."""
    letters: list[Letter | None] = []
    for one in writings:
        seen, at = await _seen(db, one), _at(one)
        if seen is None or at is None or seen.meets_at != at:
            letters.append(None)
            continue
        words = one.words
        names = listed(words, others(seen.party, seen.place))
        text = Html(
            "\n".join(
                [
                    words("🤝 <b>It's agreed: you meet {names}</b>", names=names),
                    "",
                    when(words, seen, at),
                    "",
                    *await how_to_reach(db, words, seen.party, seen.place),
                    "",
                    words("Open the file to put it into your calendar."),
                ]
            )
        )
        paper = _calendar(
            one,
            seen.zones[seen.place],
            _title(words, seen),
            at,
            seen.party.introduction.agreed_at,
        )
        taps = ways_out(words, seen.party.introduction.id, at)
        letters.append(Letter(text, taps, document=paper, template=Template("meeting_set")))
    return letters


async def write_off(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """A meeting is off, or can't be at all. That it is off is told whatever happened since."""
    letters: list[Letter | None] = []
    for one in writings:
        seen, at = await _seen(db, one), _at(one)
        if at is None:
            letters.append(None if seen is None else _unable(one, seen))
            continue
        zone = Rhythm.read(one.member.rhythm).zone or HOME
        words, local = one.words, ZoneInfo(zone)
        day, time = words.day(at.astimezone(local).date()), words.time(at, local)
        title = words.label("Meeting") if seen is None else _title(words, seen)
        since = await agreed_at(db, one.about["introduction"])
        paper = _calendar(one, zone, title, at, since, cancelled=True)
        file = words("Open the file to take it out of your calendar.")
        if seen is None or seen.meets_at is not None or one.about["by"] == seen.place:
            text = words("❌ Your meeting on {day} at {time} is off.", day=day, time=time)
            letters.append(Letter(Html(f"{text}\n\n{file}"), document=paper))
            continue
        name = first_name(seen.party.members[one.about["by"]])
        if one.about["over"] or not seen.suggested:
            text = words(
                "❌ {name} can't meet you on {day} at {time}, nor at another time for now. "
                "You have each other's contact, should that change.",
                name=name,
                day=day,
                time=time,
            )
            letters.append(Letter(Html(f"{text}\n\n{file}"), document=paper))
            continue
        text = words(
            "❌ {name} can't make it on {day} at {time} after all. Which other time suits you?",
            name=name,
            day=day,
            time=time,
        )
        letter = _suggesting(words, seen, Html(f"{text} {file}"))
        letters.append(Letter(letter.text, letter.taps, document=paper, template=letter.template))
    return letters


async def write_soon(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The reminder of a meeting, for whoever wants one at this lead."""
    letters: list[Letter | None] = []
    for one in writings:
        seen, at = await _seen(db, one), _at(one)
        wanted = set(one.about["minutes"]) & await members.leads_of(db, one.member)
        if seen is None or at is None or seen.meets_at != at or not wanted:
            letters.append(None)
            continue
        words = one.words
        names = listed(words, others(seen.party, seen.place))
        lines = [
            words("⏰ <b>Reminder</b>: {ahead}", ahead=words.ahead(at - one.now)),
            words("🤝 <b>You meet {names}</b>", names=names),
            "",
            when(words, seen, at),
            "",
            *await how_to_reach(db, words, seen.party, seen.place),
        ]
        taps = ways_out(words, seen.party.introduction.id, at)
        letters.append(Letter(Html("\n".join(lines)), taps, template=Template("meeting_soon")))
    return letters


async def _seen(db: AsyncSession, one: Writing) -> Arrangement | None:
    return await meeting_arrangements.arrangement(
        db, one.member, one.about["introduction"], one.now
    )


def _at(one: Writing) -> datetime | None:
    return datetime.fromtimestamp(one.about["at"], UTC) if "at" in one.about else None


def _suggesting(words: Words, seen: Arrangement, text: Html) -> Letter:
    said = Html(f"{text}\n\n{table(words, seen)}")
    return Letter(said, table_taps(words, seen), template=Template("meeting_times"))


def _unable(one: Writing, seen: Arrangement) -> Letter | None:
    by = one.about["by"]
    if by == seen.place or by not in seen.absent:
        return None
    return Letter(unable(one.words, first_name(seen.party.members[by])))


def _title(words: Words, seen: Arrangement) -> str:
    names = ", ".join(map(plain_first, others(seen.party, seen.place)))
    # In a calendar, where isolates would be signs like others.
    return words.label("Meeting with {names}", names=names).translate(_BARE)


def _calendar(  # an entry of a calendar
    one: Writing,
    zone: str,
    title: str,
    at: datetime,
    since: datetime | None,
    *,
    cancelled: bool = False,
) -> Calendar:
    """The meeting as a file. It keeps its UID, so that a later file corrects an earlier one."""
    number = one.about["introduction"]
    made = int(since.timestamp()) if since else 0
    entry = Entry(
        uid=f"meeting-{number}-{made}@jisr",
        title=title,
        starts_at=at,
        ends_at=at + LENGTH,
        cancelled=cancelled,
    )
    return Calendar("jisr.ics", one.words.label("Meetings"), zone, (entry,), one.now)
