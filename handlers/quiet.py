"""Quiet hours: between which hours no reminder rings, by the clocks of which city."""

from aiogram import F, Router
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from handlers import settings
from handlers.letters import Letter, Tap
from handlers.places import zone_named, zone_of, zone_title
from handlers.settings import Page
from handlers.turns import Turn
from handlers.words import Html, Words
from storage import members
from storage.tables import Member

# The hours that can be chosen for the evening and the morning, and what most people want.
EVENINGS, MORNINGS = (20, 21, 22, 23), (6, 7, 8, 9)
USUAL = (22 * 60, 8 * 60)


class Hours(CallbackData, prefix="quiet"):
    """Quiet from one minute of the day until another; the same twice: never quiet."""

    begins: int
    ends: int


class Guess(CallbackData, prefix="guesszone"):
    """My zone is that of my city after all."""


class Zone(StatesGroup):
    """The bot has asked in which zone the member's day is."""

    open = State()


async def page(_tap: CallbackQuery, turn: Turn, state: FSMContext) -> None:
    """The page of quiet hours."""
    if not await settings.asked_to_register(turn, state):
        await _close(state)
        turn.say.edit(card(turn))


async def choose(_tap: CallbackQuery, callback_data: Hours, turn: Turn, state: FSMContext) -> None:
    """Other hours, or none."""
    if await settings.asked_to_register(turn, state):
        return
    begins, ends = callback_data.begins, callback_data.ends
    if begins == ends:
        members.set_quiet_hours(turn.member, None)
    elif begins in {hour * 60 for hour in EVENINGS} and ends in {hour * 60 for hour in MORNINGS}:
        members.set_quiet_hours(turn.member, (begins, ends))
    turn.say.edit(card(turn))


async def ask_zone(_tap: CallbackQuery, turn: Turn, state: FSMContext) -> None:
    """Ask for a city whose clocks the member lives by."""
    if await settings.asked_to_register(turn, state):
        return
    await state.set_state(Zone.open)
    turn.say.edit(_question(turn))


async def typed(message: Message, turn: Turn, state: FSMContext) -> None:
    """The city, in words."""
    own_words = message.text if message.forward_origin is None else None
    zone = zone_named(own_words or "")
    if zone is None:
        hint = turn.words(
            "I don't know this place. Please write the name of a large city, e.g. Montreal."
        )
        turn.say(_question(turn).with_first_line(hint))
        return
    await state.clear()
    members.set_timezone(turn.member, zone, _guess(turn.member))
    turn.say(card(turn).with_first_line(turn.words("Noted.")))


async def guess(_tap: CallbackQuery, turn: Turn, state: FSMContext) -> None:
    """Back to the zone of the member's city."""
    if not await settings.asked_to_register(turn, state):
        await _close(state)
        members.set_timezone(turn.member, None, _guess(turn.member))
        turn.say.edit(card(turn))


def card(turn: Turn) -> Letter:
    """What is set, and what can be changed."""
    words, member = turn.words, turn.member
    begins, ends = member.quiet_from, member.quiet_until
    if begins is None or ends is None:
        text = words("There are no quiet hours: a reminder comes at any time.")
        begins, ends = None, None
    else:
        text = words(
            "No reminder rings from {begins} to {ends}: an early one comes the evening before.",
            begins=words.hour(begins),
            ends=words.hour(ends),
        )
    evening, morning = (begins or USUAL[0]), (ends or USUAL[1])
    from_ = [
        _tap(words, "🌙", hour * 60, hour * 60 == begins, Hours(begins=hour * 60, ends=morning))
        for hour in EVENINGS
    ]
    until = [
        _tap(words, "☀️", hour * 60, hour * 60 == ends, Hours(begins=evening, ends=hour * 60))
        for hour in MORNINGS
    ]
    never = words.label("No quiet hours")
    return Letter(
        Html("\n\n".join([words("<b>Quiet hours</b>"), text, _zone_line(turn)])),
        (
            tuple(from_),
            tuple(until),
            (Tap(f"{'✅' if begins is None else '▫️'} {never}", Hours(begins=0, ends=0).pack()),),
            (Tap(words.label("🕘 Another time zone"), Page(name="zone").pack()),),
            settings.homeward(turn),
        ),
    )


def _question(turn: Turn) -> Letter:
    words = turn.words
    taps = [(Tap(words.label("‹ Back"), Page(name="quiet").pack()),)]
    if turn.member.timezone is not None:
        taps.insert(0, (Tap(words.label("The one of my city"), Guess().pack()),))
    ask = words("By the clocks of which large city do you live? Write its name.")
    return Letter(Html(f"{_zone_line(turn)}\n\n{ask}"), tuple(taps))


def _zone_line(turn: Turn) -> Html:
    words, member = turn.words, turn.member
    if member.timezone is not None:
        zone = zone_title(words, member.timezone, turn.now)
        return words("Your time zone, as you chose it: {zone}", zone=zone)
    guessed = _guess(member)
    if guessed is None:
        return words("Your time zone: that of each event.")
    zone = zone_title(words, guessed, turn.now)
    return words("Your time zone, guessed from your city: {zone}", zone=zone)


def _guess(member: Member) -> str | None:
    return zone_of(member.country, member.city)


def _tap(words: Words, sign: str, minute: int, chosen: bool, then: Hours) -> Tap:
    return Tap(f"{'✅' if chosen else sign} {words.hour(minute)}", then.pack())


async def _close(state: FSMContext) -> None:
    if await state.get_state() == Zone.open.state:
        await state.clear()


def router() -> Router:
    """Quiet hours, wired. After the commands, which work in the middle of the question too."""
    r = Router(name="quiet")
    r.callback_query.register(page, Page.filter(F.name == "quiet"))
    r.callback_query.register(ask_zone, Page.filter(F.name == "zone"))
    r.callback_query.register(choose, Hours.filter())
    r.callback_query.register(guess, Guess.filter())
    r.message.register(typed, Zone.open)
    return r
