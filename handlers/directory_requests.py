"""Asking somebody in the directory for an introduction: one sentence why, then they decide."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from handlers.directory_cards import AskFor, OnePerson, back_row, person_card
from handlers.letters import Letter, Tap
from handlers.turns import Turn
from handlers.words import Html, Words, cleaned
from storage import directory_requests, purposes
from storage.directory_requests import LONGEST, MOST, Asked
from storage.tables import Purpose


class Explaining(StatesGroup):
    """The next words are the reason; the conversation has whom they are for."""

    open = State()


async def ask(_tap: CallbackQuery, callback_data: AskFor, turn: Turn, state: FSMContext) -> None:
    """Ask for the reason, unless there is no use in it."""
    words = turn.words
    outcome = await directory_requests.possible(
        turn.db, turn.member, callback_data.member, turn.now
    )
    if outcome != Asked.SENT:
        turn.say.toast(_why_not(words, outcome))
        return
    await state.set_state(Explaining.open)
    await state.update_data(asked_for=callback_data.member)
    back = Tap(words.label("‹ Back"), OnePerson(member=callback_data.member).pack())
    turn.say.edit(
        Letter(
            words(
                "Why would you like to meet? Write one or two sentences: they are read with your "
                "first name, city and profession, and the other decides. By sending them you agree to "
                "introductions; /settings changes that."
            ),
            ((back,),),
        )
    )


async def explained(message: Message, turn: Turn, state: FSMContext) -> None:
    """The reason: the request leaves."""
    words = turn.words
    typed = cleaned(message.text or "")
    if not typed or message.forward_origin is not None:
        turn.say(Letter(words("Please answer by writing a short text.")))
        return
    if len(typed) > LONGEST:
        turn.say(
            Letter(
                words(
                    "That is a little long: {n} characters, and I can keep {most}. "
                    "Please send it again, shorter; /cancel leaves it.",
                    n=len(typed),
                    most=LONGEST,
                )
            )
        )
        return
    asked = (await state.get_data())["asked_for"]
    await state.clear()
    await purposes.agree(
        turn.db,
        turn.member,
        [Purpose.INTRODUCTIONS],
        turn.now,
        version=turn.terms.version,
        channel=turn.channel,
    )
    outcome = await directory_requests.ask(turn.db, turn.member, asked, typed, turn.now)
    if outcome != Asked.SENT:
        turn.say(Letter(Html(_why_not(words, outcome)), (back_row(words),)))
        return
    turn.say(
        Letter(
            words(
                "✅ Your request is on its way. If the answer is yes, you get each other's contact; "
                "else I tell you within two days that it did not work out."
            ),
            (back_row(words),),
        )
    )


def _why_not(words: Words, outcome: Asked) -> str:
    return {
        Asked.GONE: words.label("This person is no longer in the directory."),
        Asked.ALREADY: words.label("You two have been introduced or asked for already."),
        Asked.ENOUGH: words.label(
            "You have asked for {n} introductions today: please go on tomorrow.", n=MOST
        ),
    }[outcome]


async def back(
    _tap: CallbackQuery, callback_data: OnePerson, turn: Turn, state: FSMContext
) -> None:
    """No reason after all: their card again."""
    await state.clear()
    card = await person_card(turn, callback_data.member)
    if card is not None:
        turn.say.edit(card)


def router() -> Router:
    """Requests, wired; before the directory's own taps."""
    r = Router(name="directory_requests")
    r.callback_query.register(ask, AskFor.filter())
    r.callback_query.register(back, OnePerson.filter(), Explaining.open)
    r.message.register(explained, Explaining.open, ~F.text.startswith("/"))
    return r
