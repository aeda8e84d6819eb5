"""What stands in the outbox, for whoever asks on the command line, and the release of held rows."""

from collections.abc import Collection
from datetime import datetime

from rich.console import Console
from rich.table import Table

from storage import audit, outbox, sendings
from storage.database import Storage
from storage.tables import Fate, Lane, Outbox

# Doubtful rows shown at most: the newest.
MOST = 50


async def report(storage: Storage, console: Console, now: datetime) -> None:
    """Print the rows by state and lane, the oldest that is due, and each that is in doubt."""
    async with storage.read() as db:
        counts = await outbox.counts(db)
        oldest = await outbox.next_due(db, Outbox.due <= now)
        doubtful = await outbox.doubtful(db, MOST)
    if not counts:
        console.print("The outbox is empty: nothing was ever posted.")
        return
    console.print(_by_state(counts))
    if oldest is None:
        console.print("Nothing is due.")
    else:
        late = round((now - oldest).total_seconds())
        console.print(f"The oldest letter that is due waits for {late} s.", highlight=False)
    if not doubtful:
        console.print("No answer was ever lost: nothing can have come twice, or not at all.")
        return
    console.print("\nThese may have come twice, or not at all, because an answer was lost:")
    console.print(_in_doubt(doubtful))
    if any(row.state == Fate.UNKNOWN for row in doubtful):
        console.print(
            "Those that are `unknown` wait for you: `jisr outbox --release ID` (or `all`) sends"
            " them after all.",
            highlight=False,
        )


async def release(
    storage: Storage, ids: Collection[int] | None, console: Console, now: datetime
) -> bool:
    """Send held rows after all, these or (None) every one. False: one of them is not held."""
    async with storage.begin() as db:
        released = await outbox.release(db, ids, now)
        if released:
            await sendings.released(db, released)
            about = {"letters": released}
            await audit.record(db, None, "letters.released", now, about=about, people=len(released))
    console.print(f"Released: {', '.join(map(str, released)) or 'none'}.", highlight=False)
    missing = sorted(set(ids or ()) - set(released))
    if missing:
        console.print(f"Not held: {', '.join(map(str, missing))}.", highlight=False)
    return not missing


def _by_state(counts: dict[tuple[Fate, Lane], int]) -> Table:
    table = Table("state", *(lane.name.lower() for lane in Lane), box=None, pad_edge=False)
    for state in Fate:
        numbers = [counts.get((state, lane), 0) for lane in Lane]
        if any(numbers):
            table.add_row(state, *(str(n) if n else "" for n in numbers))
    return table


def _in_doubt(rows: Collection[Outbox]) -> Table:
    table = Table("id", "kind", "state", "doubts", "why", "settled (UTC)", box=None, pad_edge=False)
    for row in rows:
        settled = f"{row.settled_at:%Y-%m-%d %H:%M:%S}" if row.settled_at else ""
        table.add_row(str(row.id), row.kind, row.state, str(row.doubts), row.reason or "", settled)
    return table
