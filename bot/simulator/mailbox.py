"""Updates on their way to the bot: kept until it acknowledges them.

A bot fetches them (long polling, Bot API "getUpdates") or has them brought (see `webhook.py`).
Either way an update is delivered again and again until it is acknowledged: by a later offset,
or by a 2xx answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.simulator.changes import Changes
from bot.simulator.errors import ApiError, conflict

OPT_IN = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds a bot gets only if it names them. Source: Bot API, "getUpdates", allowed_updates."""

MAX_BATCH = 100
"""Updates in one answer. Source: Bot API, "getUpdates", limit."""

MAX_WAIT = 50
"""Seconds a long poll may last; longer wishes are cut, as the public server does."""


@dataclass(slots=True)
class Pending:
    """One update that the bot has not acknowledged."""

    id: int
    chat_id: int
    body: dict[str, Any]
    # A redelivered update is older than the bot's offset: that offset must not acknowledge it
    # before it was handed out once more.
    shielded: bool = False


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where updates are brought to. Source: Bot API, "setWebhook"."""

    url: str
    secret: str | None
    max_connections: int


@dataclass(slots=True)
class Mailbox:
    """All updates of the one bot, pending and past."""

    changes: Changes
    next_id: int = 700_000_001
    pending: dict[int, Pending] = field(default_factory=dict)
    past: dict[int, Pending] = field(default_factory=dict)
    allowed: frozenset[str] | None = None
    webhook: Webhook | None = None
    last_error: tuple[int, str] | None = None
    _poller: object | None = None
    _polls: int = 0

    @property
    def is_polled(self) -> bool:
        """Whether a getUpdates is under way."""
        return self._polls > 0

    def post(self, kind: str, about: dict[str, Any], chat_id: int) -> int:
        """Queue an update and return its id. Kinds the bot did not ask for are dropped."""
        update_id, self.next_id = self.next_id, self.next_id + 1
        wanted = kind in self.allowed if self.allowed is not None else kind not in OPT_IN
        update = Pending(update_id, chat_id, {"update_id": update_id, kind: about})
        (self.pending if wanted else self.past)[update_id] = update
        self.changes.tell("update", chat_id)
        return update_id

    def redeliver(self, update_id: int) -> None:
        """Deliver an acknowledged update once more, under its old id."""
        if update_id in self.pending:
            return
        update = self.past.pop(update_id)
        update.shielded = True
        self.pending[update_id] = update
        self.changes.tell("update", update.chat_id)

    def acknowledge(self, update_ids: Iterable[int]) -> None:
        """Forget updates that the bot took."""
        for update_id in update_ids:
            self.past[update_id] = self.pending.pop(update_id)
        self.changes.tell("acknowledged")

    def allow(self, kinds: list[str] | None) -> None:
        """Choose the kinds of update; an empty list means the default, None no change."""
        if kinds is not None:
            self.allowed = frozenset(kinds) or None

    def stop_polling(self) -> None:
        """End the long poll that is under way, if any, with a conflict."""
        self._poller = None
        self.changes.tell("poller")

    async def poll(
        self,
        *,
        offset: int = 0,
        limit: int = MAX_BATCH,
        wait: int = 0,
    ) -> list[dict[str, Any]]:
        """Answer getUpdates: at most `limit` updates, waiting up to `wait` seconds for one."""
        if self.webhook is not None:
            raise conflict(
                "can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        me = self._poller = object()
        self._pass(offset)
        self._polls += 1
        self.changes.tell("poller")
        try:
            await self.changes.until(
                lambda: self._poller is not me or self.pending,
                min(max(wait, 0), MAX_WAIT),
            )
        finally:
            self._polls -= 1
        if self._poller is not me:
            raise self._interrupted()
        batch = sorted(self.pending.values(), key=lambda update: update.id)
        batch = batch[: limit if 1 <= limit <= MAX_BATCH else MAX_BATCH]
        for update in batch:
            update.shielded = False
        return [update.body for update in batch]

    def _interrupted(self) -> ApiError:
        """Say what ended a long poll."""
        if self.webhook is not None:
            return conflict("terminated by setWebhook request")
        return conflict(
            "terminated by other getUpdates request; "
            "make sure that only one bot instance is running",
        )

    def _pass(self, offset: int) -> None:
        """Acknowledge what lies before `offset`; a negative one keeps only the last few."""
        if offset < 0:
            passed = sorted(self.pending)[:offset]
        else:
            passed = [
                update.id
                for update in self.pending.values()
                if update.id < offset and not update.shielded
            ]
        if passed:
            self.acknowledge(passed)
