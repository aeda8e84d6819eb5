"""What staff choose for an event: its seats, guests, what becomes of a freed seat, reminders."""

from aiogram import Router
from aiogram.types import CallbackQuery

from handlers import staff_events
from handlers.letters import Letter, Tap
from handlers.staff_events import Act, Choices, Fill, OneEvent
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import Html, quote
from storage import events
from storage.members import FIRST_LEADS, LEADS
from storage.tables import Event

# A member may bring 0, 1 or 2 guests: the tap goes round.
_GUESTS = 3
# The verbs of what is chosen here; "lead" is followed by its minutes, 0 for none of the event's own.
VERBS = ("guests", "promotes", *(f"lead{minutes}" for minutes in (0, *LEADS)))


async def open_choices(_tap: CallbackQuery, callback_data: Choices, turn: Turn) -> None:
    """The page of an event's choices."""
    turn.say.edit(await page(turn, callback_data.event))


async def page(turn: Turn, event_id: int) -> Letter:
    """What is chosen, and a tap to choose otherwise."""
    words = turn.words
    event = await events.by_id(turn.db, event_id)
    if event is None:
        return await staff_events.event_card(turn, event_id)
    here = event.id
    lines = [
        f"<b>{quote(words.pick(event.title))}</b>",
        "",
        words("Seats in the whole event: {n}", n=event.capacity)
        if event.capacity is not None
        else words("Seats in the whole event: no limit"),
        words.plural(
            "A member may bring {n} guest.", "A member may bring {n} guests.", event.guests
        ),
        words("A freed seat is given to the first in line at once.")
        if event.promotes
        else words("A freed seat is offered to the first in line, who has time to answer."),
        words("Reminders, for members who never chose their own:"),
    ]
    guests = words.label("Guests: {n}", n=event.guests)
    freed = (
        words.label("Freed seats: given at once")
        if event.promotes
        else words.label("Freed seats: offered")
    )
    leads = [
        Tap(
            f"{'✅' if minutes in _leads(event) else '▫️'} {words.lead(minutes)}",
            Act(verb=f"lead{minutes}", id=here).pack(),
        )
        for minutes in LEADS
    ]
    usual = words.label("The usual ones")
    usual = f"{'✅' if event.leads is None else '▫️'} {usual}"
    return Letter(
        Html("\n".join(lines)),
        (
            (
                Tap(words.label("✎ Seats"), Fill(form="ecapacity", id=here).pack()),
                Tap(guests, Act(verb="guests", id=here).pack()),
            ),
            (Tap(freed, Act(verb="promotes", id=here).pack()),),
            tuple(leads),
            (Tap(usual, Act(verb="lead0", id=here).pack()),),
            (Tap(words.label("‹ Event"), OneEvent(event=here).pack()),),
        ),
    )


def chosen(event: Event, verb: str) -> dict[str, object]:
    """What a tap with this verb makes of the event."""
    if verb == "guests":
        return {"guests": (event.guests + 1) % _GUESTS}
    if verb == "promotes":
        return {"promotes": not event.promotes}
    minutes = int(verb.removeprefix("lead"))
    return {"leads": sorted(_leads(event) ^ {minutes}, reverse=True) if minutes else None}


def _leads(event: Event) -> set[int]:
    return set(FIRST_LEADS if event.leads is None else event.leads)


def router() -> Router:
    """The choices, wired; the taps themselves are `handlers.staff_acts`'."""
    r = Router(name="staff_choices")
    r.callback_query.register(open_choices, Choices.filter(), of_staff)
    return r
