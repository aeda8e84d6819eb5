"""What an audience is put together from: lists to tap, each tap on or off at once.

The most frequent cities and countries are offered with their numbers; any other is written.
"""

from collections.abc import Awaitable, Callable, Sequence

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from handlers.audience_words import gist, state, told
from handlers.audiences import (
    BUTTON,
    Aud,
    Pick,
    Picking,
    card,
    close,
    count_lines,
    open_for,
    picked,
)
from handlers.events import paged
from handlers.letters import Letter, Tap
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import AUTONYMS, Html, Words, cleaned, country_named, shortened
from storage import audience_names, audience_parts, cities, events, members, overviews
from storage.audience_parts import Part
from storage.audiences import BadRule, check
from storage.tables import Seat, Side

# How many cities and countries are offered.
_OFFERED = 8
# Of the bytes of callback data, those left to a city's name.
_CITY_BYTES = 32
# The states by which an event's people are chosen, the likeliest first.
_STATES = (Seat.CONFIRMED, Seat.WAITLISTED, Seat.CHECKED_IN, Seat.OFFERED, Seat.CANCELLED)

Rows = Sequence[tuple[Tap, ...]]
# Given what is being picked, the tap's value and whether it leaves out: a question and its answers.
Page = Callable[["Menu"], Awaitable[tuple[Html, Rows]]]


class Menu:
    """One list of the picker, about to be drawn."""

    def __init__(self, pick: Pick, asked: Aud) -> None:
        self.pick, self.asked = pick, asked
        self.words, self.db = pick.turn.words, pick.turn.db

    def tap(self, label: str, verb: str, value: str = "") -> Tap:
        """A button of this list, on the same announcement, for or against."""
        data = Aud(verb=verb, id=self.asked.id, but=self.asked.but, value=value)
        return Tap(shortened(label, BUTTON), data.pack())

    def on(self, label: str, leaf: Part, value: str) -> Tap:
        """A button that puts a condition in or takes it out, and shows which."""
        held = audience_parts.holds(self.pick.parts, leaf, but=bool(self.asked.but))
        return self.tap(f"{'✅' if held else '▫️'} {label}", "set", value)


# --- the lists ------------------------------------------------------------------------------


async def _events(menu: Menu) -> tuple[Html, Rows]:
    page = _number(menu.asked.value)
    found = await overviews.all_events(menu.db)
    shown, turning = paged(
        menu.words,
        found,
        page,
        lambda n: Aud(verb="events", id=menu.asked.id, but=menu.asked.but, value=str(n)),
    )
    rows = [(menu.tap(menu.words.pick(one.title), "event", f"{one.id}"),) for one in shown]
    return menu.words("Which event?"), [*rows, *turning]


async def _event(menu: Menu) -> tuple[Html, Rows]:
    words, id_ = menu.words, _number(menu.asked.value)
    event = await events.by_id(menu.db, id_)
    if event is None:
        return words("This event is gone."), []
    rows = _states(menu, "event", id_)
    rows.append((menu.tap(words.label("One session of it …"), "sessions", f"{id_}"),))
    return words("<b>{title}</b>\nThose who …", title=words.pick(event.title)), rows


async def _sessions(menu: Menu) -> tuple[Html, Rows]:
    words = menu.words
    id_, _, page = menu.asked.value.partition(".")
    event = await events.by_id(menu.db, _number(id_))
    if event is None:
        return words("This event is gone."), []
    found = [
        session
        for day in await overviews.days_of(menu.db, event)
        for session, _ in await overviews.sessions_of_day(menu.db, event, day)
    ]
    shown, turning = paged(
        words,
        found,
        _number(page),
        lambda n: Aud(
            verb="sessions", id=menu.asked.id, but=menu.asked.but, value=f"{event.id}.{n}"
        ),
    )
    rows = [(menu.tap(words.pick(one.title), "session", f"{one.id}"),) for one in shown]
    return words("Which session?"), [*rows, *turning]


async def _session(menu: Menu) -> tuple[Html, Rows]:
    words, id_ = menu.words, _number(menu.asked.value)
    found = await overviews.of_session(menu.db, id_)
    if found is None:
        return words("This session is no longer in the programme."), []
    title = words.pick(found[0].title)
    return words("<b>{title}</b>\nThose who …", title=title), _states(menu, "session", id_)


def _states(menu: Menu, kind: str, id_: int) -> list[tuple[Tap, ...]]:
    return [
        (
            menu.on(
                state(menu.words, one), {kind: id_, "states": [one.value]}, f"{kind}.{id_}.{one}"
            ),
        )
        for one in _STATES
    ]


async def _places(menu: Menu) -> tuple[Html, Rows]:
    words, area = menu.words, menu.pick.area
    taps = [
        menu.on(f"{words.place(typed)} · {words.number(n)}", {"city": folded}, f"city.{folded}")
        for folded, typed, n in await audience_names.cities_of(menu.db, area, _OFFERED)
        if len(folded.encode()) <= _CITY_BYTES
    ]
    found = await audience_names.countries_of(menu.db, area, _OFFERED)
    countries = [
        menu.on(f"{words.country(code)} · {words.number(n)}", {"country": code}, f"country.{code}")
        for code, n in found
    ]
    rows = [*_in_rows(taps, 2), *_in_rows(countries, 2)]
    rows.append((menu.tap(words.label("✎ Another city or country"), "type"),))
    return words("Where do they live?"), rows


async def _themes(menu: Menu) -> tuple[Html, Rows]:
    taps = [
        menu.on(menu.words.pick(theme.name), {"themes": [theme.id]}, f"theme.{theme.id}")
        for theme in await members.all_themes(menu.db)
    ]
    return menu.words("What interests them? One of these is enough."), _in_rows(taps, 2)


async def _sides(menu: Menu) -> tuple[Html, Rows]:
    labels = {
        Side.DIASPORA: menu.words.label("In the diaspora"),
        Side.MOROCCO: menu.words.label("In Morocco"),
    }
    taps = [menu.on(labels[side], {"side": side.value}, f"side.{side.value}") for side in Side]
    return menu.words("On which side?"), _in_rows(taps, 2)


async def _languages(menu: Menu) -> tuple[Html, Rows]:
    taps = [
        menu.on(name, {"language": code}, f"language.{code}") for code, name in AUTONYMS.items()
    ]
    return menu.words("Which language do they read?"), _in_rows(taps, 3)


async def _announced(menu: Menu) -> tuple[Html, Rows]:
    words = menu.words
    found = await audience_names.announced(menu.db)
    if not found:
        return words("Nothing was announced yet."), []
    names = await audience_names.names_in(menu.db, {"any": [{"received": one.id} for one in found]})
    shown, turning = paged(
        words,
        found,
        _number(menu.asked.value),
        lambda n: Aud(verb="announced", id=menu.asked.id, but=menu.asked.but, value=str(n)),
    )
    rows = [
        (menu.tap(gist(words, names.announcements.get(one.id)), "told", f"{one.id}"),)
        for one in shown
    ]
    return words("Which announcement?"), [*rows, *turning]


async def _told(menu: Menu) -> tuple[Html, Rows]:
    words, id_ = menu.words, _number(menu.asked.value)
    names = await audience_names.names_in(menu.db, {"received": id_})
    rows = [(menu.on(words.label("received it"), {"received": id_}, f"received.{id_}"),)]
    if answers := names.answers.get(id_):
        rows.append((menu.on(words.label("answered"), {"answered": id_}, f"answered.{id_}"),))
        rows += [
            (
                menu.on(
                    words.label("answered “{answer}”", answer=words.pick(answer)),
                    {"answered": id_, "answers": [number]},
                    f"answered.{id_}.{number}",
                ),
            )
            for number, answer in enumerate(answers)
        ]
        not_yet = {"unanswered": id_}
        rows.append((menu.on(words.label("have not answered"), not_yet, f"unanswered.{id_}"),))
    title = gist(words, names.announcements.get(id_))
    return words("<b>{title}</b>\nThose who …", title=title), rows


PAGES: dict[str, tuple[Page, str]] = {
    # Each list, and the one that is behind its way back.
    "events": (_events, ""),
    "event": (_event, "events"),
    "sessions": (_sessions, "events"),
    "session": (_session, "events"),
    "places": (_places, ""),
    "themes": (_themes, ""),
    "sides": (_sides, ""),
    "languages": (_languages, ""),
    "announced": (_announced, ""),
    "told": (_told, "announced"),
}


# --- taps -----------------------------------------------------------------------------------


async def show(_tap: CallbackQuery, callback_data: Aud, turn: Turn, state: FSMContext) -> None:
    """A list."""
    await close(state)
    turn.say.edit(await _letter(turn, callback_data))


async def _letter(turn: Turn, asked: Aud) -> Letter:
    if (pick := await picked(turn, asked.id)) is None:
        return await open_for(turn, asked.id)
    menu = Menu(pick, asked)
    page, behind = PAGES[asked.verb]
    question, rows = await page(menu)
    names = await audience_names.names_in(turn.db, pick.announcement.rule)
    said = told(audience_parts.rule_of(pick.parts, None), turn.words, names)
    lines = [said, *await count_lines(pick), "", question]
    if asked.but:
        lines.insert(-1, turn.words("🚫 These are left out:"))
    back = menu.tap(turn.words.label("‹ Back"), behind or ("but" if asked.but else "card"))
    home = menu.tap(turn.words.label("👥 The audience"), "card")
    return Letter(Html("\n".join(lines)), (*rows, (back, home)))


async def set_(_tap: CallbackQuery, callback_data: Aud, turn: Turn) -> None:
    """One condition in or out: the list shows it at once, and the new count."""
    leaf, page = _leaf(callback_data.value)
    pick = await picked(turn, callback_data.id)
    if pick is None or leaf is None:
        turn.say.edit(await open_for(turn, callback_data.id))
        return
    await pick.write(audience_parts.toggled(pick.parts, leaf, but=bool(callback_data.but)))
    asked = Aud(verb=page[0], id=callback_data.id, but=callback_data.but, value=page[1])
    turn.say.edit(await _letter(turn, asked))


def _leaf(value: str) -> tuple[Part | None, tuple[str, str]]:
    """The condition that a button stands for, and the list that it stands in."""
    name, _, rest = value.partition(".")
    first, _, more = rest.partition(".")
    leaf: Part
    page = ("card", "")
    match name:
        case "event" | "session":
            leaf, page = {name: _number(first), "states": [more]}, (name, first)
        case "theme":
            leaf, page = {"themes": [_number(first)]}, ("themes", "")
        case "city" | "country":
            leaf, page = {name: rest}, ("places", "")
        case "side" | "language":
            leaf, page = {name: rest}, (f"{name}s", "")
        case "answered" if more:
            leaf, page = {name: _number(first), "answers": [_number(more)]}, ("told", first)
        case _:
            leaf, page = {name: _number(first)}, ("told", first)
    try:
        check(leaf)
    except BadRule:
        return None, page
    return leaf, page


async def ask_place(_tap: CallbackQuery, callback_data: Aud, turn: Turn, state: FSMContext) -> None:
    """Which one?"""
    await state.set_state(Picking.place)
    await state.update_data(picking={"id": callback_data.id, "but": bool(callback_data.but)})
    turn.say.edit(_place_question(turn.words, callback_data))


async def place(message: Message, turn: Turn, state: FSMContext) -> None:
    """A city or a country, in any of our languages."""
    words, data = turn.words, (await state.get_data())["picking"]
    asked = Aud(verb="places", id=data["id"], but=int(data["but"]))
    typed = cleaned(message.text or "")
    code, city = country_named(typed), cities.key(typed)
    if not city or typed.startswith("/"):
        turn.say(_place_question(words, asked))
        return
    if code is None and not await audience_names.anybody_in(turn.db, city):
        unknown = words("No member lives in {city}, as far as they told me.", city=typed)
        turn.say(_place_question(words, asked).with_first_line(unknown))
        return
    await close(state)
    pick = await picked(turn, asked.id)
    if pick is None:
        turn.say(await open_for(turn, asked.id))
        return
    leaf: Part = {"country": code} if code else {"city": city}
    if not audience_parts.holds(pick.parts, leaf, but=bool(asked.but)):
        await pick.write(audience_parts.toggled(pick.parts, leaf, but=bool(asked.but)))
    turn.say(await card(pick))


def _place_question(words: Words, asked: Aud) -> Letter:
    back = Aud(verb="places", id=asked.id, but=asked.but).pack()
    return Letter(
        words("Write the name of a city or of a country."),
        ((Tap(words.label("‹ Back"), back),),),
    )


def _number(value: str) -> int:
    # An id that fits no row is a row that is gone.
    return min(int(value), 2**31 - 1) if value.isdecimal() and len(value) < 12 else 0  # noqa: PLR2004  # longer than any id


def _in_rows(taps: Sequence[Tap], width: int) -> list[tuple[Tap, ...]]:
    return [tuple(taps[at : at + width]) for at in range(0, len(taps), width)]


def router() -> Router:
    """The lists, wired after every command: a place may be any text."""
    r = Router(name="audience_choices")
    r.callback_query.register(show, Aud.filter(F.verb.in_(set(PAGES))), of_staff)
    r.callback_query.register(set_, Aud.filter(F.verb == "set"), of_staff)
    r.callback_query.register(ask_place, Aud.filter(F.verb == "type"), of_staff)
    r.message.register(place, Picking.place, of_staff)
    return r
