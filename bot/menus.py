"""Staff's command menu: what everybody has, and what the team has besides, chat by chat.

Looked after by the engine once a minute, so it makes no difference how somebody came to the team: by
an invitation, or by a restored database.
"""

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import BotCommand, BotCommandScopeChat

from bot.channels import Gone, Refused
from bot.logs import pseudonym
from bot.verdicts import decide
from handlers import guide
from handlers.words import Catalogs
from storage import members
from storage.database import Storage

log = structlog.get_logger(__name__)

_SECONDS = 10


class StaffMenus:
    """The menus that this process has set."""

    def __init__(
        self, storage: Storage, bot: Bot, catalogs: Catalogs, channel: str, default_language: str
    ) -> None:
        self._storage, self._bot, self._catalogs = storage, bot, catalogs
        self._channel, self._default = channel, default_language
        # The language in which each chat's menu is.
        self._set: dict[str, str] = {}

    async def look(self) -> None:
        """Set the menus of those who joined the team or changed their language, drop the others'.

        A refusal is logged and not tried again; a failing network is tried at the next look.
        """
        async with self._storage.read() as db:
            team = await members.team(db, self._channel)
        wanted = {address: language or self._default for address, language in team}
        for address, language in wanted.items() - self._set.items():
            await self._tell(address, language)
        for address in self._set.keys() - wanted.keys():
            await self._tell(address, None)

    async def _tell(self, address: str, language: str | None) -> None:
        scope = BotCommandScopeChat(chat_id=int(address))
        try:
            if language is None:
                await self._bot.delete_my_commands(scope, request_timeout=_SECONDS)
            else:
                await self._bot.set_my_commands(
                    self._commands(language), scope, request_timeout=_SECONDS
                )
        except (AiogramError, OSError) as error:
            outcome = decide(error)
            log.warning("a menu was not set", to=pseudonym(self._channel, address), outcome=outcome)
            if not isinstance(outcome, Refused | Gone):
                return
        if language is None:
            self._set.pop(address, None)
        else:
            self._set[address] = language

    def _commands(self, language: str) -> list[BotCommand]:
        words = self._catalogs[language]
        menu = guide.commands(words, staff=True)
        return [BotCommand(command=name, description=said) for name, said in menu]
