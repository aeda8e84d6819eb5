"""Events: `/agenda`, day by day, in the reader's language, with times in the event's zone."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message

from handlers.letters import Letter, Tap
from handlers.turns import Turn
from handlers.words import Html, Words, quote, shortened
from storage import events
from storage.events import Item
from storage.tables import Event

T = TypeVar("T")

# Sessions, events or seats on one card: never a keyboard of more than a screen.
PAGE = 7
# A phone shows about this much of a button.
BUTTON = 44
# What a list tells of a title and of a room: a page stays one message, whatever they are.
HEAD, TITLE, ROOM = 240, 160, 60


class Events(CallbackData, prefix="events"):
    """A page of the events that are to come."""

    page: int


class Day(CallbackData, prefix="day"):
    """One day of an event's agenda; `ordinal` is Python's day number."""

    event: int
    ordinal: int
    page: int = 0


class Now(CallbackData, prefix="now"):
    """What is on now, and what comes next; answered by `handlers.search`."""

    page: int = 0


class Themes(CallbackData, prefix="themes"):
    """The themes of what is to come; answered by `handlers.search`."""

    page: int = 0


class Card(CallbackData, prefix="card"):
    """A session's card; answered by `handlers.rsvps`, for the card carries the seat."""

    session: int


async def agenda(_message: Message, turn: Turn) -> None:
    """/agenda."""
    turn.say(await agenda_letter(turn))


async def open_list(_tap: CallbackQuery, callback_data: Events, turn: Turn) -> None:
    """Turn to another page of the events."""
    turn.say.edit(await agenda_letter(turn, callback_data.page))


async def agenda_letter(turn: Turn, page: int = 0) -> Letter:
    """The only event's nearest day, or the events to choose from."""
    words = turn.words
    coming = await events.upcoming(turn.db, turn.now)
    if not coming:
        return Letter(
            words(
                "No event is planned at the moment. "
                "As soon as the organisers publish one, you will find it here."
            )
        )
    if len(coming) == 1:
        return await event_letter(turn, coming[0])
    shown, turning = paged(words, coming, page, lambda number: Events(page=number))
    lines = [words("<b>Events</b>")]
    taps: list[tuple[Tap, ...]] = []
    for event in shown:
        title, city = words.pick(event.title), words.place(event.city or "")
        lines.append(
            words(
                "<b>{title}</b>\n{day} · {city}",
                title=title,
                day=words.day(event.starts),
                city=city,
            )
        )
        first = Day(event=event.id, ordinal=event.starts.toordinal())
        taps.append((Tap(shortened(title, BUTTON), first.pack()),))
    return Letter(Html("\n\n".join(lines)), (*taps, *turning))


async def event_letter(turn: Turn, event: Event) -> Letter:
    """The day of an event that is nearest: today, else the next one, else the last."""
    days = await events.days_of(turn.db, event)
    if not days:
        return Letter(
            turn.words(
                "<b>{title}</b>\n\nIts agenda is not published yet.",
                title=turn.words.pick(event.title),
            )
        )
    today = turn.now.astimezone(ZoneInfo(event.timezone)).date()
    nearest = next((day for day in days if day >= today), days[-1])
    return await day_letter(turn, event, days, nearest, 0)


async def open_day(_tap: CallbackQuery, callback_data: Day, turn: Turn) -> None:
    """Turn to another day or page."""
    event = await events.by_id(turn.db, callback_data.event)
    if event is None:
        turn.say.edit(await agenda_letter(turn))
        return
    days = await events.days_of(turn.db, event)
    wanted = date.fromordinal(max(1, min(callback_data.ordinal, date.max.toordinal())))
    if wanted not in days:
        turn.say.edit(await event_letter(turn, event))
        return
    turn.say.edit(await day_letter(turn, event, days, wanted, callback_data.page))


async def day_letter(
    turn: Turn, event: Event, days: Sequence[date], day: date, page: int
) -> Letter:
    """One day: a line or two for each session, a button for each card, the other days below."""
    words = turn.words
    items = await events.items_of_day(turn.db, event, day, turn.member)
    shown, turning = paged(
        words,
        items,
        page,
        lambda number: Day(event=event.id, ordinal=day.toordinal(), page=number),
    )
    head = f"<b>{quote(shortened(words.pick(event.title), HEAD))}</b>"
    if event.subtitle:
        head += f"\n<i>{quote(shortened(words.pick(event.subtitle), HEAD))}</i>"
    when = f"<b>{words.day(day)}</b> · {zone_name(words, event)}"
    blocks = [f"{head}\n\n{when}", *(lines(words, item) for item in shown)]
    taps: list[tuple[Tap, ...]] = [(card_tap(words, item),) for item in shown]
    taps.extend(turning)
    taps.extend(_other_days(words, event, days, day))
    # Who turns pages may rather look for something.
    below = browsing(words) if turning else ()
    below += turn.links.share(words, event.slug, words.pick(event.title))
    if below:
        taps.append(below)
    return Letter(Html("\n\n".join(blocks)), tuple(taps))


def zone_name(words: Words, event: Event) -> Html:
    """Whose time of day it is: the event's city's, or its zone's."""
    return words("{city} time", city=words.place(event.city or event.timezone.rpartition("/")[2]))


def seats_line(words: Words, item: Item) -> Html:
    """How many seats are free, or how long the line is; nothing where seats aren't counted."""
    if item.free is None:
        return Html("")
    if item.free > 0:
        return words.plural("{n} seat free", "{n} seats free", item.free)
    if item.in_line:
        return words.plural(
            "full, {n} person on the waitlist", "full, {n} people on the waitlist", item.in_line
        )
    return words("full")


def card_tap(words: Words, item: Item) -> Tap:
    """The button of a list that opens a session's card."""
    mark = "✅ " if item.held else "✨ " if item.offered_until else "⏳ " if item.waiting else ""
    at = words.clock(item.session.starts_at, ZoneInfo(item.event.timezone))
    label = shortened(f"{mark}{at} {words.pick(item.session.title)}", BUTTON)
    return Tap(label, Card(session=item.session.id).pack())


def browsing(words: Words) -> tuple[Tap, ...]:
    """The other ways through a large programme."""
    return (
        Tap(words.label("Now and next"), Now().pack()),
        Tap(words.label("By theme"), Themes().pack()),
    )


def lines(words: Words, item: Item) -> str:
    """What a list tells of a session: when, what, where, how many seats, and the reader's own."""
    session, zone = item.session, ZoneInfo(item.event.timezone)
    title = quote(shortened(words.pick(session.title), TITLE))
    where = shortened(words.pick(session.room), ROOM)
    details = [words("online") if session.online else where and quote(where)]
    details.append(seats_line(words, item))
    if item.held:
        details.append(words("✅ your seat"))
    elif item.offered_until is not None:
        details.append(words("✨ offered to you"))
    elif item.waiting:
        details.append(words("⏳ on the waitlist"))
    told = [f"{words.span(session.starts_at, session.ends_at, zone)} · <b>{title}</b>"]
    if any(details):
        told.append(" · ".join(detail for detail in details if detail))
    return "\n".join(told)


def dated_lines(words: Words, item: Item) -> str:
    """The same after its day, where a list goes over several."""
    local = item.session.starts_at.astimezone(ZoneInfo(item.event.timezone)).date()
    return f"{words.short_day(local)} · {lines(words, item)}"


def place(words: Words, item: Item) -> Html:
    """The room, or that it is online."""
    if item.session.online:
        return words("online")
    return quote(words.pick(item.session.room)) if item.session.room else Html("")


def paged(
    words: Words, items: Sequence[T], page: int, to: Callable[[int], CallbackData]
) -> tuple[Sequence[T], list[tuple[Tap, ...]]]:
    """One page of a long list, and the row of taps that turns to its neighbours, if any."""
    last = max(0, (len(items) - 1) // PAGE)
    page = max(0, min(page, last))
    row = []
    if page > 0:
        row.append(Tap(words.label("‹ Earlier"), to(page - 1).pack()))
    if page < last:
        row.append(Tap(words.label("Later ›"), to(page + 1).pack()))
    return items[page * PAGE : (page + 1) * PAGE], [tuple(row)] if row else []


def _other_days(
    words: Words, event: Event, days: Sequence[date], day: date
) -> list[tuple[Tap, ...]]:
    # The nearest ones, in one row: a programme of months is walked through.
    at = list(days).index(day)
    near = [d for d in days[max(0, at - 1) : at + 3] if d != day]
    taps = tuple(
        Tap(words.short_day(d), Day(event=event.id, ordinal=d.toordinal()).pack()) for d in near
    )
    return [taps] if taps else []


def router() -> Router:
    """The agenda, wired."""
    r = Router(name="events")
    r.message.register(agenda, Command("agenda", ignore_mention=True))
    r.callback_query.register(open_list, Events.filter())
    r.callback_query.register(open_day, Day.filter())
    return r
