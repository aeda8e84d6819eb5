"""The directory: `/people`, found by a few words, a theme, a city or what they offer.

Whoever is listed chose it; others read their first name and what they say of themselves, and ask
for an introduction. No contact stands here.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from handlers import registration
from handlers.directory_cards import (
    By,
    OnePerson,
    People,
    Sought,
    back_row,
    entry_line,
    first_name,
    person_card,
)
from handlers.events import BUTTON, paged
from handlers.letters import Letter, Tap
from handlers.meeting_words import topic_label
from handlers.turns import Turn
from handlers.words import Html, Words, cleaned, shortened
from storage import directory, members, purposes
from storage.directory import Entry, Found
from storage.folding import folded
from storage.tables import Direction, Purpose, Theme, Topic

# A question of more characters is a letter to somebody.
LONGEST = 100
# How long words are taken for a question to the directory.
PATIENCE = timedelta(minutes=30)
# Cities and themes to tap.
_MOST_TAPS = 8


class Looking(StatesGroup):
    """The next words are a question to the directory; the conversation has since when."""

    open = State()


async def people(_message: Message, command: CommandObject, turn: Turn, state: FSMContext) -> None:
    """/people, with or without words."""
    if not turn.registered:
        await registration.begin(turn, state)
        return
    if command.args:
        turn.say(await _found(turn, directory.asked_for(command.args[:LONGEST]), 0))
        return
    await _await_words(turn, state)
    turn.say(await _home(turn))


async def _await_words(turn: Turn, state: FSMContext) -> None:
    await state.set_state(Looking.open)
    await state.update_data(looking_since=turn.now.isoformat())


async def open_home(
    _tap: CallbackQuery, callback_data: People, turn: Turn, state: FSMContext
) -> None:
    """The first page, its lists of cities, themes and offers, and one's own listing."""
    if not turn.registered:
        await registration.begin(turn, state)
        return
    verb = callback_data.verb
    if verb == "list":
        await purposes.agree(
            turn.db,
            turn.member,
            # Whoever is listed here may be asked for, which is what it is for.
            [Purpose.DIRECTORY, Purpose.INTRODUCTIONS],
            turn.now,
            version=turn.terms.version,
            channel=turn.channel,
        )
        turn.say.toast(turn.words.label("You are in the directory now."))
    elif verb == "unlist":
        await purposes.withdraw(
            turn.db,
            turn.member,
            [Purpose.DIRECTORY],
            turn.now,
            version=turn.terms.version,
            channel=turn.channel,
        )
        turn.say.toast(turn.words.label("You are no longer in the directory."))
    elif verb in ("cities", "themes", "offers"):
        turn.say.edit(await _choices(turn, verb))
        return
    await _await_words(turn, state)
    turn.say.edit(await _home(turn))


async def _home(turn: Turn) -> Letter:
    words = turn.words
    listed = Purpose.DIRECTORY in await purposes.agreed_to(turn.db, turn.member)
    number = await directory.count(turn.db)
    lines = [
        words("<b>The directory</b>"),
        words.plural("{n} member may be found here.", "{n} members may be found here.", number),
        "",
        words(
            "Whom are you looking for? Write a few words, in any of our languages: a trade, a "
            "theme, a city. For example: hydrogen Lyon"
        ),
        "",
        words(
            "✅ You are listed: others read your first name, city, profession and your line, and may "
            "ask to be introduced to you."
        )
        if listed
        else words("You are not listed yourself."),
    ]
    mine = (
        Tap(words.label("Take me off the list"), People(verb="unlist").pack())
        if listed
        else Tap(words.label("✅ List me too"), People(verb="list").pack())
    )
    return Letter(
        Html("\n".join(lines)),
        (
            (
                Tap(words.label("By theme"), People(verb="themes").pack()),
                Tap(words.label("By city"), People(verb="cities").pack()),
                Tap(words.label("By offer"), People(verb="offers").pack()),
            ),
            (mine,),
        ),
    )


async def _choices(turn: Turn, verb: str) -> Letter:
    """The cities, themes or offers of those who may be found, the most frequent first."""
    words = turn.words
    among = await directory.entries(turn.db, turn.member)
    rows: list[tuple[Tap, ...]] = []
    if verb == "cities":
        cities = Counter(folded(entry.city) for entry in among if entry.city)
        names = {folded(entry.city): entry.city for entry in among}
        rows = [
            _counted(words.place(names[city]), n, Sought(page=0, key=directory.asked_for(city)))
            for city, n in cities.most_common(_MOST_TAPS)
            if directory.asked_for(city)
        ]
    elif verb == "themes":
        follow = Counter(theme for entry in among for theme in entry.themes)
        themes = {theme.id: theme for theme in await members.all_themes(turn.db)}
        rows = [
            _counted(words.pick(themes[theme].name), n, By(theme=theme))
            for theme, n in follow.most_common()
            if theme in themes
        ]
    else:
        offer = Counter(topic for entry in among for topic in entry.offers)
        rows = [
            _counted(topic_label(words, Direction.OFFERS, topic), n, By(topic=topic))
            for topic, n in offer.most_common()
        ]
    text = {
        "cities": words("Where do they live?"),
        "themes": words("Which theme do they follow?"),
        "offers": words("What do they offer?"),
    }[verb]
    if not rows:
        text = words("Nobody to be found says that yet.")
    return Letter(text, (*rows, back_row(words)))


def _counted(label: str, number: int, to: CallbackData) -> tuple[Tap, ...]:
    return (Tap(shortened(f"{label} · {number}", BUTTON), to.pack()),)


# --- whom they find -------------------------------------------------------------------------


async def asked(message: Message, turn: Turn) -> None:
    """A question in plain words."""
    turn.say(await _found(turn, directory.asked_for(message.text or ""), 0))


async def _still_looking(message: Message, turn: Turn, state: FSMContext) -> bool:
    """Whether these words are for the directory: half an hour later they are not."""
    since = (await state.get_data()).get("looking_since")
    fresh = since is not None and turn.now - datetime.fromisoformat(since) <= PATIENCE
    if not fresh:
        await state.clear()
    return fresh and 0 < len(cleaned(message.text or "")) <= LONGEST


async def turn_page(_tap: CallbackQuery, callback_data: Sought, turn: Turn) -> None:
    """Another page of whom the same words find."""
    turn.say.edit(await _found(turn, callback_data.key, callback_data.page))


async def by(_tap: CallbackQuery, callback_data: By, turn: Turn) -> None:
    """Those who follow a theme or offer a topic."""
    wanted = callback_data
    among = await directory.entries(turn.db, turn.member)
    found = [
        entry for entry in among if wanted.theme in entry.themes or wanted.topic in entry.offers
    ]
    turn.say.edit(
        _list(
            turn.words,
            Found(found, exact=True),
            wanted.page,
            lambda page: By(page=page, theme=wanted.theme, topic=wanted.topic),
        )
    )


async def _found(turn: Turn, key: str, page: int) -> Letter:
    among = await directory.entries(turn.db, turn.member)
    themes = {theme.id: theme for theme in await members.all_themes(turn.db)}
    found = directory.look(key, among, _texts(turn, themes))
    return _list(turn.words, found, page, lambda number: Sought(page=number, key=key))


def _texts(turn: Turn, themes: dict[int, Theme]) -> Callable[[Entry], Iterable[str]]:
    """What an entry is found by: all it says, and our own words in each of our languages."""
    tongues = list(turn.catalogs.values())

    @cache
    def offered(topic: Topic) -> tuple[str, ...]:
        return tuple(topic_label(words, Direction.OFFERS, topic) for words in tongues)

    @cache
    def where(city: str, country: str) -> tuple[str, ...]:
        named = [words.country(country) for words in tongues] if country else []
        return (city, *(words.place(city) for words in tongues), *named)

    def said(entry: Entry) -> Iterable[str]:
        yield entry.profession
        yield entry.line
        yield from where(entry.city, entry.country)
        for topic in entry.offers:
            yield from offered(topic)
        for theme in entry.themes:
            if theme in themes:
                yield from themes[theme].name.values()

    return said


def _list(words: Words, found: Found, page: int, to: Callable[[int], CallbackData]) -> Letter:
    if not found.entries:
        return Letter(
            words(
                "I found nobody for that. Fewer words find more: a trade, a theme or a city, in "
                "any of our languages."
            ),
            (back_row(words),),
        )
    shown, turning = paged(words, found.entries, page, to)
    number = len(found.entries)
    heading = words.plural("<b>{n} member</b>", "<b>{n} members</b>", number)
    if not found.exact:
        heading = words("Nobody has all of that. These come closest:")
    lines = [Html(f"{heading}\n"), *(entry_line(words, entry) for entry in shown)]
    taps = [
        (
            Tap(
                shortened(f"👤 {first_name(entry)} · {words.place(entry.city)}", BUTTON),
                OnePerson(member=entry.id).pack(),
            ),
        )
        for entry in shown
    ]
    return Letter(Html("\n".join(lines)), (*taps, *turning, back_row(words)))


async def person(_tap: CallbackQuery, callback_data: OnePerson, turn: Turn) -> None:
    """What somebody says of themselves."""
    card = await person_card(turn, callback_data.member)
    if card is None:
        turn.say.toast(turn.words.label("This person is no longer in the directory."))
        return
    turn.say.edit(card)


def router() -> Router:
    """The directory, wired. Plain words are a question to it only while one is asked for."""
    r = Router(name="directory")
    r.message.register(people, Command("people", ignore_mention=True))
    r.message.register(asked, Looking.open, F.text, ~F.text.startswith("/"), _still_looking)
    r.callback_query.register(open_home, People.filter())
    r.callback_query.register(turn_page, Sought.filter())
    r.callback_query.register(by, By.filter())
    r.callback_query.register(person, OnePerson.filter())
    return r
