"""What staff do with one tap, and how they take it back.

Whatever was done can be undone with a tap for a minute; in that minute nobody else is told.
"""

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery

from handlers import staff_choices, staff_events
from handlers.letters import Letter, Tap
from handlers.staff_events import Act
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import Html
from storage import edits, events, overviews
from storage.edits import Undone
from storage.overviews import Counts
from storage.tables import Edit


class Undo(CallbackData, prefix="undo"):
    """Take this edit back."""

    edit: int


async def act(_tap: CallbackQuery, callback_data: Act, turn: Turn) -> None:
    """One tap, done, with an undo."""
    verb, id_ = callback_data.verb, callback_data.id
    if verb in staff_choices.VERBS:
        await _act_on_event(turn, verb, id_)
    elif verb == "delete":
        await _delete(turn, id_)
    elif verb in ("cancel", "restore"):
        await _cancel_or_restore(turn, verb, id_)


async def _act_on_event(turn: Turn, verb: str, event_id: int) -> None:
    event = await events.by_id(turn.db, event_id)
    edit = None
    if event is not None:
        values = staff_choices.chosen(event, verb)
        edit = await edits.change_event(turn.db, turn.member, event, values, turn.now)
    turn.say.edit(done(turn, await staff_choices.page(turn, event_id), edit))


async def _delete(turn: Turn, session_id: int) -> None:
    words = turn.words
    edit = await edits.delete_session(turn.db, turn.member, session_id, turn.now)
    if edit is None:
        turn.say.toast(words.label("Somebody has answered it: you can cancel it instead."))
        turn.say.edit(await staff_events.session_card(turn, session_id))
        return
    turn.say.edit(done(turn, await staff_events.event_card(turn, edit.event_id), edit))


async def _cancel_or_restore(turn: Turn, verb: str, session_id: int) -> None:
    found = await overviews.of_session(turn.db, session_id)
    already = found is not None and (found[0].cancelled_at is not None) == (verb == "cancel")
    if found is None or already:
        turn.say.edit(await staff_events.session_card(turn, session_id))
        return
    value = {"cancelled_at": turn.now if verb == "cancel" else None}
    edit = await edits.change_session(turn.db, turn.member, session_id, value, turn.now)
    turn.say.edit(
        done(
            turn, await staff_events.session_card(turn, session_id), edit, told=concerned(found[2])
        )
    )


def concerned(counts: Counts) -> bool:
    """Whether there is anybody to tell."""
    return bool(counts.seated or counts.offered or counts.waiting)


def done(turn: Turn, card: Letter, edit: Edit | None, *, told: bool = False) -> Letter:
    """The card after an edit: that it is done, and the tap that takes it back."""
    words = turn.words
    if edit is None:
        return card
    line = words("✅ Done. You can undo this for a minute.")
    if told:
        line = words("✅ Done. In a minute those concerned are told; until then you can undo it.")
    undo_row = (Tap(words.label("↩️ Undo"), Undo(edit=edit.id).pack()),)
    return Letter(Html(f"{line}\n\n{card.text}"), (undo_row, *card.taps))


async def undo(_tap: CallbackQuery, callback_data: Undo, turn: Turn) -> None:
    """Back as it was, if it can be."""
    words = turn.words
    undoing = await edits.undo(turn.db, turn.member, callback_data.edit, turn.now)
    if undoing is None:
        turn.say.toast(words.label("Only who did this can undo it."))
        return
    turn.say.toast(
        {
            Undone.DONE: words.label("Undone."),
            Undone.TOO_LATE: words.label("The minute is over: please change it by hand."),
            Undone.CHANGED: words.label("It was changed again since: please look at it first."),
            Undone.ANSWERED: words.label("Somebody has a seat there by now: it stays."),
        }[undoing.undone]
    )
    if undoing.session_id is not None:
        turn.say.edit(await staff_events.session_card(turn, undoing.session_id))
    elif undoing.event_id is not None:
        turn.say.edit(await staff_events.event_card(turn, undoing.event_id))
    else:
        turn.say.edit(await staff_events.list_letter(turn))


def router() -> Router:
    """What is done at once, wired."""
    r = Router(name="staff_acts")
    r.callback_query.register(act, Act.filter(), of_staff)
    r.callback_query.register(undo, Undo.filter(), of_staff)
    return r
