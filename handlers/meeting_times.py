"""Agreeing on a time: three suggestions in everybody's zone, and a tick for each that suits.

Whoever taps an old button is answered with what is true now, by the same card.
"""

from aiogram import Router
from aiogram.types import CallbackQuery

from handlers.introduced import listed, others, plain_first
from handlers.letters import Letter, Tap
from handlers.meeting_time_cards import (
    AgreeOnTime,
    Another,
    CantMeet,
    Others,
    Suits,
    card,
    instant,
)
from handlers.turns import Turn
from storage import meeting_arrangements, meeting_times
from storage.meeting_times import Outcome


async def open_(_tap: CallbackQuery, callback_data: AgreeOnTime, turn: Turn) -> None:
    """The card, below the letter with the contacts, which stays."""
    seen = await meeting_times.open_(turn.db, turn.member, callback_data.introduction, turn.now)
    if seen is None:
        _closed(turn)
    elif callback_data.here:
        turn.say.edit(card(turn.words, seen))
    else:
        turn.say(card(turn.words, seen))


async def tick(_tap: CallbackQuery, callback_data: Suits, turn: Turn) -> None:
    """A time suits, or does no more. If it suits all, it is agreed."""
    words, id_ = turn.words, callback_data.introduction
    outcome = await meeting_times.toggle(
        turn.db, turn.member, id_, instant(callback_data.at), turn.now
    )
    seen = await meeting_arrangements.arrangement(turn.db, turn.member, id_, turn.now)
    if seen is None:
        _closed(turn)
        return
    if outcome == Outcome.AGREED:
        turn.say.toast(words.label("It's agreed!"))
    elif outcome == Outcome.TICKED:
        names = ", ".join(map(plain_first, others(seen.party, seen.place)))
        turn.say.toast(words.label("Noted. I'll tell {names}.", names=names))
    elif outcome == Outcome.GONE and seen.meets_at is None:
        turn.say.toast(words.label("This time is no longer free."))
    turn.say.edit(card(words, seen))


async def others_please(_tap: CallbackQuery, callback_data: Others, turn: Turn) -> None:
    """Three later ones; those before were of no use."""
    last = instant(callback_data.last)
    await meeting_times.others(turn.db, turn.member, callback_data.introduction, last, turn.now)
    seen = await meeting_arrangements.arrangement(
        turn.db, turn.member, callback_data.introduction, turn.now
    )
    if seen is None:
        _closed(turn)
    else:
        turn.say.edit(card(turn.words, seen))


async def another(_tap: CallbackQuery, callback_data: Another, turn: Turn) -> None:
    """Another time than the agreed one; it concerns somebody else, so it is asked back."""
    words, id_, at = turn.words, callback_data.introduction, callback_data.at
    if callback_data.sure:
        await meeting_times.another(turn.db, turn.member, id_, instant(at), turn.now)
    seen = await meeting_arrangements.arrangement(turn.db, turn.member, id_, turn.now)
    if seen is None:
        _closed(turn)
    elif callback_data.sure or seen.meets_at != instant(at):
        turn.say.edit(card(words, seen))
    else:
        text = words(
            "Shall I call off your meeting with {names} and suggest other times? They will be told.",
            names=listed(words, others(seen.party, seen.place)),
        )
        sure = Another(introduction=id_, at=at, sure=True).pack()
        keep = Tap(words.label("No, keep it"), AgreeOnTime(introduction=id_, here=True).pack())
        turn.say(Letter(text, ((Tap(words.label("Yes, another time"), sure),), (keep,))))


async def cant_meet(_tap: CallbackQuery, callback_data: CantMeet, turn: Turn) -> None:
    """They can't meet at all; asked back, as the others are told."""
    words, id_ = turn.words, callback_data.introduction
    at = instant(callback_data.at) if callback_data.at else None
    done = callback_data.sure and await meeting_times.decline(
        turn.db, turn.member, id_, at, turn.now
    )
    seen = await meeting_arrangements.arrangement(turn.db, turn.member, id_, turn.now)
    if seen is None:
        _closed(turn)
    elif done or seen.absent or seen.meets_at != at:
        turn.say.edit(card(words, seen))
    else:
        text = words(
            "Shall I tell {names} that you can't meet? You may come back to it later.",
            names=listed(words, others(seen.party, seen.place)),
        )
        sure = CantMeet(introduction=id_, at=callback_data.at, sure=True).pack()
        back = Tap(words.label("‹ Back"), AgreeOnTime(introduction=id_, here=True).pack())
        turn.say(Letter(text, ((Tap(words.label("Yes, tell them"), sure),), (back,))))


def _closed(turn: Turn) -> None:
    turn.say.toast(
        turn.words.label("I can't arrange this meeting any more. Please write to each other.")
    )


def router() -> Router:
    """Meeting times, wired."""
    r = Router(name="meeting_times")
    r.callback_query.register(open_, AgreeOnTime.filter())
    r.callback_query.register(tick, Suits.filter())
    r.callback_query.register(others_please, Others.filter())
    r.callback_query.register(another, Another.filter())
    r.callback_query.register(cant_meet, CantMeet.filter())
    return r
