"""Real processes of `jisr`, killed without warning or asked to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.simulator import Simulator

# Seconds that a process may take to import everything and to listen.
_START = 60


class Process:
    """`python -m bot run` with these settings, its log in a file of `folder`."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self.folder, self._arguments = folder, arguments or ("run",)
        ours = {f"JISR_{name.upper()}": value for name, value in settings.items()}
        theirs = {k: v for k, v in os.environ.items() if not k.startswith("JISR_")}
        self._environment = theirs | ours
        self._running: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """All that was logged, over all its lives."""
        return (self.folder / "jisr.log").read_text("utf-8")

    @property
    def running(self) -> asyncio.subprocess.Process:
        """The present life."""
        assert self._running is not None
        return self._running

    async def start(self) -> None:
        """Begin a life."""
        with (self.folder / "jisr.log").open("ab") as log:
            self._running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", *self._arguments),
                cwd=self.folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    async def listens_to(self, sim: Simulator) -> None:
        """Wait until it asks for updates."""
        died = asyncio.ensure_future(self.running.wait())
        polls = asyncio.ensure_future(
            sim.wait_for(lambda: sim.world.mailbox.is_polled, timeout=_START)
        )
        await asyncio.wait({died, polls}, return_when=asyncio.FIRST_COMPLETED)
        assert self.running.returncode is None, self.log
        died.cancel()
        await polls

    async def kill(self) -> None:
        """End this life at once: no process can refuse."""
        self.running.kill()
        await self.running.wait()

    async def stop(self, seconds: float = 10) -> int:
        """Ask it to end, and return its exit code. Raises TimeoutError."""
        self.running.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.running.wait(), seconds)


@asynccontextmanager
async def process(folder: Path, *arguments: str, **settings: str) -> AsyncIterator[Process]:
    """A process that is not started yet, and doesn't outlive the block."""
    one = Process(folder, *arguments, **settings)
    try:
        yield one
    finally:
        if one._running is not None and one.running.returncode is None:
            await one.kill()
