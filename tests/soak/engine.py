"""An engine in a process of its own, that may be killed or stopped like any other.

Processes are forked from one that has imported everything, so that fifty lives take no minute of
imports. What a rehearsal shortens - the lease - is no setting, so it is given here.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bot.app import open_app
from bot.clock import RealClock
from bot.logs import start_logging
from bot.pace import Pacer
from bot.settings import read_settings
from bot.zones import prefer_packaged_zones
from storage import leases
from tests.until import until

_FORKS = multiprocessing.get_context("forkserver")


@dataclass(frozen=True, slots=True)
class Plan:
    """What an engine serves. `pace` is in letters a second, `lease` in seconds; `listens`: it takes
    updates, too.
    """

    database_url: str
    api_url: str
    token: str
    log: Path
    pace: float
    lease: float = 1.0
    listens: bool = False


def _live(plan: Plan) -> None:
    prefer_packaged_zones()
    leases.LEASE = timedelta(seconds=plan.lease)
    with plan.log.open("a", encoding="utf-8") as log:
        start_logging("INFO", stream=log)
        with asyncio.Runner() as runner:
            runner.run(_engine(plan))


async def _engine(plan: Plan) -> None:
    settings = read_settings(
        database_url=plan.database_url,
        telegram_token=plan.token,
        telegram_api_url=plan.api_url,
    )
    pacer = Pacer(plan.pace, per_chat=0)
    async with open_app(settings, RealClock(), pacer=pacer) as app:
        working = asyncio.create_task(app.engine())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
        listening = [asyncio.create_task(app.listen())] if plan.listens else []
        await asyncio.wait([working])
        for task in listening:
            task.cancel()
        await asyncio.wait([working, *listening])


class Engine:
    """One life of an engine."""

    def __init__(self, plan: Plan) -> None:
        _FORKS.set_forkserver_preload([__name__])
        self._process: ForkServerProcess = _FORKS.Process(target=_live, args=(plan,), daemon=True)
        self._process.start()

    async def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        await self.ended()

    def stop_the_world(self) -> None:
        """Let it neither run nor notice."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run again, unaware of the time that passed."""
        self._signal(signal.SIGCONT)

    def asked_to_end(self) -> None:
        """As a supervisor asks."""
        self._process.terminate()

    async def ended(self) -> int | None:
        """Wait for its end; the exit code."""
        await until(lambda: not self._process.is_alive(), 15)
        return self._process.exitcode

    def _signal(self, number: int) -> None:
        if self._process.pid is not None and self._process.is_alive():
            os.kill(self._process.pid, number)


@asynccontextmanager
async def engine(plan: Plan) -> AsyncIterator[Engine]:
    """An engine at work, that doesn't outlive the block."""
    one = Engine(plan)
    try:
        yield one
    finally:
        await one.kill()
