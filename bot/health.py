"""Is this bot at work? A container asks every half-minute, so it is cheap and changes nothing.

`bot/doctor.py` looks at everything before a start; here it is enough that the database answers and
that an engine - this process or another - renewed its lease a moment ago.
"""

from datetime import timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bot.clock import RealClock
from bot.engine import NAME
from bot.settings import Settings
from storage.database import open_storage, parse_url
from storage.tables import Lease

# A lease ends seconds after its last renewal; a restart or a change of engines takes longer.
_PATIENCE = timedelta(minutes=1)


async def healthy(settings: Settings) -> list[str]:
    """What is wrong, a sentence for each; empty when all is well."""
    if _no_file_yet(settings.database_url):
        # Opening it would make it.
        return ["There is no database yet."]
    try:
        async with open_storage(settings.database_url) as storage, storage.read() as db:
            lease = await db.get(Lease, NAME)
    except (SQLAlchemyError, OSError) as error:
        return [f"The database does not answer ({type(error).__name__})."]
    if lease is None or RealClock().now() - lease.until > _PATIENCE:
        return ["No engine is at work: nothing is delivered."]
    return []


def _no_file_yet(database_url: str) -> bool:
    url = parse_url(database_url)
    return url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists()
