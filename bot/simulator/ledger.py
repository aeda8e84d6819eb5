"""The ledger: what the server accepted from the bot, what it refused, when and for whom."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One call of the bot that meant to change something.

    `at` is monotonic real time in seconds, `when` is the simulated time; `error` holds the
    words of the refusal, and None when the call was accepted.
    """

    method: str
    chat_id: int | None
    message_id: int | None
    text: str | None
    params: dict[str, Any]
    at: float
    when: datetime
    error: str | None = None
    code: int = 200

    @property
    def accepted(self) -> bool:
        """Whether it happened, whatever the bot heard of it."""
        return self.error is None


@dataclass(slots=True)
class Ledger:
    """All entries, in the order in which the server decided on them."""

    entries: list[Entry] = field(default_factory=list)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def accepted(self, method: str | None = None, chat_id: int | None = None) -> list[Entry]:
        """Return what happened, of one method or in one chat if so asked."""
        return [entry for entry in self._matching(method, chat_id) if entry.accepted]

    def refused(self, method: str | None = None, chat_id: int | None = None) -> list[Entry]:
        """Return what was refused, of one method or in one chat if so asked."""
        return [entry for entry in self._matching(method, chat_id) if not entry.accepted]

    def write(
        self,
        method: str,
        params: dict[str, Any],
        when: datetime,
        *,
        chat_id: int | None,
        result: Any = None,
        error: str | None = None,
        code: int = 200,
    ) -> Entry:
        """Add a line; the message id and text are taken from `result` when it is a message."""
        message = result if isinstance(result, dict) and "message_id" in result else {}
        entry = Entry(
            method=method,
            chat_id=chat_id,
            message_id=message.get("message_id"),
            text=message.get("text", message.get("caption", params.get("text"))),
            params=params,
            at=time.monotonic(),
            when=when,
            error=error,
            code=code,
        )
        self.entries.append(entry)
        return entry

    def _matching(self, method: str | None, chat_id: int | None) -> Iterator[Entry]:
        for entry in self.entries:
            if method in (None, entry.method) and chat_id in (None, entry.chat_id):
                yield entry
