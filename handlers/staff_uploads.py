"""Agenda files sent to the chat: received, read by somebody else, shown as what they would change.

Nothing is changed before a tap, and the tap does what was shown: if things have changed meanwhile,
it is shown again first.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from aiogram import F, Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import agenda_flaws, agenda_problems, staff_acts, staff_events
from handlers.agenda_remarks import About, Remark, told
from handlers.correspondence import Writing
from handlers.letters import Letter, Tap
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, cleaned, quote, shortened
from storage import agendas, edits, uploads
from storage.agenda_copies import from_json, mark
from storage.agendas import Agenda, Changes, PlannedSession
from storage.tables import Upload

# Bot API, getFile: what a bot may download.
MAX_BYTES = 20 * 1024 * 1024
# Of a long list this many are named.
_NAMED = 5
_SHORT = 40


class Apply(CallbackData, prefix="upyes"):
    """Do what the preview says."""

    upload: int


class Discard(CallbackData, prefix="upno"):
    """Do nothing."""

    upload: int


async def received(message: Message, turn: Turn) -> None:
    """A file: it is read in a moment, and its preview follows."""
    words, document = turn.words, message.document
    if document is None:
        return
    name = cleaned(document.file_name or "") or "agenda"
    if (document.file_size or 0) > MAX_BYTES:
        turn.say(Letter(words("This file is too large: 20 MB are the most that I can fetch.")))
        return
    uploads.receive(turn.db, turn.member, name[-255:], document.file_id, turn.now)
    turn.say(
        Letter(
            words("📄 I am reading {name}. What it would change follows in a moment.", name=name)
        )
    )


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The previews; None for what was replaced by another file meanwhile."""
    found = await uploads.by_ids(db, [one.about["upload"] for one in writings])
    letters: list[Letter | None] = []
    for one in writings:
        upload = found.get(one.about["upload"])
        if upload is None or upload.settled_at is not None:
            letters.append(None)
        elif upload.agenda is None:
            letters.append(_refusal(one.words, upload))
        else:
            letters.append(await _preview(db, one.words, upload))
    return letters


def _refusal(words: Words, upload: Upload) -> Letter:
    lines = [
        words("⚠️ <b>{name} can't be imported.</b> Nothing is changed.", name=upload.name),
        "",
        *(Html(f"• {_mistake(words, upload, one)}") for one in upload.problems or ()),
        "",
        words("Please correct the file and send it again."),
    ]
    return Letter(Html("\n".join(lines)))


def _mistake(words: Words, upload: Upload, kept: Any) -> Html:
    if isinstance(kept, str):  # as earlier versions kept them: in English
        return quote(kept)
    if more := kept.get("more"):
        return words.plural("… and {n} more", "… and {n} more", more)
    name = shortened(upload.name, _SHORT)  # it is told with each mistake
    return agenda_problems.told(words, name, agenda_flaws.from_json(kept))


async def _preview(db: AsyncSession, words: Words, upload: Upload) -> Letter:
    """What the file would change now; this is what its sender has seen from here on."""
    agenda = from_json(upload.agenda or {})
    changes = await agendas.compare(db, agenda)
    upload.shown = mark(changes)
    lines = [
        words("📄 <b>{name}</b>", name=upload.name),
        Html(f"<b>{quote(words.pick(agenda.event.title))}</b>"),
    ]
    remarks = [
        Remark(About(r["about"]), r["count"], tuple(r["examples"])) for r in upload.remarks or ()
    ]
    if remarks:
        lines += [Html(""), *(Html(f"ℹ️ {said}") for said in told(words, remarks))]
    if not changes:
        lines += [Html(""), words("It says what the agenda says already: nothing would change.")]
        return Letter(Html("\n".join(lines)))
    for section in _sections(words, agenda, changes):
        lines += [Html(""), section]
    yes = Tap(words.label("Apply"), Apply(upload=upload.id).pack())
    no = Tap(words.label("Discard"), Discard(upload=upload.id).pack())
    return Letter(Html("\n".join(lines)), ((yes, no),))


def _sections(words: Words, agenda: Agenda, changes: Changes) -> Iterable[Html]:
    zone = ZoneInfo(agenda.event.timezone)

    def title(session: PlannedSession) -> Html:
        return quote(words.pick(session.title))

    def when(session: PlannedSession) -> Html:
        day = words.short_day(session.starts_at.astimezone(zone).date())
        return Html(f"{day} {words.clock(session.starts_at, zone)}")

    def affected(seats: int) -> Html:
        said = words.plural("{n} seat affected", "{n} seats affected", seats)
        return Html(f" ({said})") if seats else Html("")

    if changes.event_created:
        yield words("✨ A new event")
    elif changes.event_changes:
        yield words("✎ The event's own facts change.")
    yield from _section(
        words,
        words("➕ <b>Added</b>: {n}", n=len(changes.added)),
        [Html(f"{when(one)} · {title(one)}") for one in changes.added],
    )
    yield from _section(
        words,
        words("↩️ <b>Put back</b>: {n}", n=len(changes.restored)),
        [Html(f"{title(one.after)}{affected(one.seats)}") for one in changes.restored],
    )
    yield from _section(
        words,
        words("🕘 <b>Moved</b>: {n}", n=len(changes.moved)),
        [
            Html(f"{title(it.after)} · {when(it.before)} → {when(it.after)}{affected(it.seats)}")
            for it in changes.moved
        ],
    )
    yield from _section(
        words,
        words("✎ <b>Changed</b>: {n}", n=len(changes.changed)),
        [_renamed(it.before, it.after, title) for it in changes.changed],
    )
    yield from _section(
        words,
        words("❌ <b>Removed</b>: {n}", n=len(changes.removed)),
        [Html(f"{title(one.before)}{affected(one.seats)}") for one in changes.removed],
    )
    themes = len(changes.themes_added) + len(changes.themes_renamed)
    yield from _section(words, words("🏷 <b>Themes</b>: {n}", n=themes), [Html("")] * themes)


def _renamed(
    before: PlannedSession, after: PlannedSession, title: Callable[[PlannedSession], Html]
) -> Html:
    old, new = title(before), title(after)
    return new if old == new else Html(f"{old} → {new}")


def _section(words: Words, heading: Html, lines: Sequence[Html]) -> Iterable[Html]:
    if not lines:
        return
    shown = [f"• {line}" for line in lines[:_NAMED] if line]
    if (more := len(lines) - _NAMED) > 0 and shown:
        shown.append(words.plural("… and {n} more", "… and {n} more", more))
    yield Html("\n".join([heading, *shown]))


async def apply(_tap: CallbackQuery, callback_data: Apply, turn: Turn) -> None:
    """Yes: it is done if it is still what was shown."""
    words = turn.words
    upload = await uploads.open_one(turn.db, turn.member, callback_data.upload, turn.now)
    if upload is None:
        _gone(turn)
        return
    agenda = from_json(upload.agenda or {})
    changes = await agendas.compare(turn.db, agenda)
    if mark(changes) != upload.shown:
        letter = await _preview(turn.db, words, upload)
        turn.say.edit(
            letter.with_first_line(words("⚠️ Things have changed since. Now it would be this:"))
        )
        return
    upload.settled_at = turn.now
    edit = await edits.bring_in(turn.db, turn.member, agenda, turn.now)
    card = await staff_events.event_card(turn, edit.event_id)
    seats = [one.seats for one in changes.moved] + [one.seats for one in changes.restored]
    told = any(seats) or any(one.seats for one in changes.removed)
    turn.say.edit(staff_acts.done(turn, card, edit, told=told))


async def discard(_tap: CallbackQuery, callback_data: Discard, turn: Turn) -> None:
    """No."""
    upload = await uploads.open_one(turn.db, turn.member, callback_data.upload, turn.now)
    if upload is None:
        _gone(turn)
        return
    upload.settled_at = turn.now
    turn.say.edit(Letter(turn.words("Discarded: nothing is changed.")))


def _gone(turn: Turn) -> None:
    turn.say.toast(turn.words.label("This file is settled or too old. Please send it again."))


def router() -> Router:
    """Files of staff, wired before the questions, which read texts only."""
    r = Router(name="staff_uploads")
    r.message.register(received, F.document, of_staff)
    r.callback_query.register(apply, Apply.filter(), of_staff)
    r.callback_query.register(discard, Discard.filter(), of_staff)
    return r
