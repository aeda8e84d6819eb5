"""Staff's events: `/events`, each event and session with its facts, and a tap for what can be done.

Only staff reach any of this: to everybody else the command is unknown and the taps are old ones.
"""

from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message

from handlers import exports
from handlers.events import BUTTON, paged
from handlers.letters import Letter, Tap
from handlers.rsvps import when_and_where
from handlers.tickets import DoorCard, RatingsCard, of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, quote, shortened
from storage import events, overviews, waitlist
from storage.networking import SESSION_KIND
from storage.overviews import Counts
from storage.tables import Event, Session

# The names of a line that a card shows.
_NAMED = 20


class AllEvents(CallbackData, prefix="evall"):
    """A page of all events."""

    page: int = 0


class OneEvent(CallbackData, prefix="ev"):
    """An event's card."""

    event: int


class OneDay(CallbackData, prefix="evday"):
    """The sessions of a day; ordinal 0 is the first."""

    event: int
    ordinal: int = 0
    page: int = 0


class OneSession(CallbackData, prefix="evses"):
    """A session's card for staff."""

    session: int


class Act(CallbackData, prefix="act"):
    """Do this at once; answered by `handlers.staff_acts`. Verbs: cancel, restore or delete a session,
    guests or promotes of an event.
    """

    verb: str
    id: int


class Choices(CallbackData, prefix="evset"):
    """What staff choose for an event; answered by `handlers.staff_choices`."""

    event: int


class Hold(CallbackData, prefix="nethold"):
    """Hold a networking session; answered by `handlers.networking`. Verbs: show, start, pause,
    resume, lengthen, end (asks), ended; more or less rounds, longer or shorter ones.
    """

    session: int
    verb: str = "show"


class Tell(CallbackData, prefix="evtell"):
    """Tell those whom this event suits; answered by `handlers.new_events`, which asks first."""

    event: int
    surely: bool = False


class Fill(CallbackData, prefix="fill"):
    """Ask what is needed for this; answered by `handlers.staff_forms`."""

    form: str
    id: int = 0


# --- the way in -----------------------------------------------------------------------------


async def all_events(_message: Message, turn: Turn) -> None:
    """/events."""
    turn.say(await list_letter(turn))


async def turn_page(_tap: CallbackQuery, callback_data: AllEvents, turn: Turn) -> None:
    """The same, by tap."""
    turn.say.edit(await list_letter(turn, callback_data.page))


async def list_letter(turn: Turn, page: int = 0) -> Letter:
    """All events, the latest first, and the tap for a new one."""
    words = turn.words
    found = await overviews.all_events(turn.db)
    shown, turning = paged(words, found, page, lambda number: AllEvents(page=number))
    lines = [words("<b>Events of the team</b>")]
    lines += [
        words(
            "<b>{title}</b>\n{day} · {city}",
            title=words.pick(event.title),
            day=words.day(event.starts),
            city=words.place(event.city or ""),
        )
        for event in shown
    ]
    lines.append(
        words("Choose an event, make a new one, or send me an agenda file.")
        if found
        else words("There is no event yet. Make one, or send me an agenda file.")
    )
    taps = [
        (Tap(shortened(words.pick(event.title), BUTTON), OneEvent(event=event.id).pack()),)
        for event in shown
    ]
    new = Tap(words.label("＋ New event"), Fill(form="event").pack())
    return Letter(Html("\n\n".join(lines)), (*taps, *turning, (new,)))


# --- cards ----------------------------------------------------------------------------------


async def open_event(_tap: CallbackQuery, callback_data: OneEvent, turn: Turn) -> None:
    """An event's card."""
    turn.say.edit(await event_card(turn, callback_data.event))


async def event_card(turn: Turn, event_id: int) -> Letter:
    """The facts of an event, and what can be done about it."""
    words = turn.words
    event = await events.by_id(turn.db, event_id)
    if event is None:
        return (await list_letter(turn)).with_first_line(words("This event is gone."))
    sessions, counts = await overviews.of_event(turn.db, event)
    days = words.day(event.starts)
    if event.ends != event.starts:
        days = words("{first} to {last}", first=days, last=words.day(event.ends))
    lines = [
        f"<b>{quote(words.pick(event.title))}</b>",
        f"📅 {days}",
        f"📍 {quote(words.place(event.city or '') or '—')} ({quote(event.timezone)})",
        words.plural("{n} session", "{n} sessions", sessions),
        _seats(words, counts, None),
        words("Link: {link}", link=f"?start={event.slug}"),
    ]
    here = event.id
    return Letter(
        Html("\n".join(lines)),
        (
            (
                Tap(words.label("Sessions"), OneDay(event=here).pack()),
                Tap(words.label("＋ New session"), Fill(form="session", id=here).pack()),
            ),
            (
                Tap(words.label("✎ Title"), Fill(form="etitle", id=here).pack()),
                Tap(words.label("✎ Place"), Fill(form="place", id=here).pack()),
                Tap(words.label("✎ Dates"), Fill(form="dates", id=here).pack()),
            ),
            (
                Tap(words.label("Seats and reminders"), Choices(event=here).pack()),
                Tap(words.label("🚪 Door"), DoorCard(event=here).pack()),
            ),
            *(
                [(Tap(words.label("📣 Tell members of it"), Tell(event=here).pack()),)]
                if event.told_at is None and event.starts > turn.now.date()
                else []
            ),
            *exports.taps(words, event),
            (
                Tap(words.label("Repeat on new dates"), Fill(form="repeat", id=here).pack()),
                Tap(words.label("‹ Events"), AllEvents().pack()),
            ),
        ),
    )


async def open_day(_tap: CallbackQuery, callback_data: OneDay, turn: Turn) -> None:
    """One day's sessions."""
    turn.say.edit(await day_letter(turn, callback_data))


async def day_letter(turn: Turn, wish: OneDay) -> Letter:
    """The sessions of one day, cancelled ones too, and the days around it."""
    words = turn.words
    event = await events.by_id(turn.db, wish.event)
    if event is None:
        return (await list_letter(turn)).with_first_line(words("This event is gone."))
    up = (Tap(words.label("‹ Event"), OneEvent(event=event.id).pack()),)
    days = await overviews.days_of(turn.db, event)
    if not days:
        new = Tap(words.label("＋ New session"), Fill(form="session", id=event.id).pack())
        return Letter(words("This event has no session yet."), ((new,), up))
    ordinals = [day.toordinal() for day in days]
    at = ordinals.index(wish.ordinal) if wish.ordinal in ordinals else 0
    sessions = await overviews.sessions_of_day(turn.db, event, days[at])
    shown, turning = paged(
        words,
        sessions,
        wish.page,
        lambda number: OneDay(event=event.id, ordinal=ordinals[at], page=number),
    )
    zone = ZoneInfo(event.timezone)
    lines = [f"<b>{quote(words.pick(event.title))}</b>\n{words.day(days[at])}"]
    taps: list[tuple[Tap, ...]] = []
    for session, counts in shown:
        mark = "❌ " if session.cancelled_at else ""
        title = words.pick(session.title)
        span = words.span(session.starts_at, session.ends_at, zone)
        seats = _seats(words, counts, _capacity(session, event))
        lines.append(f"{mark}{span} · <b>{quote(title)}</b>\n{seats}")
        label = f"{mark}{words.clock(session.starts_at, zone)} {title}"
        taps.append((Tap(shortened(label, BUTTON), OneSession(session=session.id).pack()),))
    near = [d for d in range(max(0, at - 2), min(len(days), at + 3)) if d != at]
    around = [
        Tap(words.short_day(days[d]), OneDay(event=event.id, ordinal=ordinals[d]).pack())
        for d in near
    ]
    rows = [tuple(around[i : i + 2]) for i in range(0, len(around), 2)]
    return Letter(Html("\n\n".join(lines)), (*taps, *turning, *rows, up))


async def open_session(_tap: CallbackQuery, callback_data: OneSession, turn: Turn) -> None:
    """A session's card for staff."""
    turn.say.edit(await session_card(turn, callback_data.session))


async def session_card(turn: Turn, session_id: int) -> Letter:
    """The facts of a session, its line by name, and what can be done about it."""
    words = turn.words
    found = await overviews.of_session(turn.db, session_id)
    if found is None:
        gone = words("This session is no longer in the programme.")
        return (await list_letter(turn)).with_first_line(gone)
    session, event, counts = found
    lines = [
        f"<b>{quote(words.pick(session.title))}</b>",
        *when_and_where(words, session, event),
        _seats(words, counts, _capacity(session, event)),
    ]
    capacity = _capacity(session, event)
    if capacity is not None and (over := counts.seated + counts.offered - capacity) > 0:
        lines.append(words("⚠️ {n} more than there are seats: nobody is sent away.", n=over))
    if session.cancelled_at is not None:
        lines.append(words("❌ This session is cancelled."))
    if counts.waiting:
        line = await waitlist.line(turn.db, session.id)
        lines += ["", words("<b>Waitlist</b>")]
        for place, (rsvp, member) in enumerate(line[:_NAMED], start=1):
            guests = f" +{rsvp.guests}" if rsvp.guests else ""
            lines.append(f"{place}. {quote(member.name or '—')}{guests}")
        if (more := len(line) - _NAMED) > 0:
            lines.append(words.plural("… and {n} more", "… and {n} more", more))
    return Letter(Html("\n".join(lines)), _session_taps(words, session, event, counts))


def _session_taps(
    words: Words, session: Session, event: Event, counts: Counts
) -> tuple[tuple[Tap, ...], ...]:
    here = session.id
    day = session.starts_at.astimezone(ZoneInfo(event.timezone)).date()
    last = [
        Tap(words.label("Put it back"), Act(verb="restore", id=here).pack())
        if session.cancelled_at is not None
        else Tap(words.label("Cancel the session"), Act(verb="cancel", id=here).pack())
    ]
    if not counts.answers:
        last.append(Tap(words.label("Delete"), Act(verb="delete", id=here).pack()))
    return (
        (
            Tap(words.label("✎ Time"), Fill(form="when", id=here).pack()),
            Tap(words.label("✎ Room"), Fill(form="room", id=here).pack()),
            Tap(words.label("✎ Seats"), Fill(form="capacity", id=here).pack()),
        ),
        (
            Tap(words.label("✎ Title"), Fill(form="title", id=here).pack()),
            Tap(words.label("✎ Kind"), Fill(form="kind", id=here).pack()),
        ),
        tuple(last),
        *(
            [(Tap(words.label("🤝 Networking"), Hold(session=here).pack()),)]
            if session.kind == SESSION_KIND and session.cancelled_at is None
            else []
        ),
        (
            Tap(words.label("🚪 Door"), DoorCard(event=event.id, session=here).pack()),
            Tap(words.label("⭐ Ratings"), RatingsCard(session=here).pack()),
        ),
        (
            Tap(
                words.label("‹ Sessions"),
                OneDay(event=event.id, ordinal=day.toordinal()).pack(),
            ),
        ),
    )


def _seats(words: Words, counts: Counts, capacity: int | None) -> Html:
    parts = [
        words.plural("{n} seat taken", "{n} seats taken", counts.seated)
        if capacity is None
        else words("Seats taken: {n} of {all}", n=counts.seated, all=capacity)
    ]
    if counts.offered:
        parts.append(words("{n} offered", n=counts.offered))
    if counts.waiting:
        parts.append(words("{n} waiting", n=counts.waiting))
    return Html(" · ".join(parts))


def _capacity(session: Session, event: Event) -> int | None:
    return session.capacity if session.capacity is not None else event.capacity


def router() -> Router:
    """Events for staff, wired. To others there is no such command and no such button."""
    r = Router(name="staff_events")
    r.message.register(all_events, Command("events", ignore_mention=True), of_staff)
    r.callback_query.register(turn_page, AllEvents.filter(), of_staff)
    r.callback_query.register(open_event, OneEvent.filter(), of_staff)
    r.callback_query.register(open_day, OneDay.filter(), of_staff)
    r.callback_query.register(open_session, OneSession.filter(), of_staff)
    return r
