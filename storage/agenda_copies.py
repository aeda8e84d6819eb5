"""Copies of agendas, as JSON: what waits for somebody's yes, and what an undo goes back to."""

import hashlib
import json
from dataclasses import asdict, fields, is_dataclass
from datetime import date, datetime
from typing import Any

from storage.agendas import Agenda, Changes, PlannedEvent, PlannedSession, PlannedTheme


def as_json(agenda: Agenda) -> dict[str, Any]:
    """The whole agenda in plain values."""
    return {
        "event": _plain(asdict(agenda.event)),
        "themes": [_plain(asdict(theme)) for theme in agenda.themes],
        "sessions": [_plain(asdict(session)) for session in agenda.sessions],
    }


def from_json(value: dict[str, Any]) -> Agenda:
    """What `as_json` made."""
    event = dict(value["event"])
    event |= {name: date.fromisoformat(event[name]) for name in ("starts", "ends")}
    event["sides"] = None if event["sides"] is None else tuple(event["sides"])
    return Agenda(
        event=PlannedEvent(**event),
        themes=tuple(PlannedTheme(**theme) for theme in value["themes"]),
        sessions=tuple(_session(dict(session)) for session in value["sessions"]),
    )


def _session(value: dict[str, Any]) -> PlannedSession:
    value |= {name: datetime.fromisoformat(value[name]) for name in ("starts_at", "ends_at")}
    value["speakers"] = tuple(value["speakers"])
    value["themes"] = frozenset(value["themes"])
    return PlannedSession(**value)


def mark(changes: Changes) -> str:
    """A short mark that differs whenever something else would be changed.

    How many seats that affects is left out, or nobody could say yes while seats are being taken.
    """
    return hashlib.sha256(json.dumps(_plain(changes), sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        names = [part.name for part in fields(value) if part.name != "seats"]
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, date) else value
