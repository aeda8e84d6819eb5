"""Reminders: the letter before a session, and its buttons.

The letter is written at the moment of sending, from what is true then: a seat given up, a session
moved or cancelled since makes it void.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.letters import Letter, Tap, Template
from handlers.rsvps import MyTicket, Take, given_up, when_and_where
from handlers.turns import Turn
from handlers.words import Html, Words, quote
from storage import doors, events, rsvps
from storage.reminders import wanted_still
from storage.rsvps import Answer
from storage.tables import Event, Session


class Coming(CallbackData, prefix="coming"):
    """I'm coming."""

    session: int


class NotComing(CallbackData, prefix="cant"):
    """I can't come: the seat goes back."""

    session: int


class Late(CallbackData, prefix="late"):
    """I'm running late: the door is told."""

    session: int


# From how long before a session one can say that one is running late.
ON_THE_WAY = timedelta(hours=2)


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The reminders; None for whoever has nothing left to be reminded of.

    Readers of one language hear of one session in the same words, so those are found once.
    """
    wanted = await wanted_still(
        db, [(w.about["session"], w.member.id, w.about["minutes"]) for w in writings]
    )
    said: dict[tuple[int, str], Letter] = {}
    letters: list[Letter | None] = []
    for one in writings:
        found = wanted.get((one.about["session"], one.member.id, one.about["minutes"]))
        if found is None or int(found[0].starts_at.timestamp()) != one.about["starts"]:
            letters.append(None)
            continue
        version = (found[0].id, one.words.language)
        if version not in said:
            said[version] = _reminder(one, *found)
        letters.append(said[version])
    return letters


def _reminder(reader: Writing, session: Session, event: Event) -> Letter:
    words = reader.words
    ahead = words.ahead(session.starts_at - reader.now)
    start = words.clock(session.starts_at, ZoneInfo(event.timezone))
    return Letter(
        _body(words("⏰ <b>Reminder</b>: {ahead}", ahead=ahead), words, session, event),
        (
            (
                Tap(words.label("I'm coming"), Coming(session=session.id).pack()),
                Tap(words.label("I can't come"), NotComing(session=session.id).pack()),
            ),
            *_late_tap(words, session, reader.now),
        ),
        template=Template("session_reminder", (words.pick(session.title), start)),
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
            _body(words("✅ You are coming."), words, item.session, item.event),
            (
                (Tap(words.label("🎟 My ticket"), MyTicket(session=item.session.id).pack()),),
                (Tap(words.label("I can't come"), NotComing(session=item.session.id).pack()),),
                *_late_tap(words, item.session, turn.now),
            ),
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
            _body(
                words("Your seat is given back. Thank you for telling us."),
                words,
                item.session,
                item.event,
            ),
            ((Tap(words.label("I changed my mind"), Take(session=item.session.id).pack()),),),
        )
    )


async def late(_tap: CallbackQuery, callback_data: Late, turn: Turn) -> None:
    """The door is told, once; the seat waits."""
    words = turn.words
    outcome = await rsvps.run_late(turn.db, turn.member, callback_data.session, turn.now)
    if outcome is None:
        turn.say.toast(words.label("This session is no longer in the programme."))
        return
    if outcome.answer != Answer.CONFIRMED:
        turn.say.toast(given_up(words, outcome))
        return
    session = outcome.session
    await doors.tell_late(turn.db, session.id, turn.member, turn.now)
    turn.say.toast(words.label("Thank you for telling us. Your seat waits for you."))
    turn.say.edit(
        Letter(
            _body(words("🏃 You are running late; the door knows."), words, session, outcome.event),
            ((Tap(words.label("I can't come"), NotComing(session=session.id).pack()),),),
        )
    )


def _late_tap(words: Words, session: Session, now: datetime) -> tuple[tuple[Tap, ...], ...]:
    if session.starts_at - now > ON_THE_WAY:
        return ()
    return ((Tap(words.label("🏃 Running late"), Late(session=session.id).pack()),),)


def _body(head: Html, words: Words, session: Session, event: Event) -> Html:
    title = quote(words.pick(session.title))
    lines = [f"<b>{title}</b>", *when_and_where(words, session, event)]
    return Html(f"{head}\n\n" + "\n".join(lines))


def router() -> Router:
    """The reminder's buttons, wired. Taking the seat again is `handlers.rsvps`'s."""
    r = Router(name="reminders")
    r.callback_query.register(coming, Coming.filter())
    r.callback_query.register(not_coming, NotComing.filter())
    r.callback_query.register(late, Late.filter())
    return r
