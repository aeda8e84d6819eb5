"""Changes of plan: the letter that says before and after, and the choice where two seats collide.

It is written at the moment of sending. Its taps are those of a reminder or an offer; only the choice
between two seats that overlap since the move is its own.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import events as agenda
from handlers import rsvps as seats
from handlers.correspondence import Writing
from handlers.events import Day
from handlers.letters import Letter, Tap, Template
from handlers.reminders import NotComing
from handlers.rsvps import GiveUp, Mine, Take
from handlers.turns import Turn
from handlers.words import Html, Words, quote, shortened
from storage import plans, rsvps
from storage.plans import Plan
from storage.tables import Event, Seat
from storage.tidings import Tidings, unheard

# The seats that a letter names of those that overlap.
_NAMED = 5


class Keep(CallbackData, prefix="keep"):
    """Of the seats that overlap since a session moved: keep that session's, or the `others`."""

    session: int
    others: bool


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The notices; None for whoever has nothing to hear any more."""
    found = await unheard(db, [(one.about["change"], one.member.id) for one in writings])
    letters: list[Letter | None] = []
    for one in writings:
        tidings = found.get((one.about["change"], one.member.id))
        letters.append(_letter(one.words, tidings) if tidings else None)
    return letters


def _letter(words: Words, it: Tidings) -> Letter:
    title = words.pick(it.after.title)
    if it.after.cancelled:
        head, shown = words("❌ <b>Cancelled</b>"), it.before
    elif it.before.cancelled:
        head, shown = words("✅ <b>It takes place after all</b>"), it.after
    else:
        head, shown = words("🔁 <b>Change of plan</b>"), it.after
    lines = [head, "", f"<b>{quote(title)}</b>", *_when_and_where(words, shown, it.event)]
    if not it.after.cancelled and (before := _before(words, it)):
        lines.append(words("<i>Before: {plan}</i>", plan=before))
    lines += ["", *_standing(words, it)]
    begins = words.clock(shown.starts_at, ZoneInfo(it.event.timezone))
    return Letter(
        Html("\n".join(lines)), _taps(words, it), template=Template("plan_change", (title, begins))
    )


def _when_and_where(words: Words, plan: Plan, event: Event) -> list[Html]:
    lines = [
        Html(f"📅 {_day(words, plan, event)}"),
        Html(f"🕘 {_span(words, plan, event)} ({agenda.zone_name(words, event)})"),
    ]
    where = _place(words, plan, event)
    return [*lines, Html(f"📍 {where}")] if where else lines


def _before(words: Words, it: Tidings) -> Html:
    """What was otherwise, and nothing else: the day, the time, the room."""
    told = [
        (part(words, it.before, it.event), part(words, it.after, it.event))
        for part in (_day, _span, _place)
    ]
    return Html(" · ".join(before for before, after in told if before and before != after))


def _day(words: Words, plan: Plan, event: Event) -> Html:
    return words.day(plan.starts_at.astimezone(ZoneInfo(event.timezone)).date())


def _span(words: Words, plan: Plan, event: Event) -> Html:
    return words.span(plan.starts_at, plan.ends_at, ZoneInfo(event.timezone))


def _place(words: Words, plan: Plan, _event: Event) -> Html:
    if plan.online:
        return words("online")
    return quote(words.pick(plan.room)) if plan.room else Html("")


def _standing(words: Words, it: Tidings) -> list[Html]:
    """What it means for the reader."""
    if it.after.cancelled:
        return [words("It is no longer in your agenda.")]
    if it.rsvp.state == Seat.OFFERED and it.rsvp.offered_until is not None:
        until = words.time(it.rsvp.offered_until, ZoneInfo(it.event.timezone))
        return [words("✨ A seat is offered to you until {time}.", time=until)]
    if it.rsvp.state == Seat.WAITLISTED:
        return [words("⏳ You keep your place on the waitlist.")]
    if not it.conflicts:
        return [words("✅ You keep your seat.")]
    zone = ZoneInfo(it.event.timezone)
    others = [
        Html(f"• {words.span(o.starts_at, o.ends_at, zone)} {quote(words.pick(o.title))}")
        for o in it.conflicts[:_NAMED]
    ]
    return [
        words("⚠️ It is now at the same time as another seat of yours:"),
        *others,
        Html(""),
        words("Which one do you keep?"),
    ]


def _taps(words: Words, it: Tidings) -> tuple[tuple[Tap, ...], ...]:
    session = it.session.id
    if it.after.cancelled:
        zone = ZoneInfo(it.event.timezone)
        day = it.before.starts_at.astimezone(zone).date().toordinal()
        return ((Tap(words.label("See the agenda"), Day(event=it.event.id, ordinal=day).pack()),),)
    if it.conflicts:
        this = shortened(words.pick(it.after.title), agenda.BUTTON - 10)
        keep_others = words.label("Keep the others")
        if len(it.conflicts) == 1:
            other = shortened(words.pick(it.conflicts[0].title), agenda.BUTTON - 10)
            keep_others = words.label("Keep: {title}", title=other)
        return (
            (
                Tap(
                    words.label("Keep: {title}", title=this),
                    Keep(session=session, others=False).pack(),
                ),
            ),
            (Tap(keep_others, Keep(session=session, others=True).pack()),),
        )
    if it.rsvp.state == Seat.OFFERED:
        return (
            (
                Tap(words.label("Take a seat"), Take(session=session).pack()),
                Tap(words.label("No, thank you"), GiveUp(session=session).pack()),
            ),
        )
    if it.rsvp.state == Seat.WAITLISTED:
        leave = Tap(words.label("Leave the waitlist"), GiveUp(session=session).pack())
    else:
        leave = Tap(words.label("I can't come"), NotComing(session=session).pack())
    return ((leave, Tap(words.label("My agenda"), Mine().pack())),)


async def keep(_tap: CallbackQuery, callback_data: Keep, turn: Turn) -> None:
    """One tap decides which seat stays; the others go back."""
    words, session_id = turn.words, callback_data.session
    overlapping = await plans.overlapping(turn.db, turn.member, session_id)
    if not overlapping:
        turn.say.toast(words.label("Your seats no longer overlap."))
        turn.say.edit(await seats.card(turn, session_id))
        return
    given_back = [session_id] if callback_data.others else [other.id for other in overlapping]
    for one in given_back:
        await rsvps.give_up(turn.db, turn.member, one, turn.now)
    turn.say.toast(words.label("Done: one seat is yours, the other is given back."))
    turn.say.edit(
        await (seats.my_letter(turn) if callback_data.others else seats.card(turn, session_id))
    )


def router() -> Router:
    """The choice, wired."""
    r = Router(name="plans")
    r.callback_query.register(keep, Keep.filter())
    return r
