"""Cards in other chats: somebody writes "@bot words" anywhere and posts a session, with the link to
its seats.

What is asked so leaves no trace; what is posted is remembered, so that its free seats stay true.
"""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from aiogram import F, Router
from aiogram.types import ChosenInlineResult, InlineQuery, Message
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import events as agenda
from handlers.correspondence import Writing
from handlers.letters import Choice, Edited, Letter, Tap
from handlers.links import Links
from handlers.turns import Turn
from handlers.words import Html, Words, cleaned, quote, shortened
from storage import events, posted_cards, search
from storage.events import Item
from storage.tables import Event

# Answers to one question; each further word makes them fewer.
MOST = 10
_SESSION = "s_"


async def asked(query: InlineQuery, turn: Turn) -> None:
    """The sessions that fit, best first; without words what is on and comes next."""
    words, text = turn.words, cleaned(query.query)
    choices: list[Choice] = []
    if (event := await events.by_slug(turn.db, text)) is not None:
        choices.append(_event_choice(words, event, turn.links))
    items = await events.items(turn.db, await _meant(turn, text), turn.member)
    choices += [_session_choice(words, item, turn.links) for item in items]
    turn.say.choices(choices)


async def _meant(turn: Turn, text: str) -> Sequence[int]:
    if (session_id := session_of(text)) is not None:
        return [session_id]
    if not text:
        moment = await search.at(turn.db, turn.now)
        return [*moment.on, *moment.next][:MOST]
    found = await search.sessions_with(turn.db, search.key_of(text), turn.now)
    return found[:MOST]


def session_of(key: str) -> int | None:
    """The session that a key or a shared card names."""
    number = key.removeprefix(_SESSION)
    return int(number) if number != key and number.isdecimal() and len(number) < 10 else None  # noqa: PLR2004  # an int


def card(words: Words, item: Item, links: Links) -> Letter:
    """A session as it stands in another chat: the same for all who read it there."""
    session, zone = item.session, ZoneInfo(item.event.timezone)
    day = words.day(session.starts_at.astimezone(zone).date())
    when = f"{words.clock(session.starts_at, zone)} – {words.clock(session.ends_at, zone)}"
    lines = [
        f"<b>{quote(shortened(words.pick(session.title), agenda.TITLE))}</b>",
        f"📅 {day}",
        f"🕘 {when} ({agenda.zone_name(words, item.event)})",
    ]
    if where := agenda.place(words, item):
        lines.append(f"📍 {where}")
    if session.cancelled_at is not None:
        lines += ["", words("❌ This session is cancelled.")]
        return Letter(Html("\n".join(lines)))
    if seats := agenda.seats_line(words, item):
        lines.append(words("Seats: {seats}", seats=seats))
    label = words.label("Join the waitlist") if item.free == 0 else words.label("Take a seat")
    return Letter(Html("\n".join(lines)), _way(label, links, f"{_SESSION}{session.id}"))


def _session_choice(words: Words, item: Item, links: Links) -> Choice:
    zone = ZoneInfo(item.event.timezone)
    day = words.short_day(item.session.starts_at.astimezone(zone).date())
    place = words.pick(item.session.room)
    told = f"{day} {words.clock(item.session.starts_at, zone)}" + (f" · {place}" if place else "")
    return Choice(
        f"{_SESSION}{item.session.id}",
        shortened(words.pick(item.session.title), agenda.TITLE),
        shortened(told, agenda.TITLE),
        card(words, item, links),
    )


def _event_choice(words: Words, event: Event, links: Links) -> Choice:
    title = shortened(words.pick(event.title), agenda.TITLE)
    city = words.place(event.city or "")
    text = words(
        "<b>{title}</b>\n{day} · {city}", title=title, day=words.day(event.starts), city=city
    )
    told = f"{words.short_day(event.starts)} · {city}"
    taps = _way(words.label("See the agenda"), links, event.slug)
    return Choice(f"e_{event.id}", title, told, Letter(text, taps))


def _way(label: str, links: Links, door: str) -> tuple[tuple[Tap, ...], ...]:
    url = links.to(door)
    return ((Tap(label, url=url),),) if url else ()


async def posted(chosen: ChosenInlineResult, turn: Turn) -> None:
    """A card stands in another chat now. Without a button to edit it by, it stays as it is."""
    session_id = session_of(chosen.result_id)
    if session_id is not None and chosen.inline_message_id is not None:
        await posted_cards.remember(
            turn.db,
            turn.member,
            chosen.inline_message_id,
            session_id=session_id,
            language=turn.words.language,
            now=turn.now,
        )


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The cards as they should stand now, each in the language it was posted in."""
    if not writings:
        return []
    ids = [one.about["card"] for one in writings]
    standing = await posted_cards.standing(db, ids, writings[0].now)
    letters: list[Letter | None] = []
    for one in writings:
        found = standing.get(one.about["card"])
        if found is None or not one.links.username:
            # Without the way to a seat a card is better left alone.
            letters.append(None)
        else:
            stands, item = found
            letter = card(one.catalogs.get(stands.language, one.words), item, one.links)
            letters.append(replace(letter, edits=Edited(stands.message, elsewhere=True)))
    return letters


async def by_our_own_name(_message: Message, turn: Turn) -> None:
    """A card posted here, of all places: these are our words, not the person's."""
    del turn


def router() -> Router:
    """Questions from other chats, wired."""
    r = Router(name="posted cards")
    r.message.register(by_our_own_name, F.via_bot)
    r.inline_query.register(asked)
    r.chosen_inline_result.register(posted)
    return r
