"""How those who wait learn that the world changed, without sleeping and without locks."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Listener = Callable[[str, int | None, Any], None]


@dataclass(slots=True)
class Changes:
    """Tells listeners of each change, and wakes whoever waits for a condition to hold.

    The world lives on one event loop, so a condition that was just found true stays true
    until its waiter next awaits something.
    """

    listeners: list[Listener] = field(default_factory=list)
    closing: bool = False
    _next: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, kind: str, chat_id: int | None = None, about: Any = None) -> None:
        """Announce one change: what kind, in which chat, about what."""
        for listener in tuple(self.listeners):
            listener(kind, chat_id, about)
        happened, self._next = self._next, asyncio.Event()
        happened.set()

    def close(self) -> None:
        """Let everyone who waits go home: the server stops."""
        self.closing = True
        self.tell("closing")

    async def until(self, holds: Callable[[], object], seconds: float | None = None) -> bool:
        """Wait until `holds()` is true; False when `seconds` ran out or the server stops."""
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    if self.closing:
                        return False
                    await self._next.wait()
        except TimeoutError:
            return False
        return True
