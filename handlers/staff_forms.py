"""Staff's forms: an event or a session made and changed by short questions, one at a time.

The answers wait in the conversation until the last is given; then all is done at once, with an undo.
Whoever is no longer staff gets no further.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from handlers import guide, registration, staff_events, staff_outcomes
from handlers import staff_questions as questions
from handlers.letters import Letter, Tap
from handlers.profile import NotUnderstood
from handlers.staff_events import Fill
from handlers.staff_questions import Form
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import AUTONYMS, Html, quote
from storage import events, overviews
from storage.tables import Event

# The questions of each form; "titles" are those of all languages, one's own first.
FORMS = {
    "event": ("titles", "city", "zone", "starts", "ends"),
    "session": ("titles", "day", "start", "end", "room", "capacity", "kind"),
    "etitle": ("titles",),
    "place": ("city", "zone"),
    "dates": ("starts", "ends"),
    "ecapacity": ("capacity",),
    "repeat": ("starts",),
    "title": ("titles",),
    "when": ("day", "start", "end"),
    "room": ("room",),
    "capacity": ("capacity",),
    "kind": ("kind",),
}
# The forms whose id is an event's; of the others it is a session's, and "event" has none.
_OF_EVENT = {"session", "etitle", "place", "dates", "ecapacity", "repeat"}


class Filling(StatesGroup):
    """A form is open: the conversation's data has `filling`, with form, id, at and draft."""

    open = State()


class Reply(CallbackData, prefix="reply"):
    """An answer by tap."""

    field: str
    value: str


class Previous(CallbackData, prefix="prev"):
    """To the question before, or out of the form from the first one."""

    field: str


class Leave(CallbackData, prefix="leave"):
    """Stop; nothing is done."""


# --- asking ---------------------------------------------------------------------------------


async def fill(_tap: CallbackQuery, callback_data: Fill, turn: Turn, state: FSMContext) -> None:
    """Open a form on the card that was tapped."""
    if not turn.registered:
        await registration.begin(turn, state)
        return
    data = {"form": callback_data.form, "id": callback_data.id, "at": 0, "draft": {}}
    if callback_data.form not in FORMS or await _form(turn, data) is None:
        turn.say.edit(await staff_events.list_letter(turn))
        return
    await state.set_state(Filling.open)
    await state.update_data(filling=data)
    turn.say.edit(await _question(turn, data))


async def typed(message: Message, turn: Turn, state: FSMContext) -> None:
    """An answer in words."""
    words, data = turn.words, await _filling(state)
    hint = words("Please answer by writing a short text.")
    if message.text is not None and message.text.startswith("/"):
        hint = words("I don't know this command.")
    elif message.text is not None and message.forward_origin is None:
        await _answered(turn, state, data, message.text, tapped=False)
        return
    turn.say((await _question(turn, data)).with_first_line(hint))


async def replied(_tap: CallbackQuery, callback_data: Reply, turn: Turn, state: FSMContext) -> None:
    """An answer by tap."""
    data = await _filling(state)
    if callback_data.field != _field(turn, data):
        await closed(_tap, turn)
        return
    await _answered(turn, state, data, callback_data.value, tapped=True)


async def previous(
    _tap: CallbackQuery, callback_data: Previous, turn: Turn, state: FSMContext
) -> None:
    """One question back."""
    data = await _filling(state)
    if callback_data.field != _field(turn, data):
        await closed(_tap, turn)
    elif data["at"] == 0:
        await leave(_tap, turn, state)
    else:
        await state.update_data(filling=data | {"at": data["at"] - 1})
        turn.say.edit(await _question(turn, await _filling(state)))


async def leave(_tap: CallbackQuery, turn: Turn, state: FSMContext) -> None:
    """Out of the form: the card it came from."""
    data = await _filling(state)
    await _close(state)
    turn.say.edit((await _home(turn, data)).with_first_line(turn.words("Nothing is changed.")))


async def cancel(_message: Message, turn: Turn, state: FSMContext) -> None:
    """/cancel, in a form."""
    data = await _filling(state)
    await _close(state)
    turn.say((await _home(turn, data)).with_first_line(turn.words("Nothing is changed.")))


async def help_(_message: Message, turn: Turn, state: FSMContext) -> None:
    """/help, in a form: the question comes again after it."""
    turn.say(guide.help_letter(turn.words, staff=True))
    turn.say(await _question(turn, await _filling(state)))


async def closed(_tap: CallbackQuery, turn: Turn) -> None:
    """A button of a question that is no longer open."""
    turn.say.toast(turn.words.label("This question is closed. /events shows the way."))


async def _question(turn: Turn, data: Mapping[str, Any]) -> Letter:
    """The question that is open."""
    words, form, name = turn.words, await _form(turn, data), _field(turn, data)
    if form is None:
        return await staff_events.list_letter(turn)
    fields = _fields(turn, data)
    text = questions.text(name, words)
    if len(fields) > 1:
        step = words("Question {number} of {all}", number=data["at"] + 1, all=len(fields))
        text = Html(f"<i>{step}</i>\n{text}")
    rows = [
        tuple(Tap(label, Reply(field=name, value=value).pack()) for label, value in row)
        for row in questions.taps(name, words, form)
    ]
    way_out = (
        Tap(words.label("‹ Back"), Previous(field=name).pack()),
        Tap(words.label("✕ Stop"), Leave().pack()),
    )
    return Letter(text, (*rows, way_out))


async def _answered(
    turn: Turn, state: FSMContext, data: dict[str, Any], said: str, *, tapped: bool
) -> None:
    words, form, name = turn.words, await _form(turn, data), _field(turn, data)
    if form is None:
        await _close(state)
        turn.say((await _home(turn, data)).with_first_line(words("Nothing is changed.")))
        return
    try:
        answer = questions.read(name, said, words, form, tapped=tapped)
    except NotUnderstood as problem:
        turn.say((await _question(turn, data)).with_first_line(problem.hint))
        return
    if tapped:
        rows = questions.taps(name, words, form)
        label = next((label for row in rows for label, value in row if value == said), "")
        turn.say.edit(Letter(Html(f"{questions.text(name, words)}\n<b>{quote(label)}</b>")))
    draft = form.draft | {name: answer}
    if data["at"] + 1 < len(_fields(turn, data)):
        data = data | {"at": data["at"] + 1, "draft": draft}
        await state.update_data(filling=data)
        turn.say(await _question(turn, data))
        return
    form.draft = draft
    await _close(state)
    turn.say(await staff_outcomes.of(turn, data["form"], data["id"], form))


# --- in common ------------------------------------------------------------------------------


async def _filling(state: FSMContext) -> dict[str, Any]:
    return dict((await state.get_data())["filling"])


async def _close(state: FSMContext) -> None:
    await state.clear()


def _fields(turn: Turn, data: Mapping[str, Any]) -> list[str]:
    own = turn.words.language
    titles = [f"title_{code}" for code in (own, *(c for c in AUTONYMS if c != own))]
    named = FORMS[data["form"]]
    return [name for part in named for name in (titles if part == "titles" else [part])]


def _field(turn: Turn, data: Mapping[str, Any]) -> str:
    at: int = data["at"]
    return _fields(turn, data)[at]


async def _form(turn: Turn, data: Mapping[str, Any]) -> Form | None:
    """What the questions need to know; None: what it was about is gone."""
    event: Event | None = None
    if data["form"] in _OF_EVENT:
        event = await events.by_id(turn.db, data["id"])
    elif data["form"] != "event":
        found = await overviews.of_session(turn.db, data["id"])
        event = found[1] if found else None
    if event is None and data["form"] != "event":
        return None
    zone = ZoneInfo(event.timezone if event else "UTC")
    form = Form(draft=dict(data["draft"]), today=turn.now.astimezone(zone).date(), event=event)
    if event is not None:
        form.days = [
            d for n in range(questions.OFFERED) if (d := event.starts + timedelta(n)) <= event.ends
        ]
        form.rooms = (await overviews.rooms_of(turn.db, event.id))[: questions.OFFERED]
        # A year that is left out is the event's.
        form.today = min(form.today, event.starts) if data["form"] != "repeat" else form.today
    return form


async def _home(turn: Turn, data: Mapping[str, Any]) -> Letter:
    if data["form"] == "event":
        return await staff_events.list_letter(turn)
    if data["form"] in _OF_EVENT:
        return await staff_events.event_card(turn, data["id"])
    return await staff_events.session_card(turn, data["id"])


def ways_out() -> Router:
    """/cancel and /help in a form, wired before those of everybody."""
    r = Router(name="staff_ways_out")
    r.message.register(cancel, Command("cancel", ignore_mention=True), Filling.open, of_staff)
    r.message.register(help_, Command("help", ignore_mention=True), Filling.open, of_staff)
    return r


def router() -> Router:
    """The forms, wired after every command: an open one reads any text."""
    r = Router(name="staff_forms")
    r.callback_query.register(fill, Fill.filter(), of_staff)
    r.message.register(typed, Filling.open, of_staff)
    r.callback_query.register(replied, Reply.filter(), Filling.open, of_staff)
    r.callback_query.register(previous, Previous.filter(), Filling.open, of_staff)
    r.callback_query.register(leave, Leave.filter(), Filling.open, of_staff)
    for button in (Reply, Previous, Leave):
        r.callback_query.register(closed, button.filter(), of_staff)
    return r
