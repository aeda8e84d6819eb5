"""RSVPs: a session's card, one tap to take a seat, one to give it back, and `/myagenda`.

A tap on an old card reads the session again and answers with what is true now.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message

from handlers import events as agenda
from handlers import guests
from handlers.events import Card, Day
from handlers.exports import MyCalendar
from handlers.guests import Bring
from handlers.letters import Letter, Tap
from handlers.turns import Turn
from handlers.words import Html, Words, quote, shortened
from storage import events, rsvps
from storage.events import Item
from storage.rsvps import Answer, Outcome
from storage.tables import Event, Rsvp, Seat, Session

# The names on a card; a large panel has more, and a letter has an end.
SPEAKERS = 8


class Take(CallbackData, prefix="take"):
    """A seat, please. `swap`: giving up those that overlap."""

    session: int
    swap: bool = False


class GiveUp(CallbackData, prefix="give"):
    """I give my seat, or my place in line, back."""

    session: int


class Mine(CallbackData, prefix="mine"):
    """My agenda, on the card that was tapped."""

    page: int = 0


class MyTicket(CallbackData, prefix="ticket"):
    """My ticket for this session, or for this event; answered by `handlers.tickets`."""

    session: int = 0
    event: int = 0


async def open_card(_tap: CallbackQuery, callback_data: Card, turn: Turn) -> None:
    """A session's card."""
    turn.say.edit(await card(turn, callback_data.session))


async def take(_tap: CallbackQuery, callback_data: Take, turn: Turn) -> None:
    """One tap to a seat, or to a place in line."""
    outcome = await rsvps.request_seat(
        turn.db, turn.member, callback_data.session, turn.now, swap=callback_data.swap
    )
    if outcome is None:
        turn.say.edit(await card(turn, callback_data.session))
    elif outcome.answer == Answer.OVERLAP:
        turn.say.edit(_overlap_card(turn.words, outcome))
    else:
        turn.say.toast(_told(turn.words, outcome))
        turn.say.edit(await _card(turn, await events.after(turn.db, outcome, turn.member)))


async def give_up(_tap: CallbackQuery, callback_data: GiveUp, turn: Turn) -> None:
    """The seat goes back; the card that remains offers it again."""
    outcome = await rsvps.give_up(turn.db, turn.member, callback_data.session, turn.now)
    if outcome is not None:
        turn.say.toast(given_up(turn.words, outcome))
    turn.say.edit(await card(turn, callback_data.session))


async def bring(_tap: CallbackQuery, callback_data: Bring, turn: Turn) -> None:
    """Guests come, or don't: the card then says what is so."""
    number = max(0, min(callback_data.guests, rsvps.GUESTS))
    outcome = await rsvps.set_guests(turn.db, turn.member, callback_data.session, number, turn.now)
    item = await events.item(turn.db, callback_data.session, turn.member)
    if outcome is not None and item is not None:
        turn.say.toast(guests.told(turn.words, outcome, item))
    turn.say.edit(await card(turn, callback_data.session))


async def my_agenda(_message: Message, turn: Turn) -> None:
    """/myagenda."""
    turn.say(await my_letter(turn))


async def show_mine(_tap: CallbackQuery, callback_data: Mine, turn: Turn) -> None:
    """The same, by tap."""
    turn.say.edit(await my_letter(turn, callback_data.page))


async def behind(turn: Turn, door: str) -> Letter:
    """What a deep link leads to: an event by its short name, a session by its card, or all."""
    if door.startswith("s_") and door[2:].isdecimal() and len(door) < 12:  # noqa: PLR2004  # an int
        return await card(turn, int(door[2:]))
    if door and (event := await events.by_slug(turn.db, door)) is not None:
        return await agenda.event_letter(turn, event)
    letter = await agenda.agenda_letter(turn)
    if door:
        return letter.with_first_line(
            turn.words("I don't know what this link leads to. Here is the agenda.")
        )
    return letter


async def card(turn: Turn, session_id: int) -> Letter:
    """A session's card: when, where, how many seats, and what the member can do about it."""
    return await _card(turn, await events.item(turn.db, session_id, turn.member))


async def _card(turn: Turn, item: Item | None) -> Letter:
    words = turn.words
    if item is None:
        return (await agenda.agenda_letter(turn)).with_first_line(
            words("This session is no longer in the programme.")
        )
    themes = await events.themes_of(turn.db, item.session)
    lines = [
        f"<b>{quote(words.pick(item.session.title))}</b>",
        *when_and_where(words, item.session, item.event),
    ]
    if item.session.speakers:
        lines.append(speakers_line(words, item.session.speakers))
    if themes:
        lines.append(
            words("Themes: {themes}", themes=words.series([words.pick(name) for name in themes]))
        )
    if seats := agenda.seats_line(words, item):
        lines.append(words("Seats: {seats}", seats=seats))
    status = "\n".join(filter(None, (await _status(turn, item), guests.line(words, item.mine))))
    return Letter(
        Html("\n".join(lines) + (f"\n\n{status}" if status else "")), _card_taps(turn, item)
    )


def when_and_where(words: Words, session: Session, event: Event) -> list[Html]:
    """The day, the time in the event's zone, the room: the lines that every card shares."""
    zone = ZoneInfo(event.timezone)
    day = words.day(session.starts_at.astimezone(zone).date())
    span = words.span(session.starts_at, session.ends_at, zone)
    lines = [Html(f"📅 {day}"), Html(f"🕘 {span} ({agenda.zone_name(words, event)})")]
    where = agenda.place(words, Item(session, event, None, 0, None))
    return [*lines, Html(f"📍 {where}")] if where else lines


def speakers_line(words: Words, speakers: Sequence[str]) -> Html:
    """Who speaks; of a crowd the first, and how many more."""
    shown, more = words.series(speakers[:SPEAKERS]), len(speakers) - SPEAKERS
    if more > 0:
        return words.plural(
            "🗣 {speakers} and {n} more", "🗣 {speakers} and {n} more", more, speakers=shown
        )
    return Html(f"🗣 {shown}")


def given_up(words: Words, outcome: Outcome) -> str:
    """What a toast says after giving up."""
    if outcome.answer == Answer.CONFIRMED:
        return words.label("Done: your seat is free for somebody else.")
    if outcome.answer == Answer.OVER:
        return words.label("This session is over.")
    return words.label("You have no seat here.")


def _told(words: Words, outcome: Outcome) -> str:
    if outcome.answer == Answer.CONFIRMED:
        if outcome.overlapping:
            return words.label("Swapped: the new seat is yours, the other one is given back.")
        if outcome.standing is not None and outcome.standing.reminded:
            return words.label("Your seat is taken. I will remind you before it begins.")
        return words.label("Your seat is taken.")
    if outcome.event_full:
        return words.label("The whole event is full: you are on the waitlist.")
    return {
        Answer.WAITLISTED: words.label("The session is full: you are on the waitlist."),
        Answer.ALREADY: words.label("You are already on the list."),
        Answer.OVER: words.label("This session is over."),
        Answer.CANCELLED: words.label("This session is cancelled."),
    }.get(outcome.answer, "")


async def _status(turn: Turn, item: Item) -> Html:
    words = turn.words
    if item.session.cancelled_at is not None:
        return words("❌ This session is cancelled.")
    if item.session.ends_at <= turn.now:
        return words("This session is over.")
    if item.held:
        return words("✅ You have a seat.")
    if (until := _offer_stands(turn, item)) is not None:
        return words(
            "✨ A seat is offered to you until {time}.",
            time=words.time(until, ZoneInfo(item.event.timezone)),
        )
    if item.mine is not None and item.mine.state == Seat.WAITLISTED:
        place = await events.place_in_line(turn.db, item.mine)
        return words("⏳ You are number {place} on the waitlist.", place=place)
    return Html("")


def _offer_stands(turn: Turn, item: Item) -> datetime | None:
    until = item.offered_until
    return until if until is not None and until > turn.now else None


def _card_taps(turn: Turn, item: Item) -> tuple[tuple[Tap, ...], ...]:
    words, session = turn.words, item.session
    zone = ZoneInfo(item.event.timezone)
    rows: list[tuple[Tap, ...]] = []
    open_ = session.cancelled_at is None and session.ends_at > turn.now
    if open_ and item.held:
        rows.append((Tap(words.label("🎟 My ticket"), MyTicket(session=session.id).pack()),))
        rows.append(guests.taps(words, item))
        rows.append((Tap(words.label("Give up my seat"), GiveUp(session=session.id).pack()),))
    elif open_ and _offer_stands(turn, item) is not None:
        rows.append((Tap(words.label("Take a seat"), Take(session=session.id).pack()),))
        rows.append((Tap(words.label("No, thank you"), GiveUp(session=session.id).pack()),))
    elif open_ and item.waiting:
        rows.append(guests.taps(words, item))
        rows.append((Tap(words.label("Leave the waitlist"), GiveUp(session=session.id).pack()),))
    elif open_:
        full = item.free == 0
        label = words.label("Join the waitlist") if full else words.label("Take a seat")
        rows.append((Tap(label, Take(session=session.id).pack()),))
    day = Day(event=item.event.id, ordinal=session.starts_at.astimezone(zone).date().toordinal())
    below = [Tap(words.label("‹ Agenda"), day.pack())]
    if turn.registered:
        below.append(Tap(words.label("My agenda"), Mine().pack()))
    if open_:
        below += turn.links.share(words, f"s_{session.id}", words.pick(session.title))
    return (*filter(None, rows), tuple(below))


def _overlap_card(words: Words, outcome: Outcome) -> Letter:
    zone = ZoneInfo(outcome.event.timezone)
    wished = outcome.session
    lines = [
        words(
            "<b>{title}</b>\nis at the same time as a seat you already have:",
            title=words.pick(wished.title),
        )
    ]
    lines += [
        Html(
            f"• {words.span(other.starts_at, other.ends_at, zone)} {quote(words.pick(other.title))}"
        )
        for other in outcome.overlapping
    ]
    return Letter(
        Html("\n".join(lines)),
        (
            (
                Tap(
                    words.label("Swap: take the new one"), Take(session=wished.id, swap=True).pack()
                ),
            ),
            (Tap(words.label("Keep what I have"), Card(session=wished.id).pack()),),
        ),
    )


async def my_letter(turn: Turn, page: int = 0) -> Letter:
    """The member's seats and places in line, day by day, each with a tap to give it up."""
    words = turn.words
    mine = await rsvps.seats_of(turn.db, turn.member, turn.now)
    if not mine:
        coming = await agenda.agenda_letter(turn)
        return coming.with_first_line(
            words("You have no seat yet. Choose a session below, then tap “Take a seat”.")
        )
    blocks: list[str] = [words("<b>My agenda</b>")]
    taps: list[tuple[Tap, ...]] = []
    shown, turning = agenda.paged(words, mine, page, lambda number: Mine(page=number))
    day = None
    for rsvp, session, event in shown:
        zone = ZoneInfo(event.timezone)
        title = words.pick(session.title)
        local = session.starts_at.astimezone(zone).date()
        if local != day:
            day = local
            blocks.append(f"\n<b>{words.day(day)}</b>")
        line = f"{words.span(session.starts_at, session.ends_at, zone)} · {quote(title)}"
        where = agenda.place(words, Item(session, event, None, 0, None))
        if where:
            line += f" · {where}"
        if rsvp.guests:
            line += f" · 👥 +{rsvp.guests}"
        if rsvp.state == Seat.OFFERED and rsvp.offered_until is not None:
            until = words.time(rsvp.offered_until, zone)
            line += "\n" + words("✨ offered to you until {time}", time=until)
        if rsvp.state == Seat.WAITLISTED:
            place = await events.place_in_line(turn.db, rsvp)
            line += "\n" + words("⏳ number {place} on the waitlist", place=place)
        blocks.append(line)
        at = words.clock(session.starts_at, zone)
        taps.append(
            (
                Tap(shortened(f"{at} {title}", 28), Card(session=session.id).pack()),
                Tap(words.label("✕ Give up"), GiveUp(session=session.id).pack()),
            )
        )
    calendar = (Tap(words.label("📅 Calendar file (.ics)"), MyCalendar().pack()),)
    return Letter(Html("\n".join(blocks)), (*taps, *turning, *_tickets(words, mine), calendar))


def _tickets(
    words: Words, mine: Sequence[tuple[Rsvp, Session, Event]]
) -> Iterator[tuple[Tap, ...]]:
    """A tap for the ticket of each event in which the member has a seat."""
    held = {event.id: event for rsvp, _, event in mine if rsvp.state in rsvps.SEATED}
    for event in list(held.values())[: agenda.PAGE]:
        label = words.label("🎟 My ticket")
        if len(held) > 1:
            label = shortened(f"🎟 {words.pick(event.title)}", agenda.BUTTON)
        yield (Tap(label, MyTicket(event=event.id).pack()),)


def router() -> Router:
    """Seats, wired."""
    r = Router(name="rsvps")
    r.message.register(my_agenda, Command("myagenda", ignore_mention=True))
    r.callback_query.register(open_card, Card.filter())
    r.callback_query.register(take, Take.filter())
    r.callback_query.register(give_up, GiveUp.filter())
    r.callback_query.register(bring, Bring.filter())
    r.callback_query.register(show_mine, Mine.filter())
    return r
