"""The profile for meeting: opting in to introductions by taps, and every change of mind.

Each tap is written down at once; what was tapped counts for nothing until its member takes part.
"""

from aiogram import Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from handlers import meeting_cards as cards
from handlers import registration
from handlers.letters import Letter
from handlers.meeting_cards import Meet, Never, Spoken, Wish
from handlers.turns import Turn
from handlers.words import cleaned
from storage import meeting_profiles
from storage.meeting_profiles import Wishes
from storage.tables import Direction


class Telling(StatesGroup):
    """What is being written: the line, the contact, or an organisation (asked back once)."""

    line = State()
    contact = State()
    organisation = State()


# --- the conversation -----------------------------------------------------------------------


async def meet(_message: Message, turn: Turn, state: FSMContext) -> None:
    """/meet."""
    if not turn.registered:
        await registration.begin(turn, state)
        return
    await _close(state)
    turn.say(await cards.home(turn))


async def page(_tap: CallbackQuery, callback_data: Meet, turn: Turn, state: FSMContext) -> None:
    """Turn to a page, or do what it is called."""
    if not turn.registered:
        await registration.begin(turn, state)
        return
    await _close(state)
    name = callback_data.page
    if name == "begin":
        await meeting_profiles.begin(turn.db, turn.member, turn.now)
        name = "offers"
    wishes = await meeting_profiles.wishes_of(turn.db, turn.member)
    if wishes is None:
        turn.say.edit(cards.invitation(turn))
        return
    if name in {one.value for one in Direction}:
        turn.say.edit(cards.topics(turn, wishes, Direction(name)))
    elif name == "languages":
        turn.say.edit(cards.languages(turn, wishes))
    elif name in {"line", "contact", "organisation"}:
        await state.set_state(_states()[name])
        turn.say.edit(await cards.question(turn, name))
    else:
        await _act(turn, wishes, name)


async def _act(turn: Turn, wishes: Wishes, name: str) -> None:
    words = turn.words
    if name == "join":
        await meeting_profiles.join(
            turn.db,
            turn.member,
            wishes,
            turn.now,
            version=turn.terms.version,
            channel=turn.channel,
        )
        turn.say.toast(words.label("You take part. I'll write to you when there is somebody."))
    elif name == "pause":
        meeting_profiles.pause(wishes, turn.now)
    elif name == "resume":
        meeting_profiles.resume(wishes)
    elif name == "noline":
        meeting_profiles.write_line(wishes, None, turn.now)
    elif name == "nocontact":
        meeting_profiles.write_contact(wishes, None, turn.now)
    elif name == "leave":
        turn.say.edit(cards.farewell(turn))
        return
    elif name == "left":
        await meeting_profiles.leave(
            turn.db,
            turn.member,
            turn.now,
            version=turn.terms.version,
            channel=turn.channel,
        )
        turn.say.edit(
            Letter(words("You take no part in introductions any more. /meet brings you back."))
        )
        return
    turn.say.edit(await cards.home(turn))


async def wish(_tap: CallbackQuery, callback_data: Wish, turn: Turn) -> None:
    """One topic on or off: the card shows it at once."""
    wishes = await meeting_profiles.wishes_of(turn.db, turn.member)
    if wishes is None:
        turn.say.edit(cards.invitation(turn))
        return
    direction = callback_data.direction
    await meeting_profiles.toggle_topic(turn.db, wishes, direction, callback_data.topic, turn.now)
    wishes = await meeting_profiles.wishes_of(turn.db, turn.member) or wishes
    turn.say.edit(cards.topics(turn, wishes, direction))


async def spoken(_tap: CallbackQuery, callback_data: Spoken, turn: Turn) -> None:
    """One language on or off."""
    wishes = await meeting_profiles.wishes_of(turn.db, turn.member)
    if wishes is None or callback_data.code not in meeting_profiles.LANGUAGES:
        turn.say.edit(cards.invitation(turn) if wishes is None else cards.languages(turn, wishes))
        return
    code = callback_data.code
    if not await meeting_profiles.toggle_language(turn.db, wishes, code, turn.now):
        turn.say.toast(turn.words.label("Please keep at least one language."))
        return
    wishes = await meeting_profiles.wishes_of(turn.db, turn.member) or wishes
    turn.say.edit(cards.languages(turn, wishes))


async def typed(message: Message, turn: Turn, state: FSMContext) -> None:
    """The line, the contact or the organisation, in words."""
    words, name = turn.words, (await state.get_state() or "").split(":")[1]
    own = message.text if message.text is not None and message.forward_origin is None else ""
    text = cleaned(own)
    limit = {
        "line": meeting_profiles.LONGEST_LINE,
        "contact": meeting_profiles.LONGEST_CONTACT,
        "organisation": meeting_profiles.LONGEST_ORGANISATION,
    }[name]
    wishes = await meeting_profiles.wishes_of(turn.db, turn.member)
    if wishes is None:
        await state.clear()
        turn.say(cards.invitation(turn))
        return
    hint = None
    if not text:
        hint = words("Please answer by writing a short text.")
    elif own.startswith("/"):
        hint = words("I don't know this command.")
    elif len(text) > limit:
        hint = words("That is too long: please keep it under {limit} characters.", limit=limit)
    if hint is not None:
        turn.say((await cards.question(turn, name)).with_first_line(hint))
        return
    if name == "organisation":
        await state.update_data(organisation=text)
        turn.say(cards.never_asked(turn, text))
        return
    await state.clear()
    write = meeting_profiles.write_line if name == "line" else meeting_profiles.write_contact
    write(wishes, text, turn.now)
    turn.say((await cards.home(turn)).with_first_line(words("Noted.")))


async def never(_tap: CallbackQuery, turn: Turn, state: FSMContext) -> None:
    """Nobody of that organisation, for good."""
    organisation = (await state.get_data()).get("organisation")
    await state.clear()
    if organisation:
        await meeting_profiles.never_organisation(turn.db, turn.member, organisation, turn.now)
    turn.say.edit((await cards.home(turn)).with_first_line(turn.words("Noted. Nobody is told.")))


async def cancel(_message: Message, turn: Turn, state: FSMContext) -> None:
    """/cancel, while something is being written."""
    await state.clear()
    turn.say((await cards.home(turn)).with_first_line(turn.words("Nothing is changed.")))


def _states() -> dict[str, State]:
    return {
        "line": Telling.line,
        "contact": Telling.contact,
        "organisation": Telling.organisation,
    }


async def _close(state: FSMContext) -> None:
    if (await state.get_state() or "").startswith("Telling:"):
        await state.clear()


def ways_out() -> Router:
    """/meet, and /cancel while something is being written: wired before everybody's."""
    r = Router(name="meeting_ways_out")
    r.message.register(meet, Command("meet", ignore_mention=True))
    for one in _states().values():
        r.message.register(cancel, Command("cancel", ignore_mention=True), one)
    return r


def router() -> Router:
    """The profile for meeting, wired. Its questions read any text: after the commands."""
    r = Router(name="meeting_profile")
    r.callback_query.register(page, Meet.filter())
    r.callback_query.register(wish, Wish.filter())
    r.callback_query.register(spoken, Spoken.filter())
    r.callback_query.register(never, Never.filter(), Telling.organisation)
    for one in _states().values():
        r.message.register(typed, one)
    return r
