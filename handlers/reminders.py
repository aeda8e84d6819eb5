"""Reminders: the letter before a session, and its two buttons.

The letter is written at the moment of sending, from what is true then: a seat given up, a session
moved or cancelled since makes it void.
"""

from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery

from handlers.correspondence import Writing
from handlers.letters import Letter, Tap, Template
from handlers.rsvps import Take, given_up, when_and_where
from handlers.turns import Turn
from handlers.words import Html, quote
from storage import events, rsvps
from storage.events import Item
from storage.rsvps import Answer


class Coming(CallbackData, prefix="coming"):
    """I'm coming."""

    session: int


class NotComing(CallbackData, prefix="cant"):
    """I can't come: the seat goes back."""

    session: int


async def write(writing: Writing) -> Letter | None:
    """The reminder, or None when there is nothing left to remind of."""
    words, about = writing.words, writing.about
    item = await events.item(writing.db, about["session"], writing.member)
    if item is None or not item.held or item.session.cancelled_at is not None:
        return None
    if int(item.session.starts_at.timestamp()) != about["starts"]:
        return None
    zone = ZoneInfo(item.event.timezone)
    title = words.pick(item.session.title)
    head = words(
        "⏰ <b>Reminder</b>: {ahead}", ahead=words.ahead(item.session.starts_at - writing.now)
    )
    return Letter(
        _body(head, writing, item),
        (
            (
                Tap(words.label("I'm coming"), Coming(session=item.session.id).pack()),
                Tap(words.label("I can't come"), NotComing(session=item.session.id).pack()),
            ),
        ),
        template=Template("session_reminder", (title, words.clock(item.session.starts_at, zone))),
    )


async def coming(_tap: CallbackQuery, callback_data: Coming, turn: Turn) -> None:
    """The member reassures the organisers; the card still lets them change their mind."""
    words = turn.words
    outcome = await rsvps.reassure(turn.db, turn.member, callback_data.session, turn.now)
    item = await events.item(turn.db, callback_data.session, turn.member)
    if outcome is None or item is None:
        turn.say.toast(words.label("This session is no longer in the programme."))
        return
    if outcome.answer != Answer.CONFIRMED:
        turn.say.toast(given_up(words, outcome))
        return
    turn.say.toast(words.label("Thank you, see you there!"))
    turn.say.edit(
        Letter(
            _body(words("✅ You are coming."), turn, item),
            ((Tap(words.label("I can't come"), NotComing(session=item.session.id).pack()),),),
        )
    )


async def not_coming(_tap: CallbackQuery, callback_data: NotComing, turn: Turn) -> None:
    """The seat goes back at once; a change of mind is one tap away."""
    words = turn.words
    outcome = await rsvps.give_up(turn.db, turn.member, callback_data.session, turn.now)
    item = await events.item(turn.db, callback_data.session, turn.member)
    if outcome is None or item is None:
        turn.say.toast(words.label("This session is no longer in the programme."))
        return
    turn.say.toast(given_up(words, outcome))
    if outcome.answer == Answer.OVER:
        return
    turn.say.edit(
        Letter(
            _body(words("Your seat is given back. Thank you for telling us."), turn, item),
            ((Tap(words.label("I changed my mind"), Take(session=item.session.id).pack()),),),
        )
    )


def _body(head: Html, reader: Writing | Turn, item: Item) -> Html:
    words = reader.words
    title = quote(words.pick(item.session.title))
    lines = [f"<b>{title}</b>", *when_and_where(words, item.session, item.event)]
    return Html(f"{head}\n\n" + "\n".join(lines))


def router() -> Router:
    """The reminder's buttons, wired. Taking the seat again is `handlers.rsvps`'s."""
    r = Router(name="reminders")
    r.callback_query.register(coming, Coming.filter())
    r.callback_query.register(not_coming, NotComing.filter())
    return r
