"""Help, the way out, and an answer to what nobody understood: no word meets silence."""

from collections.abc import Sequence

from aiogram import Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from handlers import asking, quiet, ratings, registration, settings
from handlers.asking import Asking, Purposes
from handlers.letters import Letter
from handlers.quiet import Zone
from handlers.turns import Turn
from handlers.words import Html, Words


def commands(words: Words, *, staff: bool = False) -> Sequence[tuple[str, str]]:
    """The command menu, in the order of use; staff have some more."""
    return (
        *([("events", words.label("Manage events and sessions"))] if staff else []),
        *([("announce", words.label("Write an announcement"))] if staff else []),
        *([("rounds", words.label("Rounds of introductions"))] if staff else []),
        *([("door", words.label("Keep a door: who comes in"))] if staff else []),
        *([("team", words.label("The team: people, posts, invitations"))] if staff else []),
        ("agenda", words.label("The agenda, day by day")),
        ("myagenda", words.label("My seats")),
        ("now", words.label("What is on now and next")),
        ("search", words.label("Find a session by a word")),
        ("meet", words.label("Introductions: people worth meeting")),
        ("people", words.label("Find people: the directory")),
        ("settings", words.label("Language, reminders, profile")),
        ("stop", words.label("Stop what I send you")),
        ("privacy", words.label("Your data: who keeps it, why, how long")),
        ("mydata", words.label("What I hold about you")),
        ("forget", words.label("Forget me")),
        ("link", words.label("Use a second account")),
        ("help", words.label("What I can do")),
        ("cancel", words.label("Stop what we are doing")),
        ("start", words.label("Begin, or begin again")),
    )


def name(words: Words) -> str:
    """The bot's name, in the chat list."""
    return words.label("Jisr, the bridge")


def description(words: Words) -> str:
    """What a person reads before they press Start."""
    return words.label(
        "The agenda, your seats and your reminders for the events of the consulate and of the "
        "community: in French, Arabic and English."
    )


def about(words: Words) -> str:
    """One line on the bot's profile page (Bot API setMyShortDescription: 120 characters)."""
    return words.label("Events of the community: agenda, seats, reminders.")


def help_letter(words: Words, *, staff: bool = False) -> Letter:
    """What the bot can do."""
    menu = commands(words, staff=staff)
    lines = [f"/{command} · {text}" for command, text in menu if command != "help"]
    return Letter(Html("\n".join(lines))).with_first_line(words("<b>What I can do</b>"))


def apology(words: Words) -> Letter:
    """What a person reads when an update could not be taken."""
    return Letter(
        words(
            "Something went wrong on our side, and we have been told. "
            "Please try again; /help shows the way."
        )
    )


def patience(words: Words) -> Letter:
    """What a person reads, once, who writes faster than anybody can."""
    return Letter(
        words(
            "That was a lot at once, and I can't follow. Please wait a moment, then repeat your "
            "last answer: what comes until then is not read."
        )
    )


async def help_(_message: Message, turn: Turn, state: FSMContext, purposes: Purposes) -> None:
    """/help, anywhere; in the middle of a question, the question comes again after it."""
    turn.say(help_letter(turn.words, staff=turn.is_staff))
    await _repeat(turn, state, purposes)


async def cancel(_message: Message, turn: Turn, state: FSMContext) -> None:
    """/cancel, anywhere."""
    if await registration.in_progress(state):
        turn.say(registration.paused(turn))
        return
    was_open = await state.get_state()
    await state.clear()
    if was_open in {Asking.open.state, Zone.open.state}:
        asked_a_zone = was_open == Zone.open.state
        card = quiet.card(turn) if asked_a_zone else await settings.profile_page(turn)
        turn.say(card.with_first_line(turn.words("Nothing is changed.")))
        return
    if was_open == ratings.Writing.open.state:
        turn.say(Letter(turn.words("Nothing is added. Your stars are kept.")))
        return
    turn.say(Letter(turn.words("There is nothing to cancel. /help tells what I can do.")))


async def not_understood(
    message: Message, turn: Turn, state: FSMContext, purposes: Purposes
) -> None:
    """Words, stickers, voices: an answer that helps."""
    words = turn.words
    if message.text is not None and message.text.startswith("/"):
        hint = words("I don't know this command.")
    elif message.text is None:
        hint = words("I can only read text and taps on buttons.")
    else:
        hint = words("I didn't understand that.")
    turn.say(help_letter(words, staff=turn.is_staff).with_first_line(hint))
    await _repeat(turn, state, purposes)


async def edited(_message: Message, turn: Turn) -> None:
    """An earlier message was changed: its answer stands as it was first written."""
    turn.say(
        Letter(
            turn.words(
                "I only read a message as it was first sent. "
                "To correct an answer, use the buttons or /settings."
            )
        )
    )


async def old_button(_tap: CallbackQuery, turn: Turn) -> None:
    """A button that no conversation knows any more."""
    turn.say.toast(turn.words.label("This button is from an older message. /help shows the way."))


async def _repeat(turn: Turn, state: FSMContext, purposes: Purposes) -> None:
    if await registration.in_progress(state):
        turn.say(await registration.present(turn, state))
    elif await state.get_state() == Asking.open.state:
        purpose = purposes[(await state.get_data())["purpose"]]
        turn.say(await asking.open_card(turn, state, purpose))


def router() -> Router:
    """Help and the way out, wired before every conversation that reads text."""
    r = Router(name="help")
    r.message.register(help_, Command("help", ignore_mention=True))
    r.message.register(cancel, Command("cancel", ignore_mention=True))
    r.edited_message.register(edited)
    return r


def last_router() -> Router:
    """What nobody else took."""
    r = Router(name="last")
    r.message.register(not_understood)
    r.callback_query.register(old_button)
    return r
