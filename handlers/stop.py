"""The way out: `/stop`, the words that people write for it, a button - and the way back.

It works for everybody, at once and in the middle of any question, which then still waits for its
answer. What was queued before is not sent: delivery asks for the agreement when it sends.
"""

from collections.abc import Iterable
from functools import cache

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from handlers import registration, topics
from handlers.letters import Letter, Tap
from handlers.settings import Page, asked_to_register, homeward
from handlers.turns import Turn
from handlers.words import Html, Words
from storage import members, purposes
from storage.folding import folded
from storage.tables import Purpose

# Everything that is sent of our own accord; reminders of seats are a choice of their own.
ALTOGETHER = "all"
# What people write, whatever their case, accents and punctuation. A whole message, never a part of
# one: who writes "the stop at the corner" means something else.
_WRITTEN = (
    *("stop", "stop all", "stop it", "stop messages", "please stop", "unsubscribe"),
    *("unsubscribe me", "opt out", "stop pub", "stoppub", "stop sms", "stop svp"),
    *("arrêt", "arrête", "arrêtez", "arrêter", "désabonner", "me désabonner", "désabonnez-moi"),
    *("désabonnement", "désinscrire", "me désinscrire", "désinscription"),
    *("توقف", "توقفوا", "قف", "وقف", "أوقف", "أوقفوا", "إيقاف", "إيقاف الرسائل", "أوقفوا الرسائل"),
    *("إلغاء الاشتراك", "الغاء اشتراكي", "إلغاء اشتراكي", "ألغوا اشتراكي", "إلغاء الإشتراك"),
)


class Stop(CallbackData, prefix="stop"):
    """Send me no more of this: a purpose, or ALTOGETHER."""

    topic: str


class Switch(CallbackData, prefix="switch"):
    """This topic on or off."""

    topic: str
    on: bool


class Again(CallbackData, prefix="again"):
    """Send me these again: purposes, with dots between them."""

    topics: str


def way_out(words: Words) -> Html:
    """The last line of announcements, new events, introductions and digests."""
    return words("<i>To stop receiving these: /stop</i>")


def tap(words: Words, purpose: Purpose) -> Tap:
    """The button that stops letters of this purpose at once."""
    return Tap(words.label("🔕 Stop these messages"), Stop(topic=purpose.value).pack())


def asks_to_stop(message: Message) -> bool:
    """Whether these are the very words of somebody who wants out."""
    text = message.text or ""
    return message.forward_origin is None and folded(text[:80]) in _ways_out()


@cache
def _ways_out() -> frozenset[str]:
    return frozenset(map(folded, _WRITTEN))


async def said(_message: Message, turn: Turn, state: FSMContext) -> None:
    """/stop, or its words: everything ends but the reminders of one's seats."""
    if not turn.registered:
        turn.say(await _nothing_to_stop(turn, state))
        return
    turn.say(await _end(turn, topics.LETTERS))


async def tapped(_tap: CallbackQuery, callback_data: Stop, turn: Turn, state: FSMContext) -> None:
    """The button under a letter, which stays as it is: the answer comes below it."""
    if not turn.registered:
        turn.say(await _nothing_to_stop(turn, state))
        return
    ended = [one for one in topics.SWITCHES if one == callback_data.topic]
    if callback_data.topic == ALTOGETHER:
        ended = list(topics.LETTERS)
    turn.say(await _end(turn, ended))


async def show(_tap: CallbackQuery, turn: Turn, state: FSMContext) -> None:
    """The page in the settings."""
    if not await asked_to_register(turn, state):
        turn.say.edit(await page(turn))


async def switched(
    _tap: CallbackQuery, callback_data: Switch, turn: Turn, state: FSMContext
) -> None:
    """One topic on or off: the card shows it at once."""
    if await asked_to_register(turn, state):
        return
    chosen = [one for one in topics.SWITCHES if one == callback_data.topic]
    if callback_data.on:
        await begin(turn, chosen)
    else:
        await _withdraw(turn, chosen)
    turn.say.edit(await page(turn))


async def again(_tap: CallbackQuery, callback_data: Again, turn: Turn, state: FSMContext) -> None:
    """What was stopped comes again: that which the card named, no more."""
    if await asked_to_register(turn, state):
        return
    named = callback_data.topics.split(".")
    chosen = [one for one in topics.SWITCHES if one in named]
    if not chosen:
        turn.say.edit(await page(turn))
        return
    await begin(turn, chosen)
    turn.say.edit(
        Letter(
            turn.words(
                "With pleasure. You receive again: {topics}. /stop ends it at any time.",
                topics=topics.listed(turn.words, chosen),
            )
        )
    )


async def begin(turn: Turn, chosen: Iterable[Purpose]) -> None:
    """The member agrees to these. Whoever wants reminders and has no lead gets the usual ones."""
    wanted = list(chosen)
    await purposes.agree(
        turn.db, turn.member, wanted, turn.now, version=turn.terms.version, channel=turn.channel
    )
    if Purpose.REMINDERS in wanted and not await members.leads_of(turn.db, turn.member):
        await members.set_leads(turn.db, turn.member, members.FIRST_LEADS)


async def offer_again(turn: Turn) -> Letter | None:
    """For /start: what was stopped, and one tap that brings it back. Nothing comes by itself."""
    words = turn.words
    stopped = await purposes.withdrawn(turn.db, turn.member)
    named = [one for one in topics.SWITCHES if one in stopped and one != Purpose.DIRECTORY]
    if not named:
        return None
    listed = topics.listed(words, named)
    return Letter(
        words("You had stopped these: {topics}. Shall I send them again?", topics=listed),
        (
            (Tap(words.label("Yes, send them again"), Again(topics=".".join(named)).pack()),),
            (Tap(words.label("Let me choose"), Page(name="letters").pack()),),
        ),
    )


async def page(turn: Turn) -> Letter:
    """What the member agrees to, a switch for each."""
    words = turn.words
    agreed = await purposes.agreed_to(turn.db, turn.member)
    rows = [
        (
            Tap(
                topics.switch(words, one, on=one in agreed),
                Switch(topic=one.value, on=one not in agreed).pack(),
            ),
        )
        for one in topics.SWITCHES
    ]
    if agreed & set(topics.LETTERS):
        all_but = words.label("🔕 Stop all but the reminders")
        rows.append((Tap(all_but, Stop(topic=ALTOGETHER).pack()),))
    return Letter(
        words(
            "<b>What I write to you</b>\n\n"
            "✅ comes, ▫️ does not. A tap changes it, and counts at once."
        ),
        (*rows, homeward(turn)),
    )


async def _end(turn: Turn, ended: Iterable[Purpose]) -> Letter:
    """Withdraw these, and tell what ended and what still comes."""
    words = turn.words
    gone = await _withdraw(turn, ended)
    lines = [
        words("🔕 <b>Stopped:</b> {topics}", topics=topics.listed(words, gone))
        if gone
        else words("🔕 There is nothing left to stop.")
    ]
    if Purpose.REMINDERS in await purposes.agreed_to(turn.db, turn.member):
        lines.append(words("Reminders of the seats you hold still come, until you end them too."))
    if gone:
        lines.append(words("If you change your mind: /start."))
    return (await page(turn)).with_first_line("\n".join(lines))


async def _withdraw(turn: Turn, ended: Iterable[Purpose]) -> list[Purpose]:
    return await purposes.withdraw(
        turn.db, turn.member, ended, turn.now, version=turn.terms.version, channel=turn.channel
    )


async def _nothing_to_stop(turn: Turn, state: FSMContext) -> Letter:
    told = turn.words(
        "🔕 Very well. I write to you only in answer to what you write: there is nothing to stop."
    )
    if await registration.in_progress(state):
        return registration.paused(turn).with_first_line(told)
    return Letter(told)


def router() -> Router:
    """The way out, wired before everything: also before a language is chosen."""
    r = Router(name="stop")
    r.message.register(said, Command("stop", ignore_mention=True, ignore_case=True))
    r.message.register(said, asks_to_stop)
    r.callback_query.register(tapped, Stop.filter())
    r.callback_query.register(switched, Switch.filter())
    r.callback_query.register(again, Again.filter())
    r.callback_query.register(show, Page.filter(F.name == "letters"))
    return r
