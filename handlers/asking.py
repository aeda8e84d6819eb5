"""Asking a question of the profile, and taking its answer, by tap or in words.

Why it is asked is the business of a purpose: registration walks on to the next question, settings
goes back to its card. The answers so far wait in the conversation's draft, so that a person may
stop half-way and come back tomorrow, after any restart.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from handlers.letters import Letter, Tap
from handlers.profile import Back, Done, NotUnderstood, Pick, Question, Tick, questions
from handlers.turns import Turn
from handlers.words import Html
from storage import members
from storage.tables import Theme


class Asking(StatesGroup):
    """A question is open; the conversation's data has its `field`, `purpose` and the `draft`."""

    open = State()


class Purpose(Protocol):
    """Why a question is asked, and what comes after it."""

    def heading(self, turn: Turn, data: Mapping[str, Any]) -> str:
        """A line above the question, or nothing."""
        ...

    def has_back(self, data: Mapping[str, Any]) -> bool:
        """Whether there is anything to go back to."""
        ...

    async def answered(self, turn: Turn, state: FSMContext) -> None:
        """The answer is in the draft."""
        ...

    async def back(self, turn: Turn, state: FSMContext) -> None:
        """The person doesn't want to answer this now."""
        ...


Purposes = Mapping[str, Purpose]


async def ask(
    turn: Turn,
    state: FSMContext,
    purpose: Purpose,
    field: str,
    *,
    edit: bool = False,
    introduction: str = "",
) -> None:
    """Open a question. `edit`: on the card that was tapped."""
    await state.set_state(Asking.open)
    await state.update_data(field=field)
    card = await open_card(turn, state, purpose)
    if introduction:
        card = card.with_first_line(introduction)
    turn.say.edit(card) if edit else turn.say(card)


async def open_card(turn: Turn, state: FSMContext, purpose: Purpose) -> Letter:
    """The question that is open, as it stands."""
    data = await state.get_data()
    question = questions()[data["field"]]
    themes = await _themes(turn)
    text = question.text(turn.words)
    if heading := purpose.heading(turn, data):
        text = Html(f"<i>{heading}</i>\n{text}")
    taps = question.taps(turn.words, data["draft"], themes)
    if purpose.has_back(data):
        taps.append((Tap(turn.words.label("‹ Back"), Back(field=question.field).pack()),))
    return Letter(text, tuple(taps))


async def typed(message: Message, turn: Turn, state: FSMContext, purposes: Purposes) -> None:
    """An answer in words. Stickers, voices and forwarded words are no answer."""
    data = await state.get_data()
    question, purpose = questions()[data["field"]], purposes[data["purpose"]]
    try:
        answer = question.read(_own_words(message, turn), turn.words, await _themes(turn))
    except NotUnderstood as problem:
        card = await open_card(turn, state, purpose)
        turn.say(card.with_first_line(problem.hint))
        return
    await _keep(state, question, answer)
    await purpose.answered(turn, state)


async def picked(
    _tap: CallbackQuery, callback_data: Pick, turn: Turn, state: FSMContext, purposes: Purposes
) -> None:
    """An answer by tap: the card then shows it without its buttons."""
    data = await state.get_data()
    if callback_data.field != data["field"]:
        await stale(_tap, turn)
        return
    question, purpose = questions()[callback_data.field], purposes[data["purpose"]]
    answer = None
    if callback_data.value or not question.optional:
        themes = await _themes(turn)
        try:
            answer = question.read(callback_data.value, turn.words, themes)
        except NotUnderstood as problem:
            turn.say((await open_card(turn, state, purpose)).with_first_line(problem.hint))
            return
    await _keep(state, question, answer)
    await _close_card(turn, state, question)
    await purpose.answered(turn, state)


async def ticked(
    _tap: CallbackQuery, callback_data: Tick, turn: Turn, state: FSMContext, purposes: Purposes
) -> None:
    """One theme on or off: the card shows it at once."""
    data = await state.get_data()
    themes = await _themes(turn)
    if data["field"] != "themes" or not 1 <= callback_data.number <= len(themes):
        await stale(_tap, turn)
        return
    slug = themes[callback_data.number - 1].slug
    chosen = set(data["draft"].get("themes") or ()) ^ {slug}
    answer = [theme.slug for theme in themes if theme.slug in chosen]
    await _keep(state, questions()["themes"], answer)
    turn.say.edit(await open_card(turn, state, purposes[data["purpose"]]))


async def all_ticked(
    _tap: CallbackQuery, turn: Turn, state: FSMContext, purposes: Purposes
) -> None:
    """The ticked themes are the answer, also when there are none."""
    data = await state.get_data()
    if data["field"] != "themes":
        await stale(_tap, turn)
        return
    question = questions()["themes"]
    await _keep(state, question, data["draft"].get("themes") or [])
    await _close_card(turn, state, question)
    await purposes[data["purpose"]].answered(turn, state)


async def back(
    _tap: CallbackQuery, callback_data: Back, turn: Turn, state: FSMContext, purposes: Purposes
) -> None:
    """One step back."""
    data = await state.get_data()
    if callback_data.field != data["field"]:
        await stale(_tap, turn)
        return
    await purposes[data["purpose"]].back(turn, state)


async def stale(_tap: CallbackQuery, turn: Turn) -> None:
    """A button of a question that is no longer open."""
    turn.say.toast(
        turn.words.label("This question is closed. /settings corrects what you told me.")
        if turn.registered
        else turn.words.label("You have already answered this. You can correct it at the end.")
    )


def _own_words(message: Message, turn: Turn) -> str:
    if message.text is None or message.forward_origin is not None:
        raise NotUnderstood(turn.words("Please answer by writing a short text."))
    if message.text.startswith("/"):
        raise NotUnderstood(turn.words("I don't know this command."))
    return message.text


async def _themes(turn: Turn) -> Sequence[Theme]:
    return await members.all_themes(turn.db)


async def _keep(state: FSMContext, question: Question, answer: Any) -> None:
    data = await state.get_data()
    await state.update_data(draft={**data["draft"], question.field: answer})


async def _close_card(turn: Turn, state: FSMContext, question: Question) -> None:
    draft = (await state.get_data())["draft"]
    said = question.show(draft, turn.words, await _themes(turn))
    turn.say.edit(Letter(Html(f"{question.text(turn.words)}\n<b>{said}</b>")))


def router() -> Router:
    """The questions, wired: an open one takes its answer, a closed one says so."""
    r = Router(name="asking")
    r.message.register(typed, Asking.open)
    r.callback_query.register(picked, Pick.filter(), Asking.open)
    r.callback_query.register(ticked, Tick.filter(), Asking.open)
    r.callback_query.register(all_ticked, Done.filter(), Asking.open)
    r.callback_query.register(back, Back.filter(), Asking.open)
    for closed in (Pick, Tick, Done, Back):
        r.callback_query.register(stale, closed.filter())
    return r
