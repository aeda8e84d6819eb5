"""The waitlist: the letters that offer a freed seat, or say that it is the reader's.

Their buttons are those of any session's card.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from handlers import guests
from handlers.correspondence import Writing
from handlers.letters import Letter, Tap, Template
from handlers.rsvps import GiveUp, MyTicket, Take, when_and_where
from handlers.words import Html, quote
from storage import waitlist
from storage.waitlist import Offer


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The offers; None for one that was answered, has lapsed or was made anew since."""
    standing = await waitlist.standing(db, [one.about["rsvp"] for one in writings])
    letters: list[Letter | None] = []
    for one in writings:
        offer = standing.get(one.about["rsvp"])
        until = offer.rsvp.offered_until if offer else None
        if offer is None or until is None or int(until.timestamp()) != one.about["until"]:
            letters.append(None)
        else:
            letters.append(_offer(one, offer))
    return letters


async def write_promotion(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The seats that were given at once; None for one that was given back since."""
    promoted = await waitlist.promoted(db, [one.about["rsvp"] for one in writings])
    letters: list[Letter | None] = []
    for one in writings:
        seat = promoted.get(one.about["rsvp"])
        if seat is None or int(seat.rsvp.since.timestamp()) != one.about["since"]:
            letters.append(None)
        else:
            letters.append(_promotion(one, seat))
    return letters


def _promotion(reader: Writing, seat: Offer) -> Letter:
    words, session = reader.words, seat.session
    title = words.pick(session.title)
    start = words.clock(session.starts_at, ZoneInfo(seat.event.timezone))
    lines = [
        words("✅ <b>A seat became free: it is yours</b>"),
        "",
        f"<b>{quote(title)}</b>",
        *when_and_where(words, session, seat.event),
        *filter(None, [guests.line(words, seat.rsvp)]),
        "",
        words("If you can't come, please give it up for the next person."),
    ]
    return Letter(
        Html("\n".join(lines)),
        (
            (Tap(words.label("🎟 My ticket"), MyTicket(session=session.id).pack()),),
            (Tap(words.label("Give up my seat"), GiveUp(session=session.id).pack()),),
        ),
        template=Template("seat_given", (title, start)),
    )


def _offer(reader: Writing, offer: Offer) -> Letter:
    words, session = reader.words, offer.session
    zone = ZoneInfo(offer.event.timezone)
    title = words.pick(session.title)
    until = offer.rsvp.offered_until or session.starts_at
    lines = [
        words("✨ <b>A seat is free for you</b>"),
        "",
        f"<b>{quote(title)}</b>",
        *when_and_where(words, session, offer.event),
        *filter(None, [guests.line(words, offer.rsvp)]),
        "",
        words(
            "It waits for you until {time}; then it is offered to the next person.",
            time=words.time(until, zone),
        ),
    ]
    return Letter(
        Html("\n".join(lines)),
        (
            (
                Tap(words.label("Take a seat"), Take(session=session.id).pack()),
                Tap(words.label("No, thank you"), GiveUp(session=session.id).pack()),
            ),
        ),
        template=Template("seat_offer", (title, words.clock(until, zone))),
    )
