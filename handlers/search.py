"""Finding a session in a large programme: `/search` or any plain words, by theme, and `/now`.

Whatever somebody writes that answers no question is looked for. A page of results carries its
question in its buttons, so that an old list still turns to its own next page.
"""

from collections.abc import Callable, Sequence
from typing import Any

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message

from handlers import events as agenda
from handlers.events import BUTTON, Events, Now, Themes
from handlers.letters import Letter, Tap
from handlers.turns import Turn
from handlers.words import Html, quote, shortened
from storage import events, search
from storage.tables import Theme

# A text of more characters is a letter to somebody, and no search.
LONGEST = 100


class Find(CallbackData, prefix="find"):
    """A page of what these words find. `key` is `search.key_of` of them."""

    page: int
    key: str


class About(CallbackData, prefix="about"):
    """A page of the sessions about a theme."""

    theme: int
    page: int = 0


async def search_(_message: Message, command: CommandObject, turn: Turn) -> None:
    """/search, with or without words."""
    words = turn.words
    key = search.key_of(command.args or "")
    found = await search.sessions_with(turn.db, key, turn.now)
    if found:
        turn.say(await results(turn, key, found, 0))
    elif key:
        text = words(
            "I found nothing for “{words}”. The beginning of one word is enough: of a title, a "
            "name, a room or a theme, in any of our languages.",
            words=shortened(command.args or "", LONGEST),
        )
        turn.say(Letter(text, await _ways(turn)))
    else:
        text = words(
            "Write me a word of a title, a name, a room or a theme: its beginning is enough, in "
            "any of our languages."
        )
        turn.say(Letter(text, await _ways(turn)))


async def finds(message: Message, turn: Turn) -> bool | dict[str, Any]:
    """Whether a member's plain words find something; what they find goes to `plain_words`."""
    text = message.text or ""
    if not turn.registered or text.startswith("/") or len(text) > LONGEST:
        return False
    key = search.key_of(text)
    found = await search.sessions_with(turn.db, key, turn.now)
    return {"key": key, "found": found} if found else False


async def plain_words(_message: Message, turn: Turn, key: str, found: Sequence[int]) -> None:
    """Words that answer no question."""
    turn.say(await results(turn, key, found, 0))


async def turn_page(_tap: CallbackQuery, callback_data: Find, turn: Turn) -> None:
    """Another page of what was found, as it is found now."""
    found = await search.sessions_with(turn.db, callback_data.key, turn.now)
    turn.say.edit(await results(turn, callback_data.key, found, callback_data.page))


async def now(_message: Message, turn: Turn) -> None:
    """/now."""
    turn.say(await now_letter(turn, 0))


async def show_now(_tap: CallbackQuery, callback_data: Now, turn: Turn) -> None:
    """The same by tap, and its other pages."""
    turn.say.edit(await now_letter(turn, callback_data.page))


async def now_letter(turn: Turn, page: int) -> Letter:
    """What is on, and what begins next: each in the zone of its event."""
    words = turn.words
    moment = await search.at(turn.db, turn.now)
    if not moment.on and not moment.next:
        return (await agenda.agenda_letter(turn)).with_first_line(
            words("Nothing is on now, and nothing is planned to come.")
        )
    is_on = set(moment.on)
    shown, turning = agenda.paged(
        words, [*moment.on, *moment.next], page, lambda number: Now(page=number)
    )
    blocks: list[str] = []
    taps: list[tuple[Tap, ...]] = []
    heading = None
    for item in await events.items(turn.db, shown, turn.member):
        told = words("<b>On now</b>")
        if item.session.id not in is_on:
            told = words(
                "<b>Next, {in_time}</b>", in_time=words.ahead(item.session.starts_at - turn.now)
            )
        if told != heading:
            blocks.append(told)
            heading = told
        blocks.append(agenda.dated_lines(words, item))
        taps.append((agenda.card_tap(words, item),))
    below = (
        Tap(words.label("By theme"), Themes().pack()),
        Tap(words.label("‹ Agenda"), Events(page=0).pack()),
    )
    return Letter(Html("\n\n".join(blocks)), (*taps, *turning, below))


async def show_themes(_tap: CallbackQuery, callback_data: Themes, turn: Turn) -> None:
    """The themes of what is to come."""
    turn.say.edit(await themes_letter(turn, callback_data.page))


async def themes_letter(turn: Turn, page: int) -> Letter:
    """A tap for each theme of what is to come, with its number of sessions."""
    words = turn.words
    found = await search.themes(turn.db, turn.now)
    if not found:
        letter = await agenda.agenda_letter(turn)
        return letter.with_first_line(words("No session to come has a theme."))
    shown, turning = agenda.paged(words, found, page, lambda number: Themes(page=number))
    taps: list[tuple[Tap, ...]] = []
    for theme, number in shown:
        name = shortened(words.pick(theme.name), BUTTON - 6)
        taps.append((Tap(f"{name} ({number})", About(theme=theme.id).pack()),))
    below = (
        Tap(words.label("Now and next"), Now().pack()),
        Tap(words.label("‹ Agenda"), Events(page=0).pack()),
    )
    return Letter(words("Which theme?"), (*taps, *turning, below))


async def show_about(_tap: CallbackQuery, callback_data: About, turn: Turn) -> None:
    """The sessions about a theme."""
    turn.say.edit(await theme_letter(turn, callback_data.theme, callback_data.page))


async def theme_letter(turn: Turn, theme_id: int, page: int) -> Letter:
    """The sessions of a theme that are still to come; without any, the themes that have some."""
    theme = await turn.db.get(Theme, theme_id)
    found = await search.sessions_about(turn.db, theme_id, turn.now)
    if theme is None or not found:
        return await themes_letter(turn, 0)
    name = shortened(turn.words.pick(theme.name), agenda.TITLE)
    head = Html(f"<b>{quote(name)}</b>")
    return await _list(turn, head, found, page, lambda number: About(theme=theme_id, page=number))


async def results(turn: Turn, key: str, found: Sequence[int], page: int) -> Letter:
    """A page of what the words of `key` found."""
    head = turn.words.plural("{n} session found", "{n} sessions found", len(found))
    return await _list(turn, head, found, page, lambda number: Find(page=number, key=key))


async def _list(
    turn: Turn, head: Html, found: Sequence[int], page: int, to: Callable[[int], CallbackData]
) -> Letter:
    words = turn.words
    shown, turning = agenda.paged(words, found, page, to)
    items = await events.items(turn.db, shown, turn.member)
    blocks = [head, *(agenda.dated_lines(words, item) for item in items)]
    taps = [(agenda.card_tap(words, item),) for item in items]
    return Letter(Html("\n\n".join(blocks)), (*taps, *turning, agenda.browsing(words)))


async def _ways(turn: Turn) -> tuple[tuple[Tap, ...], ...]:
    # Something to tap for who knows no word: the themes that most is about.
    words = turn.words
    themes = sorted(await search.themes(turn.db, turn.now), key=lambda it: -it[1])[:3]
    rows = [
        (Tap(shortened(words.pick(theme.name), BUTTON), About(theme=theme.id).pack()),)
        for theme, _ in themes
    ]
    return (*rows, agenda.browsing(words))


def router() -> Router:
    """The ways through a large programme, wired before the questions."""
    r = Router(name="search")
    r.message.register(search_, Command("search", ignore_mention=True))
    r.message.register(now, Command("now", ignore_mention=True))
    r.callback_query.register(turn_page, Find.filter())
    r.callback_query.register(show_now, Now.filter())
    r.callback_query.register(show_themes, Themes.filter())
    r.callback_query.register(show_about, About.filter())
    return r


def plain_router() -> Router:
    """Plain words, wired after the questions, which read them first."""
    r = Router(name="plain words")
    r.message.register(plain_words, StateFilter(None), F.text, finds)
    return r
