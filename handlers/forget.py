"""`/forget`: what goes, what stays, one tap to be sure; then the person is a stranger again.

A warning stands for ten minutes: a card that was scrolled back to a year later warns again.
"""

from datetime import timedelta

from aiogram import Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from handlers.letters import Letter, Tap
from handlers.mydata import MyData
from handlers.turns import Turn
from handlers.words import Html
from storage import audit, forgetting

# How long the tap on a warning is taken for an answer to it.
STANDS = timedelta(minutes=10)


class Forget(CallbackData, prefix="forget"):
    """Forget me: I was warned in this minute since 1970; 0: warn me first."""

    warned: int = 0


class Keep(CallbackData, prefix="unforgotten"):
    """Rather not."""


async def forget(_message: Message, turn: Turn) -> None:
    """/forget."""
    turn.say(await warning(turn))


async def answered(
    _tap: CallbackQuery, callback_data: Forget, turn: Turn, state: FSMContext
) -> None:
    """Gone, if the warning is fresh."""
    since = _minute(turn) - callback_data.warned
    if await forgetting.is_last_admin(turn.db, turn.member) or not 0 <= since <= _minutes(STANDS):
        turn.say.edit(await warning(turn))
        return
    words = turn.words
    done = Letter(
        words(
            "It is done: I have forgotten you. What you still see of our conversation is on your "
            "phone and at Telegram: delete this chat there.\n\n"
            "If you write again, we begin anew."
        )
    )
    if turn.is_staff:
        await audit.record(turn.db, turn.member, "team.left", turn.now)
    await state.clear()
    await forgetting.forget(turn.db, turn.member, turn.now)
    turn.say.edit(done)


async def kept(_tap: CallbackQuery, turn: Turn) -> None:
    """Nothing happens, and the card says so."""
    turn.say.edit(Letter(turn.words("Nothing is erased. I am glad that you stay.")))


async def warning(turn: Turn) -> Letter:
    """What goes and what stays, and three ways on."""
    words = turn.words
    mine = Tap(words.label("📄 First show me my data"), MyData().pack())
    keep = Tap(words.label("Keep everything"), Keep().pack())
    if await forgetting.is_last_admin(turn.db, turn.member):
        return Letter(
            words(
                "You are the only administrator: without you nobody could name members of the "
                "team. Please make somebody else an administrator first, then write /forget again."
            ),
            ((mine,), (keep,)),
        )
    lines = [
        words("<b>Shall I forget you?</b>"),
        words(
            "<b>Gone at once:</b> your name and profile, your addresses, tickets, introductions, "
            "answers and drafts, what you agreed to, and every letter to you."
        ),
        *await _seats(turn),
        *_of_the_team(turn),
        words(
            "<b>Stays, without your name:</b> how many people came to past events and how many "
            "stars they gave, how many received an announcement, and what the team's log says was "
            "done."
        ),
        words("This can't be taken back."),
    ]
    sure = Tap(words.label("Yes, forget me"), Forget(warned=_minute(turn)).pack())
    return Letter(Html("\n\n".join(lines)), ((mine,), (sure,), (keep,)))


async def _seats(turn: Turn) -> list[Html]:
    number = await forgetting.to_come(turn.db, turn.member, turn.now)
    if not number:
        return []
    return [
        turn.words.plural(
            "You have {n} seat or place in line to come. It goes to somebody else.",
            "You have {n} seats or places in line to come. They go to others.",
            number,
        )
    ]


def _of_the_team(turn: Turn) -> list[Html]:
    if not turn.is_staff:
        return []
    return [turn.words("You leave the team, too: its commands are no longer yours.")]


def _minute(turn: Turn) -> int:
    return int(turn.now.timestamp()) // 60


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds()) // 60


def router() -> Router:
    """Forgetting, wired: also for whoever has not even chosen a language."""
    r = Router(name="forget")
    r.message.register(forget, Command("forget", ignore_mention=True))
    r.callback_query.register(answered, Forget.filter())
    r.callback_query.register(kept, Keep.filter())
    return r
