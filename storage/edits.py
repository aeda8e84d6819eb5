"""Edits: what staff change by hand, each with a minute to take it back.

An edit keeps what it changed, before and after, so `undo` can tell whether somebody has changed it
again since: then it refuses. Changes of plan are noted by the same rule as an import's; whoever
undoes within the minute has told nobody anything.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import agendas, audit, plans, rsvps, search
from storage.agenda_copies import as_json, from_json
from storage.agendas import Agenda
from storage.slugs import free_slug, from_title
from storage.tables import Edit, Event, Member, Rsvp, Seat, Session, SessionTheme

# How long an edit can be undone.
UNDO = timedelta(minutes=1)
_INSTANTS, _DAYS = ("starts_at", "ends_at", "cancelled_at"), ("starts", "ends")
# What a copy of a session, or of an event, carries.
_OF_SESSION = (
    *("slug", "kind", "title", "room", "speakers", "starts_at", "ends_at", "capacity", "online"),
    "cancelled_at",
)
_OF_EVENT = (
    *("title", "subtitle", "organiser", "city", "timezone", "starts", "ends", "capacity", "sides"),
    *("guests", "promotes", "leads"),
)


class Undone(StrEnum):
    """What became of an undo."""

    DONE = "done"
    TOO_LATE = "too late"
    CHANGED = "changed since"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Undoing:
    """The answer to an undo, and where it leaves the staff; None: it is gone."""

    undone: Undone
    event_id: int | None
    session_id: int | None


# --- edits ----------------------------------------------------------------------------------


async def create_event(
    db: AsyncSession, member: Member, values: Mapping[str, Any], now: datetime
) -> tuple[Event, Edit]:
    """A new event, whose short name is made from its title."""
    event = Event(slug=await free_slug(db, from_title(values["title"])), **values)
    db.add(event)
    await db.flush()
    return event, await _kept(db, member, now, "event.created", event.id, after={})


async def create_session(
    db: AsyncSession, member: Member, event: Event, values: Mapping[str, Any], now: datetime
) -> tuple[Session, Edit]:
    """A new session of this event."""
    slug = await free_slug(db, from_title(values["title"]), event.id)
    session = Session(event_id=event.id, slug=slug, **values)
    db.add(session)
    await search.learn(db, Session.event_id == event.id, Session.slug == slug)
    ids = (event.id, session.id)
    return session, await _kept(db, member, now, "session.created", *ids, after={})


async def change_event(
    db: AsyncSession, member: Member, event: Event, values: Mapping[str, Any], now: datetime
) -> Edit:
    """Other values for some fields of an event. Its sessions stay as they are."""
    await db.refresh(event, with_for_update=True)
    before = {name: _plain(getattr(event, name)) for name in values}
    for name, value in values.items():
        setattr(event, name, value)
    after = {name: _plain(value) for name, value in values.items()}
    return await _kept(db, member, now, "event.edited", event.id, before=before, after=after)


async def change_session(
    db: AsyncSession, member: Member, session_id: int, values: Mapping[str, Any], now: datetime
) -> Edit | None:
    """Other values for some fields of a session; None: there is no such session.

    Fewer seats than are taken evict nobody: seats that are given back are then not given out again.
    """
    found = await rsvps.lock(db, session_id)
    if found is None:
        return None
    session, event = found
    before = {name: _plain(getattr(session, name)) for name in values}
    await _write(db, session, values, now)
    after = {name: _plain(value) for name, value in values.items()}
    action = "session.edited"
    if "cancelled_at" in values:
        action = "session.cancelled" if values["cancelled_at"] else "session.restored"
    ids = (event.id, session.id)
    return await _kept(db, member, now, action, *ids, before=before, after=after)


async def delete_session(
    db: AsyncSession, member: Member, session_id: int, now: datetime
) -> Edit | None:
    """Delete a session that nobody ever answered; None: it is gone, or somebody did."""
    found = await rsvps.lock(db, session_id)
    if found is None or await _answers(db, Rsvp.session_id == session_id):
        return None
    session, event = found
    themes = await db.scalars(
        select(SessionTheme.theme_id).where(SessionTheme.session_id == session_id)
    )
    before = {name: _plain(getattr(session, name)) for name in _OF_SESSION}
    before["themes"] = list(themes)
    await db.delete(session)
    await db.flush()
    ids = (event.id, session_id)
    return await _kept(db, member, now, "session.deleted", *ids, before=before)


async def duplicate(
    db: AsyncSession, member: Member, event: Event, starts: date, now: datetime
) -> tuple[Event, Edit]:
    """The same event, beginning on another day: same days apart, same times of day, no answers.

    Cancelled sessions stay behind.
    """
    shift, zone = starts - event.starts, ZoneInfo(event.timezone)
    values = {name: getattr(event, name) for name in _OF_EVENT}
    values |= {"starts": starts, "ends": event.ends + shift}
    base = re.sub(r"-(?:19|20)\d\d$", "", event.slug)
    copy = Event(slug=await free_slug(db, f"{base}-{starts.year}"), **values)
    db.add(copy)
    await db.flush()
    rows = await db.scalars(
        select(Session)
        .where(Session.event_id == event.id, Session.cancelled_at.is_(None))
        .order_by(Session.id)
    )
    themes: dict[int, list[int]] = {}
    for link in await db.scalars(
        select(SessionTheme)
        .join(Session, Session.id == SessionTheme.session_id)
        .where(Session.event_id == event.id)
    ):
        themes.setdefault(link.session_id, []).append(link.theme_id)
    copies: list[tuple[Session, list[int]]] = []
    for session in rows.all():
        fields = {name: getattr(session, name) for name in _OF_SESSION}
        for name in ("starts_at", "ends_at"):
            # The same time of day there, whatever the clocks do in between.
            fields[name] = (fields[name].astimezone(zone) + shift).astimezone(zone)
        twin = Session(event_id=copy.id, **fields)
        db.add(twin)
        copies.append((twin, themes.get(session.id, [])))
    await db.flush()
    db.add_all(
        SessionTheme(session_id=twin.id, theme_id=theme)
        for twin, about in copies
        for theme in about
    )
    await search.learn(db, Session.event_id == copy.id)
    return copy, await _kept(db, member, now, "event.repeated", copy.id, after={})


async def bring_in(db: AsyncSession, member: Member, agenda: Agenda, now: datetime) -> Edit:
    """Import an agenda. Its undo brings in the agenda that was there before."""
    before = await agendas.current(db, agenda.event.slug)
    changes = await agendas.apply(db, agenda, now)
    event_id = await db.scalar(select(Event.id).where(Event.slug == agenda.event.slug))
    after = await agendas.current(db, agenda.event.slug)
    kept: dict[str, Any] = {
        "before": {"agenda": as_json(before)} if before else None,
        "after": {"agenda": as_json(after)} if after else {},
    }
    people, action = changes.affected, "agenda.imported"
    return await _kept(db, member, now, action, event_id or 0, people=people, **kept)


# --- second thoughts ------------------------------------------------------------------------


async def undo(db: AsyncSession, member: Member, edit_id: int, now: datetime) -> Undoing | None:
    """Take back one's own edit. None: there is no such edit of this member."""
    edit = await db.get(Edit, edit_id, with_for_update=True)
    if edit is None or edit.member_id != member.id:
        return None
    event_id: int | None = edit.event_id
    session_id = edit.session_id
    if edit.undone_at is not None or now > edit.at + UNDO:
        return Undoing(Undone.TOO_LATE, event_id, session_id)
    if edit.before and "agenda" in edit.before:
        undone = await _undo_import(db, edit, now)
    else:
        undone = await (_undo_session(db, edit, now) if session_id else _undo_event(db, edit))
    if undone == Undone.DONE:
        edit.undone_at = now
        about = {"edit": edit.id, "event": event_id, "session": session_id}
        await audit.record(db, member, "edit.undone", now, about=about)
        created, deleted = edit.before is None, edit.after is None
        if created and not deleted:
            event_id, session_id = (event_id if session_id else None), None
    await db.flush()
    return Undoing(undone, event_id, session_id)


async def _undo_event(db: AsyncSession, edit: Edit) -> Undone:
    event = await db.get(Event, edit.event_id, with_for_update=True, populate_existing=True)
    if event is None:
        return Undone.CHANGED
    if edit.before is None:
        here = select(Session.id).where(Session.event_id == event.id)
        if await _answers(db, Rsvp.session_id.in_(here)):
            return Undone.ANSWERED
        await db.delete(event)
        return Undone.DONE
    if not _stands(event, edit.after):
        return Undone.CHANGED
    for name, value in edit.before.items():
        setattr(event, name, _rich(name, value))
    return Undone.DONE


async def _undo_import(db: AsyncSession, edit: Edit, now: datetime) -> Undone:
    before = from_json((edit.before or {})["agenda"])
    current = await agendas.current(db, before.event.slug)
    if current is None or {"agenda": as_json(current)} != edit.after:
        return Undone.CHANGED
    await agendas.apply(db, before, now)
    return Undone.DONE


async def _undo_session(db: AsyncSession, edit: Edit, now: datetime) -> Undone:
    session_id = edit.session_id or 0
    if edit.after is None and edit.before is not None:
        return await _bring_back(db, edit)
    found = await rsvps.lock(db, session_id)
    if found is None:
        return Undone.CHANGED
    session, _event = found
    if edit.before is None:
        if await _answers(db, Rsvp.session_id == session_id):
            return Undone.ANSWERED
        await db.delete(session)
        return Undone.DONE
    if not _stands(session, edit.after):
        return Undone.CHANGED
    await _write(db, session, {n: _rich(n, v) for n, v in edit.before.items()}, now)
    return Undone.DONE


async def _bring_back(db: AsyncSession, edit: Edit) -> Undone:
    before = dict(edit.before or {})
    themes = before.pop("themes")
    taken = select(Session.id).where(
        Session.event_id == edit.event_id, Session.slug == before["slug"]
    )
    if await db.get(Event, edit.event_id) is None or await db.scalar(taken) is not None:
        return Undone.CHANGED
    values = {name: _rich(name, value) for name, value in before.items()}
    db.add(Session(id=edit.session_id, event_id=edit.event_id, **values))
    await db.flush()
    db.add_all(SessionTheme(session_id=edit.session_id, theme_id=theme) for theme in themes)
    await search.learn(db, Session.id == edit.session_id)
    return Undone.DONE


# --- in common ------------------------------------------------------------------------------


async def _write(
    db: AsyncSession, session: Session, values: Mapping[str, Any], now: datetime
) -> None:
    before = plans.Plan.of(session)
    for name, value in values.items():
        setattr(session, name, value)
    await search.learn(db, Session.id == session.id)
    await plans.revise(db, [(session, before)], now)


async def _kept(  # noqa: PLR0917  # who, when, what and about which
    db: AsyncSession,
    member: Member,
    now: datetime,
    action: str,
    event_id: int,
    session_id: int | None = None,
    *,
    people: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Edit:
    edit = Edit(
        member_id=member.id,
        event_id=event_id,
        session_id=session_id,
        before=before,
        after=after,
        at=now,
        undone_at=None,
    )
    db.add(edit)
    await db.flush()
    about = {"edit": edit.id, "event": event_id}
    if session_id is not None:
        about["session"] = session_id
        standing = (Rsvp.session_id == session_id, Rsvp.state != Seat.CANCELLED)
        people = await db.scalar(select(func.count()).select_from(Rsvp).where(*standing))
    await audit.record(db, member, action, now, about=about, people=people)
    return edit


def _stands(row: Event | Session, after: Mapping[str, Any] | None) -> bool:
    return all(_plain(getattr(row, name)) == value for name, value in (after or {}).items())


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _rich(name: str, value: Any) -> Any:
    if value is not None and name in _INSTANTS:
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if value is not None and name in _DAYS else value


async def _answers(db: AsyncSession, *which: Any) -> bool:
    return bool(await db.scalar(select(func.count()).select_from(Rsvp).where(*which)))


async def forget(db: AsyncSession, before: datetime) -> None:
    """Drop what can't be undone any more."""
    await db.execute(
        delete(Edit).where(Edit.at < before).execution_options(synchronize_session=False)
    )
