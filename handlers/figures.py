"""Figures: an event in a picture for staff - seats, attendance and ratings of each session."""

from collections.abc import Sequence

from aiogram import Router
from aiogram.types import CallbackQuery
from babel.numbers import format_decimal
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.letters import Bars, Chart, Letter
from handlers.tickets import Picture, of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, quote, shortened
from storage import events, figures
from storage.figures import Figures
from storage.tables import Event, Role

# The lines of one picture, and the characters of a title in it.
LINES, TITLE = 20, 36


async def ask(_tap: CallbackQuery, callback_data: Picture, turn: Turn) -> None:
    """The picture comes as a message of its own."""
    if await events.by_id(turn.db, callback_data.event) is None:
        turn.say.toast(turn.words.label("This event is gone."))
        return
    await figures.post(turn.db, turn.member, callback_data.event, turn.now)
    turn.say.toast(turn.words.label("I am drawing; the picture comes in a moment."))


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The pictures; None for whoever isn't of the team any more."""
    letters: list[Letter | None] = []
    for one in writings:
        event = await events.by_id(db, one.about["event"])
        if event is None or one.member.role not in (Role.STAFF, Role.ADMIN):
            letters.append(None)
        else:
            letters.append(_letter(one.words, event, await figures.of_event(db, event)))
    return letters


def _letter(words: Words, event: Event, all_of_them: Sequence[Figures]) -> Letter:
    title = words.pick(event.title)
    # Of a large programme the sessions with the most people.
    busiest = sorted(all_of_them, key=lambda one: -max(one.taken, one.attended))[:LINES]
    shown = [one for one in all_of_them if one in busiest]
    if not any(one.taken or one.attended or one.average for one in shown):
        return Letter(
            words("<b>{title}</b>\n\nThere is nothing to draw yet: no seat is taken.", title=title)
        )
    lines = [Html(f"📊 <b>{quote(title)}</b>")]
    if len(shown) < len(all_of_them):
        lines.append(
            words.plural(
                "The {n} session with the most people.",
                "The {n} sessions with the most people.",
                len(shown),
            )
        )
    chart = Chart(
        title=title,
        legend=(
            words.label("Seats"),
            words.label("Taken"),
            words.label("Checked in at the door"),
            words.label("Ratings (1 to 5)"),
        ),
        lines=tuple(_bars(words, one) for one in shown),
        right_to_left=words.locale.text_direction == "rtl",
    )
    return Letter(Html("\n".join(lines)), picture=chart)


def _bars(words: Words, one: Figures) -> Bars:
    mark = "" if one.average is None else format_decimal(round(one.average, 1), locale=words.locale)
    title = shortened(words.pick(one.session.title), TITLE)
    return Bars(title, one.seats, one.taken, one.attended, one.average, mark)


def router() -> Router:
    """Figures, wired: for staff alone."""
    r = Router(name="figures")
    r.callback_query.register(ask, Picture.filter(), of_staff)
    return r
