"""Our bot as it listens in production, but for the pace and the flood's limit, which are lifted.

    python -m tests.bench.listener URL DATABASE_URL

A process of its own, as its peers have (`tests/bench/peers.py`), which it behaves like.
"""

import asyncio
import sys
from contextlib import suppress

import uvloop

from bot.app import let_be, open_app
from bot.clock import SimulatedClock
from bot.flood import Flood
from bot.pace import Pacer
from bot.settings import read_settings
from bot.zones import prefer_packaged_zones
from tests.bench.peers import TOKEN, timed, told_to_stop
from tests.town import EVE


async def listen(url: str, database_url: str) -> None:
    """Listen until the input ends; the clock stands at the eve of the event."""
    settings = read_settings(database_url=database_url, telegram_token=TOKEN, telegram_api_url=url)
    clock, pacer = SimulatedClock(EVE, speed=0), Pacer(rate=1_000_000, per_chat=0)
    async with open_app(settings, clock, pacer=pacer, flood=Flood(most=1_000_000)) as app:
        let_be()

        async def until_told() -> None:
            listening = asyncio.create_task(app.listen())
            await told_to_stop()
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

        await timed(until_told())


if __name__ == "__main__":
    prefer_packaged_zones()
    uvloop.run(listen(sys.argv[1], sys.argv[2]))
