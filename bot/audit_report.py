"""`jisr audit`: whether the record of what the team did is whole, and whose data was touched when.

For a breach drill: `verify` first, then `between` the moments in question. People are told by their
numbers alone; who may look further, looks into the database.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from storage import audit
from storage.audit import Break, Tampering
from storage.database import Storage
from storage.tables import Audit

# Of a long list of people in a table this many are told; `--json` tells all.
_SHOWN = 12


async def verified(storage: Storage, console: Console, expect: str = "") -> bool:
    """Look at the whole chain and tell what was found. False: it was tampered with."""
    async with storage.read() as db:
        found = await audit.verify(db, expect=expect.strip().lower() or None)
    if not found.breaks:
        console.print(f"The chain is whole: {found.rows} rows.", highlight=False)
        console.print(f"Its head, to be noted somewhere else: {found.head}", soft_wrap=True)
        return True
    console.print(f"The chain is broken ({found.rows} rows):", style="red", highlight=False)
    for one in found.breaks:
        console.print(f"  {_told(one)}", soft_wrap=True, highlight=False)
    return False


def _told(one: Break) -> str:
    what = {
        Tampering.CHANGED: "it isn't what was written",
        Tampering.TORN: "it doesn't follow the row before it: one was removed, inserted or moved",
        Tampering.CUT: "The end isn't what was written last: rows were cut off or added",
        Tampering.FOOT: "rows stand where they were dropped for their age, or the foot was moved",
        Tampering.UNEXPECTED: "The head that you noted is not in the chain: its end was cut off, "
        "or all was written anew",
    }[one.tampering]
    return f"{what}." if one.row is None else f"Row {one.row}: {what}."


async def report(
    storage: Storage, console: Console, since: datetime, until: datetime, *, as_json: bool
) -> None:
    """Print who did what from `since` until just before `until`, and whose data was touched."""
    async with storage.read() as db:
        rows = await audit.between(db, since, until)
    touched = sorted({member for row in rows for member in row.touched or ()})
    if as_json:
        acts = [_act(row) for row in rows]
        console.print_json(json.dumps({"acts": acts, "touched": touched}))
        return
    if not rows:
        console.print("Nothing was done in that time.")
        return
    console.print(_table(rows, since.tzinfo if isinstance(since.tzinfo, ZoneInfo) else None))
    counted = f"{len(rows)} acts; {len(touched)} people's data touched one by one"
    console.print(f"{counted}{f': {_people(touched)}' if touched else ''}.", highlight=False)


def _act(row: Audit) -> dict[str, Any]:
    return {
        "row": row.id,
        "at": row.at.isoformat(),
        "actor": row.actor_id,
        "action": row.action,
        "about": row.about,
        "people": row.people,
        "touched": row.touched,
    }


def _table(rows: Sequence[Audit], zone: ZoneInfo | None) -> Table:
    table = Table("When", "Who", "What", "About", "People", "Whose data")
    for row in rows:
        about = ", ".join(f"{name} {value}" for name, value in row.about.items())
        table.add_row(
            f"{row.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            "operator" if row.actor_id is None else f"member {row.actor_id}",
            row.action,
            about,
            "" if row.people is None else str(row.people),
            _people(row.touched or ()),
        )
    return table


def _people(ids: Sequence[int]) -> str:
    shown = ", ".join(map(str, ids[:_SHOWN]))
    return f"{shown} and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else shown
