"""The courier: brings updates to the bot's webhook, those of one chat in order.

Source: Bot API, "setWebhook": the secret travels in X-Telegram-Bot-Api-Secret-Token; an answer
other than 2xx means "try again". The pace of trying again is what was seen of the public server:
at once, then after 2, 4, 8 and up to 60 seconds.
"""

import asyncio
from dataclasses import dataclass, field

import aiohttp

from bot.simulator.mailbox import Pending, Webhook
from bot.simulator.world import World

FIRST_WAIT, LONGEST_WAIT = 2.0, 60.0
"""Seconds before the second retry, and the most there are before a later one."""


@dataclass(slots=True)
class Courier:
    """Carries updates for as long as `run` runs. `patience` stretches the waits (1 is real)."""

    world: World
    patience: float = 1.0
    _busy: set[int] = field(default_factory=set)

    async def run(self) -> None:
        """Look out for updates, and send somebody for each chat that has one."""
        changes, mailbox = self.world.changes, self.world.mailbox
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(timeout=timeout) as http, asyncio.TaskGroup() as errands:
            while True:
                await changes.until(lambda: mailbox.webhook and self._waiting())
                if changes.closing:
                    return
                for chat_id in self._waiting():
                    self._busy.add(chat_id)
                    errands.create_task(self._serve_chat(http, chat_id))

    def _waiting(self) -> set[int]:
        """Return the chats with updates that nobody carries yet, as many as may go now."""
        webhook = self.world.mailbox.webhook
        if webhook is None:
            return set()
        free = max(webhook.max_connections - len(self._busy), 0)
        chats = {update.chat_id: None for update in self.world.mailbox.pending.values()}
        return set([chat_id for chat_id in chats if chat_id not in self._busy][:free])

    async def _serve_chat(self, http: aiohttp.ClientSession, chat_id: int) -> None:
        """Bring one chat's updates, the next one after the last was taken."""
        changes, mailbox = self.world.changes, self.world.mailbox
        failures = 0
        try:
            while (webhook := mailbox.webhook) and not changes.closing:
                update = next((u for u in mailbox.pending.values() if u.chat_id == chat_id), None)
                if update is None:
                    return
                if await self._bring(http, webhook, update):
                    failures = 0
                    if update.id in mailbox.pending:
                        mailbox.acknowledge([update.id])
                    continue
                failures += 1
                await self._pause(webhook, failures)
        finally:
            self._busy.discard(chat_id)
            changes.tell("courier")

    async def _pause(self, webhook: Webhook, failures: int) -> None:
        """Wait as long as so many failures in a row ask for, or until the webhook changed."""
        if failures > 1:
            seconds = self.patience * min(FIRST_WAIT * 2.0 ** (failures - 2), LONGEST_WAIT)
            mailbox = self.world.mailbox
            await self.world.changes.until(lambda: mailbox.webhook is not webhook, seconds)

    async def _bring(self, http: aiohttp.ClientSession, webhook: Webhook, update: Pending) -> bool:
        """Post one update; True when it was taken."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        try:
            async with http.post(
                webhook.url,
                json=update.body,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                if answer.status // 100 == 2:  # noqa: PLR2004 - any 2xx
                    return True
                problem = f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except (aiohttp.ClientError, TimeoutError) as error:
            problem = f"Connection failed: {type(error).__name__}"
        self.world.mailbox.last_error = (int(self.world.now().timestamp()), problem)
        return False
