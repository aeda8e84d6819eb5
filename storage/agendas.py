"""Agendas: what a programme file says, what the database says, and the difference between the two.

An import is repeated whenever the organisers change their minds, so it is a comparison: `compare`
tells what would change and `apply` makes it so. The same agenda twice changes nothing the second
time. People come first: a session that somebody answered is never deleted, only cancelled, and it
returns with its answers if it is put back in the file.

Themes belong to all events. An import adds them and renames them, and never deletes one.
"""

from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import plans, search, tables
from storage.tables import Trilingual

# --- what a file says -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEvent:
    """An event as its organisers plan it."""

    slug: str
    title: Trilingual
    timezone: str
    starts: date
    ends: date
    city: str | None = None
    subtitle: Trilingual | None = None
    organiser: Trilingual | None = None
    capacity: int | None = None
    sides: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTheme:
    """A theme as its organisers name it."""

    slug: str
    name: Trilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSession:
    """A session as its organisers plan it. Its instants are aware, and kept in UTC."""

    slug: str
    kind: str
    title: Trilingual
    starts_at: datetime
    ends_at: datetime
    room: Trilingual | None = None
    capacity: int | None = None
    online: bool = False
    speakers: tuple[str, ...] = ()
    themes: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Keep instants in UTC: two zones compare badly in the hour when clocks change."""
        for name in ("starts_at", "ends_at"):
            instant: datetime = getattr(self, name)
            if instant.tzinfo is None:
                raise ValueError("an instant needs a zone")
            object.__setattr__(self, name, instant.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Agenda:
    """One event with all its sessions, and the themes that they name."""

    event: PlannedEvent
    themes: tuple[PlannedTheme, ...]
    sessions: tuple[PlannedSession, ...]

    def __post_init__(self) -> None:
        """Raise ValueError for what no database could hold: double slugs, themes from nowhere."""
        themes = {theme.slug for theme in self.themes}
        if len(themes) < len(self.themes) or len(self.sessions) > len(
            {session.slug for session in self.sessions}
        ):
            raise ValueError("a slug stands for one theme or one session")
        if any(not session.themes <= themes for session in self.sessions):
            raise ValueError("a session's themes are listed in its agenda")


# --- what an import changes -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One field, before and after."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Renamed:
    """A theme has a new name, in every event that uses it."""

    before: PlannedTheme
    after: PlannedTheme


@dataclass(frozen=True, slots=True)
class Removed:
    """A session left the programme. It is `kept`, as cancelled, if anybody ever answered it."""

    before: PlannedSession
    seats: int
    kept: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """A cancelled session is back in the programme, with the seats it had."""

    after: PlannedSession
    seats: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A session is held at another time."""

    before: PlannedSession
    after: PlannedSession
    seats: int


@dataclass(frozen=True, slots=True)
class Changed:
    """Something else about a session is different: title, kind, room, capacity and the like."""

    before: PlannedSession
    after: PlannedSession
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All that an import changes; false when that is nothing.

    `seats` counts the members whom a change affects: all who answered and have not cancelled, so
    confirmed, waitlisted, offered and checked in. A session may be restored, moved and changed.
    """

    event_created: bool = False
    event_changes: tuple[Change, ...] = ()
    themes_added: tuple[PlannedTheme, ...] = ()
    themes_renamed: tuple[Renamed, ...] = ()
    added: tuple[PlannedSession, ...] = ()
    removed: tuple[Removed, ...] = ()
    restored: tuple[Restored, ...] = ()
    moved: tuple[Moved, ...] = ()
    changed: tuple[Changed, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, part.name) for part in fields(self))

    @property
    def affected(self) -> int:
        """How many seats are moved, taken away or given back."""
        moved = sum(one.seats for one in self.moved)
        back = sum(one.seats for one in self.restored)
        return moved + back + sum(one.seats for one in self.removed)


# --- the rules ------------------------------------------------------------------------------


async def planned(db: AsyncSession, slug: str) -> Agenda | None:
    """What the database says of an event, as a file would say it; without what was cancelled."""
    stored = await _load(db, slug)
    event = stored.planned()
    if event is None:
        return None
    sessions = tuple(s.planned() for s in stored.sessions.values() if s.row.cancelled_at is None)
    used = {slug for session in sessions for slug in session.themes}
    themes = sorted(
        (theme for theme in stored.themes.values() if theme.slug in used), key=lambda t: t.id
    )
    named = tuple(PlannedTheme(slug=theme.slug, name=theme.name) for theme in themes)
    return Agenda(event, named, sessions)


async def compare(db: AsyncSession, agenda: Agenda) -> Changes:
    """What `apply` would change. Writes nothing."""
    return _difference(await _load(db, agenda.event.slug), agenda)


async def current(db: AsyncSession, slug: str) -> Agenda | None:
    """What the database says of this event, without what is cancelled; None: there is none."""
    stored = await _load(db, slug)
    event = stored.planned()
    if event is None:
        return None
    held = [one.planned() for one in stored.sessions.values() if one.row.cancelled_at is None]
    named = {theme for session in held for theme in session.themes}
    themes = [PlannedTheme(slug=t, name=stored.themes[t].name) for t in sorted(named)]
    return Agenda(event, tuple(themes), tuple(held))


async def apply(db: AsyncSession, agenda: Agenda, now: datetime) -> Changes:
    """Make the database say what `agenda` says, and tell what that changed."""
    # Locked, so that nobody takes a seat between our count of the answers and a deletion.
    stored = await _load(db, agenda.event.slug, lock=True)
    changes = _difference(stored, agenda)

    themes = stored.themes
    _write_themes(db, agenda, themes)
    event = stored.event or tables.Event(slug=agenda.event.slug)
    sides = agenda.event.sides
    _write(
        db,
        event,
        {name: getattr(agenda.event, name) for name in _EVENT_COLUMNS}
        | {"sides": None if sides is None else list(sides)},
    )
    await db.flush()  # they have ids now

    held = stored.sessions
    before = [(one.row, plans.Plan.of(one.row)) for one in held.values()]
    for session in agenda.sessions:
        if session.slug not in held:
            held[session.slug] = _Held(tables.Session(event_id=event.id, slug=session.slug))
        values = {name: getattr(session, name) for name in _SESSION_COLUMNS}
        values |= {"speakers": list(session.speakers) or None, "cancelled_at": None}
        _write(db, held[session.slug].row, values)
    for gone in changes.removed:
        if gone.kept:
            held[gone.before.slug].row.cancelled_at = now
        else:
            await db.delete(held[gone.before.slug].row)
    await db.flush()
    await plans.revise(db, before, now)

    for session in agenda.sessions:
        row, links = held[session.slug].row, held[session.slug].links
        for slug in sorted(session.themes - links.keys()):
            db.add(tables.SessionTheme(session_id=row.id, theme_id=themes[slug].id))
        for slug in links.keys() - session.themes:
            await db.delete(links[slug])
    await db.flush()
    await _learn(db, event, themes, changes)
    return changes


async def _learn(
    db: AsyncSession, event: tables.Event, themes: dict[str, tables.Theme], changes: Changes
) -> None:
    """Keep what sessions are found by, also where another event uses a theme that is renamed."""
    if not changes:
        return
    link, session = tables.SessionTheme, tables.Session
    renamed = [themes[it.after.slug].id for it in changes.themes_renamed]
    about = select(link.session_id).where(link.theme_id.in_(renamed))
    await search.learn(db, (session.event_id == event.id) | session.id.in_(about))


def _write_themes(db: AsyncSession, agenda: Agenda, themes: dict[str, tables.Theme]) -> None:
    for theme in agenda.themes:
        row = themes.setdefault(theme.slug, tables.Theme(slug=theme.slug))
        if _says_more(theme.name, row.name):
            _write(db, row, {"name": theme.name})


def _says_more(name: Trilingual, than: Trilingual | None) -> bool:
    """Whether a theme's name has anything new. A file in one language takes away no translation."""
    if not than:
        return True
    return name != than and not (
        len(texts := set(name.values())) == 1 and texts <= set(than.values())
    )


def _write(db: AsyncSession, row: tables.Base, values: dict[str, object]) -> None:
    # What keeps its value is not set again, so an import that changes nothing writes nothing.
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
    db.add(row)


# --- what the database says -----------------------------------------------------------------

_EVENT_COLUMNS = [part.name for part in fields(PlannedEvent) if part.name not in ("slug", "sides")]
_SESSION_COLUMNS = [
    part.name for part in fields(PlannedSession) if part.name not in ("slug", "speakers", "themes")
]


@dataclass(slots=True)
class _Held:
    """A stored session: its row, its themes, and how many answered it."""

    row: tables.Session
    links: dict[str, tables.SessionTheme] = field(default_factory=dict)
    answers: int = 0
    seats: int = 0

    def planned(self) -> PlannedSession:
        values: dict[str, Any] = {name: getattr(self.row, name) for name in _SESSION_COLUMNS}
        return PlannedSession(
            slug=self.row.slug,
            speakers=tuple(self.row.speakers or ()),
            themes=frozenset(self.links),
            **values,
        )


@dataclass(slots=True)
class _Stored:
    """All themes, and all that the database holds about one event."""

    event: tables.Event | None
    themes: dict[str, tables.Theme]
    sessions: dict[str, _Held] = field(default_factory=dict)

    def planned(self) -> PlannedEvent | None:
        if self.event is None:
            return None
        values: dict[str, Any] = {name: getattr(self.event, name) for name in _EVENT_COLUMNS}
        sides = None if self.event.sides is None else tuple(self.event.sides)
        return PlannedEvent(slug=self.event.slug, sides=sides, **values)


async def _load(db: AsyncSession, slug: str, *, lock: bool = False) -> _Stored:
    """Five statements, however long the agenda is."""
    # Rows that this `db` read before the lock are read again.
    fresh: dict[str, Any] = {"execution_options": {"populate_existing": True}}
    one = select(tables.Event).where(tables.Event.slug == slug)
    # Tickets of the event may be made meanwhile, under the lock of a session.
    event = await db.scalar(one.with_for_update(key_share=True) if lock else one, **fresh)
    themes = await db.scalars(select(tables.Theme), **fresh)
    stored = _Stored(event, {theme.slug: theme for theme in themes})
    if event is None:
        return stored

    here = tables.Session.event_id == event.id
    # In the order of their ids, as those who take seats lock them.
    every = select(tables.Session).where(here).order_by(tables.Session.id)
    rows = await db.scalars(every.with_for_update() if lock else every, **fresh)
    held = {row.id: _Held(row) for row in rows}

    # A comparison holds no lock: what another import adds meanwhile is not in `held`.
    link, rsvp = tables.SessionTheme, tables.Rsvp
    links = select(link, tables.Theme.slug).join(tables.Theme, tables.Theme.id == link.theme_id)
    links = links.join(tables.Session, tables.Session.id == link.session_id).where(here)
    for found, name in await db.execute(links):
        if found.session_id in held:
            held[found.session_id].links[name] = found

    seats = func.sum(case((rsvp.state == tables.Seat.CANCELLED, 0), else_=1))
    answers = select(rsvp.session_id, func.count(), seats).group_by(rsvp.session_id)
    answers = answers.join(tables.Session, tables.Session.id == rsvp.session_id).where(here)
    for session_id, count, taken in await db.execute(answers):
        if session_id in held:
            held[session_id].answers, held[session_id].seats = count, taken

    in_order = sorted(held.values(), key=lambda session: (session.row.starts_at, session.row.id))
    stored.sessions = {session.row.slug: session for session in in_order}
    return stored


# --- the difference -------------------------------------------------------------------------


def _difference(stored: _Stored, agenda: Agenda) -> Changes:
    held = stored.sessions
    event = stored.planned()
    listed = {session.slug for session in agenda.sessions}
    both = [
        (held[after.slug], held[after.slug].planned(), after)
        for after in agenda.sessions
        if after.slug in held
    ]
    return Changes(
        event_created=event is None,
        event_changes=() if event is None else _changes(event, agenda.event),
        themes_added=tuple(theme for theme in agenda.themes if theme.slug not in stored.themes),
        themes_renamed=tuple(
            Renamed(PlannedTheme(slug=theme.slug, name=row.name), theme)
            for theme in agenda.themes
            if (row := stored.themes.get(theme.slug)) and _says_more(theme.name, row.name)
        ),
        added=tuple(session for session in agenda.sessions if session.slug not in held),
        removed=tuple(
            Removed(session.planned(), session.seats, kept=session.answers > 0)
            for slug, session in held.items()
            if slug not in listed and session.row.cancelled_at is None
        ),
        restored=tuple(
            Restored(after, session.seats) for session, _, after in both if session.row.cancelled_at
        ),
        moved=tuple(
            Moved(before, after, session.seats)
            for session, before, after in both
            if (before.starts_at, before.ends_at) != (after.starts_at, after.ends_at)
        ),
        changed=tuple(
            Changed(before, after, changes)
            for _, before, after in both
            if (changes := _changes(before, after))
        ),
    )


def _changes(
    before: PlannedEvent | PlannedSession, after: PlannedEvent | PlannedSession
) -> tuple[Change, ...]:
    names = [part.name for part in fields(before)]
    return tuple(
        Change(name, getattr(before, name), getattr(after, name))
        for name in names
        # A session's time is told as a move.
        if name not in ("starts_at", "ends_at") and getattr(before, name) != getattr(after, name)
    )
