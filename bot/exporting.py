"""`jisr export`: an event as a file, from the command line."""

from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bot import papers
from handlers import exports
from handlers.words import Words
from storage import events
from storage.database import Storage
from storage.exports import Format, recorded


async def export_event(
    storage: Storage,
    slug: str,
    format_: Format,
    path: Path | None,
    *,
    purpose: str | None = None,
    words: Words,
    now: datetime,
    console: Console,
) -> bool:
    """Write this event into a file, by default one of its own name. False: there is none to write."""
    # Not only read: what is taken out is written down.
    async with storage.begin() as db:
        event = await events.by_slug(db, slug)
        if event is None:
            known = ", ".join(one.slug for one in await events.upcoming(db, now))
            hint = f" Those to come: {known}." if known else ""
            console.print(Text(f'There is no event "{slug}".{hint}', "red"), soft_wrap=True)
            return False
        paper = await exports.export(db, event, format_, words, now)
        await recorded(db, None, event, format_, purpose, now)
    path = path or Path(paper.name)
    path.write_bytes(papers.content(paper))
    console.print(Text(f"Written: {path}"), soft_wrap=True)
    return True
