"""News of an event: staff tell those whom it suits, once; each may stop such letters by a tap."""

from collections.abc import Sequence

from aiogram import Router
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import staff_events, stop
from handlers.correspondence import Writing
from handlers.events import BUTTON, Day
from handlers.letters import Letter, Tap
from handlers.staff_events import OneEvent, Tell
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, quote, shortened
from storage import audit, events, new_events
from storage.tables import Event, Purpose


async def tell(_tap: CallbackQuery, callback_data: Tell, turn: Turn) -> None:
    """Ask first, with the number of those who will read it; then do it."""
    words = turn.words
    event = await events.by_id(turn.db, callback_data.event)
    if event is None:
        turn.say.toast(words.label("This event is gone."))
        return
    if not callback_data.surely:
        turn.say.edit(await _question(turn, event))
        return
    told = await new_events.tell(turn.db, event, turn.now)
    if told is None:
        turn.say.toast(words.label("Members have been told of it already, or it has begun."))
    else:
        await audit.record(
            turn.db, turn.member, "event.told", turn.now, about={"event": event.id}, people=told
        )
        turn.say.toast(words.label("It is on its way."))
    turn.say.edit(await staff_events.event_card(turn, event.id))


async def _question(turn: Turn, event: Event) -> Letter:
    words = turn.words
    number = await new_events.count(turn.db, event)
    lines = [
        Html(f"📣 <b>{quote(words.pick(event.title))}</b>"),
        words.plural(
            "{n} member wishes to hear of new events and suits this one: its themes and its city.",
            "{n} members wish to hear of new events and suit this one: its themes and its city.",
            number,
        ),
        words("They are told once, in their language."),
    ]
    back = Tap(words.label("‹ Back"), OneEvent(event=event.id).pack())
    if not number:
        return Letter(Html("\n".join(lines[:2])), ((back,),))
    yes = Tap(words.label("📣 Tell them"), Tell(event=event.id, surely=True).pack())
    return Letter(Html("\n".join(lines)), ((yes,), (back,)))


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The news; None once the event has begun, or is gone."""
    letters: list[Letter | None] = []
    for one in writings:
        event = await events.by_id(db, one.about["event"])
        over = event is None or event.starts <= one.now.date()
        letters.append(None if event is None or over else _news(one.words, event))
    return letters


def _news(words: Words, event: Event) -> Letter:
    days = words.day(event.starts)
    if event.ends != event.starts:
        days = words("{first} to {last}", first=days, last=words.day(event.ends))
    lines = [
        words("<b>A new event that suits you</b>"),
        Html(""),
        Html(f"<b>{quote(words.pick(event.title))}</b>"),
        Html(f"📅 {days}"),
    ]
    if event.city:
        lines.append(Html(f"📍 {quote(words.place(event.city))}"))
    lines += [Html(""), stop.way_out(words)]
    agenda = Day(event=event.id, ordinal=event.starts.toordinal()).pack()
    return Letter(
        Html("\n".join(lines)),
        (
            (Tap(shortened(words.label("Read the agenda"), BUTTON), agenda),),
            (stop.tap(words, Purpose.NEW_EVENTS),),
        ),
    )


def router() -> Router:
    """News of events, wired: for staff alone."""
    r = Router(name="new_events")
    r.callback_query.register(tell, Tell.filter(), of_staff)
    return r
