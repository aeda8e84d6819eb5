"""Registration: one question at a time, a way back, a summary, consent.

    name > country > city > profession > organisation > themes > side > summary > consent

Nothing that was answered is a member's data until they agree to it being kept. What else they agree
to they tick themselves, each by itself; the privacy notice is one tap away.
"""

from collections.abc import Mapping
from typing import Any

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery

from handlers import asking, notices, profile, rsvps, topics
from handlers.asking import Asking
from handlers.letters import Letter, Tap
from handlers.places import zone_of
from handlers.turns import Turn
from storage import members, purposes
from storage.tables import Purpose

PURPOSE = "registration"


class Registration(StatesGroup):
    """After the questions."""

    summary = State()
    consent = State()


class Correct(CallbackData, prefix="fix"):
    """Ask this question again."""

    field: str


class Confirm(CallbackData, prefix="right"):
    """The summary is right."""


class Review(CallbackData, prefix="review"):
    """Back from the consent to the summary."""


class Consider(CallbackData, prefix="consider"):
    """On the card of the consent: tick a purpose, `read` the notice, or come back to the `card`."""

    what: str


class Agree(CallbackData, prefix="agree"):
    """The answer: register me, with what I ticked, or not."""

    yes: bool


class Resume(CallbackData, prefix="resume"):
    """After /cancel: go on, or erase the answers."""

    go_on: bool


class Registering:
    """The purpose of the first walk through the questions, and of corrections on the way."""

    def heading(self, turn: Turn, data: Mapping[str, Any]) -> str:
        """How far there is to go."""
        if data.get("correcting"):
            return ""
        fields = list(profile.questions())
        return turn.words(
            "Question {number} of {all}", number=fields.index(data["field"]) + 1, all=len(fields)
        )

    def has_back(self, data: Mapping[str, Any]) -> bool:
        """Everywhere but at the first question."""
        return bool(data.get("correcting")) or data["field"] != next(iter(profile.questions()))

    async def answered(self, turn: Turn, state: FSMContext) -> None:
        """On to the next question, or to the summary."""
        data = await state.get_data()
        fields = list(profile.questions())
        following = fields[fields.index(data["field"]) + 1 :]
        if following and following[0] == "themes" and not await members.all_themes(turn.db):
            following = following[1:]
        # A city belongs to its country: whoever corrects the one is asked for the other.
        if following and (not data.get("correcting") or data["field"] == "country"):
            await asking.ask(turn, state, self, following[0])
            return
        turn.say(await _show_summary(turn, state))

    async def back(self, turn: Turn, state: FSMContext) -> None:
        """To the question before, or to the summary that asked for a correction."""
        data = await state.get_data()
        if data.get("correcting"):
            turn.say.edit(await _show_summary(turn, state))
            return
        fields = list(profile.questions())
        before = fields[max(0, fields.index(data["field"]) - 1)]
        await asking.ask(turn, state, self, before, edit=True)


async def begin(turn: Turn, state: FSMContext, *, door: str = "") -> None:
    """Start registration, or go on where the person stopped. It leads to `door`."""
    if door:
        await state.update_data(door=door)
    if await in_progress(state):
        turn.say(await present(turn, state))
        return
    await state.update_data(purpose=PURPOSE, draft={}, correcting=False)
    introduction = turn.words(
        "I am Jisr, the bridge between your community, your consulate and your events. "
        "A few short questions, and you can take your seats. "
        "You can stop at any time and come back later."
    )
    first = next(iter(profile.questions()))
    await asking.ask(turn, state, Registering(), first, introduction=introduction)


async def in_progress(state: FSMContext) -> bool:
    """Whether the person is somewhere between the first question and the consent."""
    steps = (Asking.open.state, Registration.summary.state, Registration.consent.state)
    if await state.get_state() not in steps:
        return False
    return (await state.get_data()).get("purpose") == PURPOSE


async def present(turn: Turn, state: FSMContext) -> Letter:
    """The card of the step at which the person stands."""
    step = await state.get_state()
    if step == Registration.summary.state:
        return await _show_summary(turn, state)
    if step == Registration.consent.state:
        return await _consent(turn, state)
    return await asking.open_card(turn, state, Registering())


def paused(turn: Turn) -> Letter:
    """What /cancel says in the middle of registration."""
    return Letter(
        turn.words("Let's stop here for now. Your answers so far are kept."),
        (
            (Tap(turn.words.label("Go on"), Resume(go_on=True).pack()),),
            (Tap(turn.words.label("Erase my answers"), Resume(go_on=False).pack()),),
        ),
    )


async def resumed(
    _tap: CallbackQuery, callback_data: Resume, turn: Turn, state: FSMContext
) -> None:
    """The answer to `paused`."""
    if not await in_progress(state):
        turn.say.toast(turn.words.label("There is nothing to go on with. /start begins again."))
    elif callback_data.go_on:
        turn.say.edit(await present(turn, state))
    else:
        await state.clear()
        turn.say.edit(Letter(turn.words("Your answers are erased. /start begins again.")))


async def correct(
    _tap: CallbackQuery, callback_data: Correct, turn: Turn, state: FSMContext
) -> None:
    """Ask one question again and come back to the summary."""
    if callback_data.field in profile.questions():
        await state.update_data(correcting=True)
        await asking.ask(turn, state, Registering(), callback_data.field, edit=True)


async def confirmed(_tap: CallbackQuery, turn: Turn, state: FSMContext) -> None:
    """The summary is right: now the consent."""
    await state.set_state(Registration.consent)
    turn.say.edit(await _show_summary_closed(turn, state))
    turn.say(await _consent(turn, state))


async def review(_tap: CallbackQuery, turn: Turn, state: FSMContext) -> None:
    """Something on the summary was not right after all."""
    turn.say.edit(await _show_summary(turn, state))


async def considered(
    _tap: CallbackQuery, callback_data: Consider, turn: Turn, state: FSMContext
) -> None:
    """A purpose is ticked, or the notice is read, on the same card."""
    if callback_data.what == "read":
        back = Tap(turn.words.label("‹ Back"), Consider(what="card").pack())
        turn.say.edit(Letter(notices.text(turn.words, turn.terms), ((back,),)))
        return
    ticked = await _ticked(state)
    ticked ^= {one for one in topics.ASKED if one == callback_data.what}
    await state.update_data(ticked=sorted(ticked))
    turn.say.edit(await _consent(turn, state))


async def consented(
    _tap: CallbackQuery, callback_data: Agree, turn: Turn, state: FSMContext
) -> None:
    """The last step: a member at last, or nothing kept."""
    words, member = turn.words, turn.member
    data, ticked = await state.get_data(), await _ticked(state)
    await state.clear()
    if not callback_data.yes:
        turn.say.edit(
            Letter(
                words(
                    "Very well: your answers are erased. You can still read the agenda: /agenda. "
                    "If you change your mind, /start begins again."
                )
            )
        )
        return
    answers = profile.from_draft(data["draft"])
    zone = zone_of(answers.country, answers.city)
    await members.register(turn.db, member, answers, turn.now, zone=zone)
    agreed, version = (*topics.NEEDED, *sorted(ticked)), turn.terms.version
    await purposes.agree(turn.db, member, agreed, turn.now, version=version, channel=turn.channel)
    member.notice = version
    turn.say.edit(
        Letter(
            words(
                "Welcome, {name}! You are registered. /settings changes anything you told me.",
                name=member.name or "",
            )
        )
    )
    turn.say(await rsvps.behind(turn, data.get("door", "")))


async def at_summary(_message: object, turn: Turn, state: FSMContext) -> None:
    """Words where a tap is asked for: the card comes again."""
    card = await present(turn, state)
    turn.say(card.with_first_line(turn.words("Please tap one of the buttons.")))


async def stale(_tap: CallbackQuery, turn: Turn) -> None:
    """A button of a step that is behind."""
    turn.say.toast(turn.words.label("This step is behind you."))


async def _show_summary(turn: Turn, state: FSMContext) -> Letter:
    await state.set_state(Registration.summary)
    await state.update_data(correcting=False)
    words = turn.words
    taps = [
        Tap(f"✎ {question.title(words)}", Correct(field=field).pack())
        for field, question in profile.questions().items()
    ]
    rows = [tuple(taps[at : at + 2]) for at in range(0, len(taps), 2)]
    summary = await _show_summary_closed(turn, state)
    return Letter(summary.text, ((Tap(words.label("Yes, that's right"), Confirm().pack()),), *rows))


async def _show_summary_closed(turn: Turn, state: FSMContext) -> Letter:
    draft = (await state.get_data())["draft"]
    answers = profile.summary(draft, turn.words, await members.all_themes(turn.db))
    return Letter(answers).with_first_line(turn.words("Is this right?"))


async def _consent(turn: Turn, state: FSMContext) -> Letter:
    words, ticked = turn.words, await _ticked(state)
    rows = [
        (Tap(topics.switch(words, one, on=one in ticked), Consider(what=one.value).pack()),)
        for one in topics.ASKED
    ]
    return Letter(
        words(
            "<b>One last thing: your data.</b>\n\n"
            "To register you I keep these answers and your seats, run the events you choose and "
            "remind you of them. Anything else is up to you: tick what you like. /settings "
            "changes it at any time, /stop ends it.\n\n"
            "Do you agree?"
        ),
        (
            *rows,
            (Tap(words.label("🔒 Who keeps it, why, how long"), Consider(what="read").pack()),),
            (Tap(words.label("I agree"), Agree(yes=True).pack()),),
            (Tap(words.label("I don't agree"), Agree(yes=False).pack()),),
            (Tap(words.label("‹ Back"), Review().pack()),),
        ),
    )


async def _ticked(state: FSMContext) -> set[Purpose]:
    """What the person ticked on the card of the consent; at first nothing."""
    return {Purpose(one) for one in (await state.get_data()).get("ticked", ())}


def router() -> Router:
    """Registration, wired; its questions are `asking`'s."""
    r = Router(name="registration")
    r.callback_query.register(resumed, Resume.filter())
    r.callback_query.register(correct, Correct.filter(), Registration.summary)
    r.callback_query.register(confirmed, Confirm.filter(), Registration.summary)
    r.callback_query.register(review, Review.filter(), Registration.consent)
    r.callback_query.register(considered, Consider.filter(), Registration.consent)
    r.callback_query.register(consented, Agree.filter(), Registration.consent)
    r.message.register(at_summary, Registration.summary)
    r.message.register(at_summary, Registration.consent)
    for closed in (Correct, Confirm, Review, Consider, Agree):
        r.callback_query.register(stale, closed.filter())
    return r
