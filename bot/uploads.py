"""Reads the agenda files that staff send: fetches them, and lets each be read beside the loop.

The conversation only notes that a file came, so no transaction waits for a download. What was read is
kept with the letter that tells it, in one transaction; a kill in between reads the file again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from io import BytesIO
from typing import Any

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError

from bot.agenda_files import AgendaFileError, read_content
from bot.channels import Gone, Refused
from bot.clock import Clock
from bot.verdicts import decide
from handlers.agenda_flaws import Flaw, Problem, as_json
from storage import uploads
from storage.database import Storage
from storage.tables import Upload

log = structlog.get_logger(__name__)

# Seconds that a file may take on the wire.
_SECONDS = 60
# The mistakes of a file that its sender is told at once; of the others, how many they are.
_TOLD = 8

# The bytes of a file that the messenger knows by this name. Raises what the network raises.
Fetch = Callable[[str], Awaitable[bytes]]


class Uploads:
    """Looks for files to read. `read` may be called as often as one likes."""

    def __init__(self, storage: Storage, fetch: Fetch, clock: Clock, home: str) -> None:
        self._storage, self._fetch, self._clock, self._home = storage, fetch, clock, home

    async def read(self) -> int:
        """Read what has come. Returns how many letters that makes."""
        async with self._storage.read() as db:
            waiting = await uploads.unread(db, self._clock.now())
        return sum([await self._read(one) for one in waiting])

    async def _read(self, upload: Upload) -> bool:
        try:
            content = await self._fetch(upload.file)
        except (AiogramError, OSError) as error:
            outcome = decide(error)
            log.warning("an upload was not fetched", upload=upload.id, outcome=outcome)
            if not isinstance(outcome, Refused | Gone):
                return False  # at the next look
            return await self._keep(upload, [Problem.of(Flaw.NOT_FETCHED)])
        try:
            reading = await asyncio.to_thread(read_content, upload.name, content, self._home)
        except AgendaFileError as error:
            return await self._keep(upload, error.problems)
        remarks = [asdict(remark) for remark in reading.remarks]
        async with self._storage.begin() as db:
            return await uploads.keep_reading(
                db, upload.id, self._clock.now(), agenda=reading.agenda, remarks=remarks
            )

    async def _keep(self, upload: Upload, problems: Sequence[Problem]) -> bool:
        kept: list[Any] = [as_json(problem) for problem in problems[:_TOLD]]
        if (more := len(problems) - _TOLD) > 0:
            kept.append({"more": more})
        async with self._storage.begin() as db:
            return await uploads.keep_reading(db, upload.id, self._clock.now(), problems=kept)


async def fetch_from_telegram(bot: Bot, file: str) -> bytes:
    """The content of a file. Bot API, getFile: at most 20 MB."""
    found = await bot.get_file(file, request_timeout=_SECONDS)
    content = BytesIO()
    await bot.download_file(found.file_path or "", content, timeout=_SECONDS)
    return content.getvalue()
