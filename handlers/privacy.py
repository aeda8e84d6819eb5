"""The notice in the chat: `/privacy`, and asking members again when it changed.

They are asked once, after the answer to whatever they say or tap next, and nothing they do waits
for it: what they agreed to stands until they say otherwise.
"""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message

from handlers import notices, topics
from handlers.letters import Letter, Tap
from handlers.settings import Page, homeward
from handlers.turns import Turn
from storage import purposes


class Renew(CallbackData, prefix="renew"):
    """On the card that asks again: `agree`, `read` the notice, or back to the `card`."""

    what: str


async def privacy(_message: Message, turn: Turn) -> None:
    """/privacy, at any time and for anybody."""
    turn.say(_with_ways(turn))


async def show(_tap: CallbackQuery, turn: Turn) -> None:
    """The page in the settings."""
    turn.say.edit(_with_ways(turn))


def _with_ways(turn: Turn) -> Letter:
    words = turn.words
    notice = notices.text(words, turn.terms)
    if not turn.registered:
        return Letter(notice)
    what = Tap(words.label("🔔 What I write to you"), Page(name="letters").pack())
    return Letter(notice, ((what,), homeward(turn)))


# --- asking again -----------------------------------------------------------------------------


def is_new_to(turn: Turn) -> bool:
    """Whether the notice changed since the member was asked, who is asked now and not again."""
    asked = turn.member.notice
    if not turn.registered or asked is None or asked == turn.terms.version:
        return False
    turn.member.notice = turn.terms.version
    return True


async def card(turn: Turn) -> Letter:
    """The question whether all that the member agreed to still stands."""
    words = turn.words
    agreed = await purposes.agreed_to(turn.db, turn.member)
    return Letter(
        words(
            "🔒 <b>Our privacy notice has changed.</b>\n\nYou agreed to: {topics}.\n\n"
            "Is that still right? Until you answer, it stays as it is.",
            topics=topics.listed(words, agreed),
        ),
        (
            (Tap(words.label("Yes, I still agree"), Renew(what="agree").pack()),),
            (Tap(words.label("Read the notice"), Renew(what="read").pack()),),
            (Tap(words.label("Let me choose"), Page(name="letters").pack()),),
        ),
    )


async def renewed(_tap: CallbackQuery, turn: Turn) -> None:
    """All of it stands, by the notice as it is now."""
    version, channel = turn.terms.version, turn.channel
    agreed = await purposes.agreed_to(turn.db, turn.member)
    await purposes.agree(turn.db, turn.member, agreed, turn.now, version=version, channel=channel)
    turn.say.edit(Letter(turn.words("Thank you. /privacy shows the notice at any time.")))


async def read(_tap: CallbackQuery, turn: Turn) -> None:
    """The notice, and back to the question."""
    back = Tap(turn.words.label("‹ Back"), Renew(what="card").pack())
    turn.say.edit(Letter(notices.text(turn.words, turn.terms), ((back,),)))


async def ask_once_more(_tap: CallbackQuery, turn: Turn) -> None:
    """Back from the notice."""
    turn.say.edit(await card(turn))


def router() -> Router:
    """The notice, wired. Before the gates: anybody may read it."""
    r = Router(name="privacy")
    r.message.register(privacy, Command("privacy", ignore_mention=True))
    r.callback_query.register(show, Page.filter(F.name == "privacy"))
    r.callback_query.register(renewed, Renew.filter(F.what == "agree"))
    r.callback_query.register(read, Renew.filter(F.what == "read"))
    r.callback_query.register(ask_once_more, Renew.filter(F.what == "card"))
    return r
