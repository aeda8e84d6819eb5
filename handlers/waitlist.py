"""The waitlist: the letter that offers a freed seat. Its buttons are those of any session's card."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.letters import Letter, Tap, Template
from handlers.rsvps import GiveUp, Take, when_and_where
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
