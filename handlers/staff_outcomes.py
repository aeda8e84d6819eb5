"""What becomes of staff's forms: the answers are given, and all is done at once, with an undo."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any

from handlers import staff_acts, staff_events
from handlers.letters import Letter
from handlers.staff_questions import Form
from handlers.turns import Turn
from handlers.words import AUTONYMS
from storage import edits, overviews
from storage.tables import Session, Trilingual


async def of(turn: Turn, name: str, id_: int, form: Form) -> Letter:
    """Do what the form of this name was for, and show it."""
    outcomes: dict[str, Callable[[Turn, int, Form], Awaitable[Letter]]] = {
        "event": _new_event,
        "session": _new_session,
        "repeat": _repeated,
        **dict.fromkeys(("etitle", "place", "dates", "ecapacity"), _changed_event),
        **dict.fromkeys(("title", "when", "room", "capacity", "kind"), _changed_session),
    }
    return await outcomes[name](turn, id_, form)


async def _new_event(turn: Turn, _id: int, form: Form) -> Letter:
    values = {
        "title": _title(form, {}),
        "city": form.draft["city"],
        "timezone": form.draft["zone"],
        "starts": date.fromisoformat(form.draft["starts"]),
        "ends": date.fromisoformat(form.draft["ends"]),
    }
    event, edit = await edits.create_event(turn.db, turn.member, values, turn.now)
    return staff_acts.done(turn, await staff_events.event_card(turn, event.id), edit)


async def _new_session(turn: Turn, _id: int, form: Form) -> Letter:
    if form.event is None:
        return await staff_events.list_letter(turn)
    values = {
        "title": _title(form, {}),
        "starts_at": form.instant("start"),
        "ends_at": form.instant("end"),
        **form.draft["room"],
        "capacity": form.draft["capacity"],
        "kind": form.draft["kind"],
    }
    session, edit = await edits.create_session(turn.db, turn.member, form.event, values, turn.now)
    return staff_acts.done(turn, await staff_events.session_card(turn, session.id), edit)


async def _repeated(turn: Turn, _id: int, form: Form) -> Letter:
    if form.event is None:
        return await staff_events.list_letter(turn)
    starts = date.fromisoformat(form.draft["starts"])
    event, edit = await edits.duplicate(turn.db, turn.member, form.event, starts, turn.now)
    return staff_acts.done(turn, await staff_events.event_card(turn, event.id), edit)


async def _changed_event(turn: Turn, event_id: int, form: Form) -> Letter:
    if form.event is None:
        return await staff_events.list_letter(turn)
    values: dict[str, Any] = {}
    if "zone" in form.draft:
        values = {"city": form.draft["city"], "timezone": form.draft["zone"]}
    elif "starts" in form.draft:
        values = {name: date.fromisoformat(form.draft[name]) for name in ("starts", "ends")}
    elif "capacity" in form.draft:
        values = {"capacity": form.draft["capacity"]}
    else:
        values = {"title": _title(form, form.event.title)}
    edit = await edits.change_event(turn.db, turn.member, form.event, values, turn.now)
    return staff_acts.done(turn, await staff_events.event_card(turn, event_id), edit)


async def _changed_session(turn: Turn, session_id: int, form: Form) -> Letter:
    session = await turn.db.get(Session, session_id)
    if session is None:
        return await staff_events.session_card(turn, session_id)
    draft = form.draft
    values: dict[str, Any] = {}
    told = False
    if "day" in draft:
        values = {"starts_at": form.instant("start"), "ends_at": form.instant("end")}
        told = (session.starts_at, session.ends_at) != tuple(values.values())
    elif "room" in draft:
        values = draft["room"]
        told = (session.room, session.online) != tuple(values.values())
    elif "capacity" in draft or "kind" in draft:
        values = draft
    else:
        values = {"title": _title(form, session.title)}
    found = await overviews.of_session(turn.db, session_id)
    edit = await edits.change_session(turn.db, turn.member, session_id, values, turn.now)
    card = await staff_events.session_card(turn, session_id)
    concerned = told and found is not None and staff_acts.concerned(found[2])
    return staff_acts.done(turn, card, edit, told=concerned)


def _title(form: Form, before: Mapping[str, str]) -> Trilingual:
    """The title in all languages: where none was given, the one it had, or that of the first."""
    given: dict[str, str] = {
        name[6:]: said for name, said in form.draft.items() if name.startswith("title_")
    }
    first = next(said for said in given.values() if said)
    own = next(language for language, said in given.items() if said)
    # What only repeated the old title follows the new one.
    kept = {lang: said for lang, said in before.items() if said != before.get(own)}
    return {lang: given.get(lang) or kept.get(lang) or first for lang in AUTONYMS}
