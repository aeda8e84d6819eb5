"""The first word: `/start`, the language, deep links, and the gate before what needs a member."""

import re

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message, TelegramObject

from handlers import linking as links_of
from handlers import registration, rsvps, stop, tickets
from handlers.letters import Letter, Tap
from handlers.reminders import Coming, NotComing
from handlers.rsvps import GiveUp, Mine, MyTicket, Take
from handlers.turns import Turn
from handlers.words import AUTONYMS, Html
from storage import invitations, linking
from storage.tables import Role

# Characters of a deep link's payload (Bot API, "Deep linking").
_PAYLOAD = 64


class Choose(CallbackData, prefix="tongue"):
    """Speak this language with me."""

    language: str


async def start(message: Message, command: CommandObject, turn: Turn, state: FSMContext) -> None:
    """/start, with or without the payload of a deep link."""
    # Whatever somebody typed behind it, a payload has no other characters (Bot API, "Deep linking").
    door = re.sub(r"[^A-Za-z0-9_-]", "", command.args or "")[:_PAYLOAD]
    if door.startswith(invitations.PREFIX):
        await _invited(turn, door)
        door = ""
    if door.startswith(linking.PREFIX):
        turn.say(await links_of.shown(turn, str(message.chat.id), door))
        return
    if turn.is_staff and (at_the_door := await tickets.scanned(turn, door)) is not None:
        turn.say(at_the_door)
    elif turn.member.language is None:
        await greet(turn, state, door=door)
    elif turn.registered:
        name = turn.member.name or ""
        letter = await tickets.own(turn, door) or await rsvps.behind(turn, door)
        welcome = turn.words("Welcome back, {name}!", name=name)
        if turn.is_staff:
            shown = turn.words("/events is where you manage events and sessions.")
            welcome = Html(f"{welcome} {shown}")
        turn.say(letter.with_first_line(welcome))
        if not door and (offer := await stop.offer_again(turn)):
            turn.say(offer)
    else:
        await registration.begin(turn, state, door=door)


async def greet(turn: Turn, state: FSMContext, *, door: str = "") -> None:
    """The very first question: in every language, the phone's own first."""
    await state.update_data(door=door)
    first = turn.first_language
    order = [first, *(code for code in AUTONYMS if code != first)]
    lines = [
        words("Welcome! Which language shall we speak?")
        for words in map(turn.catalogs.__getitem__, order)
    ]
    taps = tuple((Tap(AUTONYMS[code], Choose(language=code).pack()),) for code in order)
    turn.say(Letter(Html("\n".join(lines)), taps))


async def choose(_tap: CallbackQuery, callback_data: Choose, turn: Turn, state: FSMContext) -> None:
    """The language is chosen; registration begins, or goes on in it."""
    if callback_data.language not in turn.catalogs:
        return
    first_time = turn.member.language is None
    turn.member.language = callback_data.language
    turn.say.edit(Letter(turn.words("Let's speak English.")))
    if turn.registered:
        turn.say(await rsvps.behind(turn, ""))
    elif first_time or await registration.in_progress(state):
        await registration.begin(turn, state)


async def gate_tap(
    _tap: CallbackQuery, callback_data: CallbackData, turn: Turn, state: FSMContext
) -> None:
    """A seat needs a name: register first, then come back to the same session."""
    session = getattr(callback_data, "session", None)
    turn.say.toast(turn.words.label("First, a few short questions."))
    await registration.begin(turn, state, door=f"s_{session}" if session else "")


async def gate_command(_message: Message, turn: Turn, state: FSMContext) -> None:
    """A command that needs a member."""
    await registration.begin(turn, state)


async def gate_language(event: TelegramObject, turn: Turn, state: FSMContext) -> None:
    """Whatever a person says first, we agree on a language first."""
    del event
    await greet(turn, state)


def _unregistered(_event: TelegramObject, turn: Turn) -> bool:
    return not turn.registered


def _without_language(_event: TelegramObject, turn: Turn) -> bool:
    return turn.member.language is None


async def _invited(turn: Turn, payload: str) -> None:
    words = turn.words
    role = await invitations.accept(turn.db, turn.member, payload, turn.now)
    if role is None:
        turn.say(
            Letter(
                words("This invitation was used before or has expired. Please ask for a new one.")
            )
        )
        return
    name = words("administrator") if role == Role.ADMIN else words("member of the team")
    turn.say(Letter(words("Your invitation is accepted: you are now {role}.", role=name)))


def router() -> Router:
    """The gates, wired. They stand before every other conversation."""
    r = Router(name="start")
    r.message.register(start, Command("start", ignore_mention=True))
    r.callback_query.register(choose, Choose.filter())
    r.message.register(gate_language, _without_language)
    r.callback_query.register(gate_language, _without_language)
    for needs_member in (Take, GiveUp, Mine, MyTicket, Coming, NotComing):
        r.callback_query.register(gate_tap, needs_member.filter(), _unregistered)
    r.message.register(gate_command, Command("myagenda", ignore_mention=True), _unregistered)
    return r
