"""Doors: `/door`, for staff: who is expected, who is in, and what to do about the others.

The card of a door counts, names those who are missing, and checks them in by a tap. Whoever opened
it is told when a member says that they are running late.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import tickets
from handlers.correspondence import Writing
from handlers.events import BUTTON, paged
from handlers.letters import Letter, Tap
from handlers.rsvps import when_and_where
from handlers.tickets import DoorCard, Picture, RatingsCard, Uncheck, of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, quote, shortened
from storage import doors
from storage.doors import Attendee, Count, Place
from storage.tables import Event, Session
from storage.tickets import Entry


class Doors(CallbackData, prefix="doors"):
    """A page of the doors to choose from."""

    page: int = 0


class Greet(CallbackData, prefix="greet"):
    """This member is here: check them in at this door."""

    event: int
    session: int
    member: int
    page: int


class WalkIn(CallbackData, prefix="walkin"):
    """One more without a seat, or one less."""

    event: int
    session: int
    less: bool = False


async def door(_message: Message, turn: Turn) -> None:
    """/door."""
    turn.say(await choice(turn))


async def open_choice(_tap: CallbackQuery, callback_data: Doors, turn: Turn) -> None:
    """Turn to another page of the doors."""
    turn.say.edit(await choice(turn, callback_data.page))


async def choice(turn: Turn, page: int = 0) -> Letter:
    """The sessions around now, and the entrances of their events."""
    words = turn.words
    near = await doors.around(turn.db, turn.now)
    if not near:
        return Letter(words("No session is planned, so there is no door to keep."))
    shown, turning = paged(words, near, page, lambda number: Doors(page=number))
    events = {event.id: event for _, event in shown}
    taps = [
        (
            Tap(
                shortened(words.label("🚪 Entrance: {event}", event=words.pick(e.title)), BUTTON),
                DoorCard(event=e.id).pack(),
            ),
        )
        for e in events.values()
    ]
    taps += [(_door_tap(words, session, event),) for session, event in shown]
    return Letter(words("<b>Which door?</b>"), (*taps, *turning))


async def open_door(_tap: CallbackQuery, callback_data: DoorCard, turn: Turn) -> None:
    """A door's card, or the same with today's figures."""
    place = await doors.place_of(turn.db, callback_data.event, callback_data.session)
    turn.say.edit(await _card(turn, place, callback_data.page, opened=True))


async def greet(_tap: CallbackQuery, callback_data: Greet, turn: Turn) -> None:
    """Somebody comes in by name. What a scan would refuse is refused here too, in the same words."""
    words = turn.words
    place = await doors.place_of(turn.db, callback_data.event, callback_data.session)
    if place is None:
        turn.say.edit(await _card(turn, None))
        return
    found = await doors.check_in(turn.db, place, callback_data.member, turn.member, turn.now)
    if found is not None and found.entry not in (Entry.IN, Entry.ALREADY):
        turn.say.edit(tickets.told(turn, found))
        return
    undo: tuple[tuple[Tap, ...], ...] = ()
    if found is None:
        turn.say.toast(words.label("This person has no seat here any more."))
    else:
        name = found.holder.name or ""
        if found.entry == Entry.IN:
            turn.say.toast(words.label("{name} is checked in.", name=name))
        else:
            turn.say.toast(words.label("{name} was checked in already.", name=name))
        back = Tap(
            shortened(words.label("↩️ Undo: {name}", name=name), BUTTON),
            Uncheck(ticket=found.ticket.id).pack(),
        )
        undo = ((back,),)
    turn.say.edit(await _card(turn, place, callback_data.page, undo))


async def walk_in(_tap: CallbackQuery, callback_data: WalkIn, turn: Turn) -> None:
    """Count somebody without a seat, or take that back."""
    words = turn.words
    place = await doors.place_of(turn.db, callback_data.event, callback_data.session)
    if place is not None and not callback_data.less:
        await doors.walk_in(turn.db, place, turn.member, turn.now)
        await turn.db.flush()
        turn.say.toast(words.label("One more walk-in."))
    elif place is not None:
        undone = await doors.undo_walk_in(turn.db, place, turn.member, turn.now)
        await turn.db.flush()
        turn.say.toast(
            words.label("One walk-in less.")
            if undone
            else words.label("You have counted no walk-in here.")
        )
    turn.say.edit(await _card(turn, place))


async def _card(
    turn: Turn,
    place: Place | None,
    page: int = 0,
    undo: Sequence[tuple[Tap, ...]] = (),
    *,
    opened: bool = False,
) -> Letter:
    words = turn.words
    if place is None:
        return (await choice(turn)).with_first_line(
            words("This session is no longer in the programme.")
        )
    event, session = place.event, place.session
    counted = await doors.count(turn.db, place)
    title = words.pick(session.title) if session else words.pick(event.title)
    lines = [Html(f"🚪 <b>{quote(title)}</b>")]
    if session is not None:
        lines += when_and_where(words, session, event)
        if session.cancelled_at is not None:
            lines.append(words("❌ This session is cancelled."))
    lines += [Html(""), *_figures(turn, place, counted)]
    about = {"event": event.id, "session": session.id if session else 0}
    shown, turning = paged(
        words, counted.missing, page, lambda number: DoorCard(**about, page=number)
    )
    if opened:
        await doors.stand(turn.db, turn.member, place, turn.now, [m.member_id for m in shown])
    names = [
        Tap(_named(words, one), Greet(**about, member=one.member_id, page=page).pack())
        for one in shown
    ]
    rows = [tuple(names[at : at + 2]) for at in range(0, len(names), 2)]
    taps: list[tuple[Tap, ...]] = [
        *undo,
        *rows,
        *turning,
        (
            Tap(words.label("➕ Walk-in"), WalkIn(**about).pack()),
            Tap(words.label("➖ Walk-in"), WalkIn(**about, less=True).pack()),
        ),
        _opinions(words, place),
        (
            Tap(words.label("🔄 Refresh"), DoorCard(**about).pack()),
            Tap(words.label("‹ Doors"), Doors().pack()),
        ),
    ]
    return Letter(Html("\n".join(lines)), tuple(taps))


def _opinions(words: Words, place: Place) -> tuple[Tap, ...]:
    picture = Tap(words.label("📊 Chart"), Picture(event=place.event.id).pack())
    if place.session is None:
        return (picture,)
    card = RatingsCard(session=place.session.id).pack()
    return (Tap(words.label("⭐ Ratings"), card), picture)


def _figures(turn: Turn, place: Place, counted: Count) -> list[Html]:
    words, missing = turn.words, counted.missing
    lines = [
        words(
            "✅ Checked in: {inside} of {expected}",
            inside=counted.inside,
            expected=counted.expected,
        ),
        words("🚶 Walk-ins: {n}", n=counted.walk_ins),
    ]
    if late := [one.name for one in missing if one.late]:
        lines.append(words("🏃 Running late: {names}", names=words.series(late[:8])))
    clock = words.time(turn.now, ZoneInfo(place.event.timezone))
    if missing:
        how_it_stands = words("At {time}. Tap the name of whoever comes in.", time=clock)
    elif counted.attendees:
        how_it_stands = words("At {time}. Everybody is in.", time=clock)
    else:
        how_it_stands = words("At {time}. Nobody has a seat here.", time=clock)
    return [*lines, Html(""), how_it_stands]


def _named(words: Words, one: Attendee) -> str:
    guests = f" +{words.number(one.guests)}" if one.guests else ""
    return f"{'🏃 ' if one.late else ''}{shortened(one.name, 22)}{guests}"


def _door_tap(words: Words, session: Session, event: Event) -> Tap:
    at = words.clock(session.starts_at, ZoneInfo(event.timezone))
    label = shortened(f"{at} {words.pick(session.title)}", BUTTON)
    return Tap(label, DoorCard(event=event.id, session=session.id).pack())


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The news that somebody is late; None for those who are in by now, or not coming."""
    late = await doors.still_late(db, [(w.about["session"], w.about["member"]) for w in writings])
    letters: list[Letter | None] = []
    for one in writings:
        found = late.get((one.about["session"], one.about["member"]))
        if found is None:
            letters.append(None)
            continue
        member, session, event = found
        words = one.words
        text = words(
            "🏃 <b>{name}</b> is running late.\n{title}",
            name=member.name or "",
            title=words.pick(session.title),
        )
        tap = Tap(words.label("🚪 Door"), DoorCard(event=event.id, session=session.id).pack())
        letters.append(Letter(text, ((tap,),)))
    return letters


def router() -> Router:
    """Doors, wired: for staff alone."""
    r = Router(name="doors")
    r.message.register(door, Command("door", ignore_mention=True), of_staff)
    r.callback_query.register(open_choice, Doors.filter(), of_staff)
    r.callback_query.register(open_door, DoorCard.filter(), of_staff)
    r.callback_query.register(greet, Greet.filter(), of_staff)
    r.callback_query.register(walk_in, WalkIn.filter(), of_staff)
    return r
