"""Guests: how many people come with a member, where the event allows it; chosen on the card."""

from aiogram.filters.callback_data import CallbackData

from handlers.letters import Tap
from handlers.words import Html, Words
from storage.events import Item
from storage.rsvps import Answer, Outcome
from storage.tables import Rsvp, Seat


class Bring(CallbackData, prefix="bring"):
    """So many guests come with me; answered by `handlers.rsvps`, whose card it is on."""

    session: int
    guests: int


def line(words: Words, rsvp: Rsvp | None) -> Html:
    """With how many guests; nothing for whoever comes alone."""
    if rsvp is None or not rsvp.guests:
        return Html("")
    return words.plural("👥 With {n} guest", "👥 With {n} guests", rsvp.guests)


def taps(words: Words, item: Item) -> tuple[Tap, ...]:
    """A button for each number of guests, where there is a choice."""
    mine = item.mine.guests if item.mine else 0
    most = max(item.event.guests, mine)
    if not most:
        return ()
    labels = [words.label("Only me"), *(f"+{number}" for number in range(1, most + 1))]
    return tuple(
        Tap(
            f"{'✅' if number == mine else '👥'} {label}",
            Bring(session=item.session.id, guests=number).pack(),
        )
        for number, label in enumerate(labels)
    )


def told(words: Words, outcome: Outcome, item: Item) -> str:
    """What a toast says after the choice."""
    if outcome.answer == Answer.CONFIRMED:
        if item.mine is None or not item.mine.guests:
            return words.label("Noted: you come alone.")
        if item.mine.state == Seat.WAITLISTED:
            return words.label("Noted: you wait for seats for all of you, side by side.")
        return words.label("Noted: your guests have seats too.")
    return {
        Answer.FULL: words.label("Sorry, there is no room for more guests at the moment."),
        Answer.NO_GUESTS: words.label("Sorry, this event has no seats for so many guests."),
        Answer.OVER: words.label("This session is over."),
        Answer.CANCELLED: words.label("This session is cancelled."),
    }.get(outcome.answer, words.label("You have no seat here."))
