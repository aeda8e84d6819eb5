"""How the bot presents itself on Telegram: its name, what it does, its commands; and how it learns
what it is called in links.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramNotFound
from aiogram.methods import (
    GetMyCommands,
    GetMyDescription,
    GetMyName,
    GetMyShortDescription,
    SetMyCommands,
    SetMyDescription,
    SetMyName,
    SetMyShortDescription,
    TelegramMethod,
)

from bot.pace import Pacer
from bot.settings import Settings
from bot.telegram import SIDE_CALL_SECONDS, open_bot
from bot.verdicts import decide
from handlers.links import Links

log = structlog.get_logger(__name__)


async def learn_who_we_are(bot: Bot, links: Links) -> None:
    """Ask who we are in links, unless we know. A server that doesn't say is asked again later."""
    if links.username:
        return
    links.asked = True
    try:
        me = await bot.get_me(request_timeout=SIDE_CALL_SECONDS)
    except (AiogramError, OSError) as error:
        log.info("who we are in links is not known yet", outcome=decide(error))
    else:
        links.username = me.username or ""
        links.inline = bool(me.supports_inline_queries)


async def username_of(settings: Settings) -> str | None:
    """The bot's name in links, if there is a token and Telegram answers."""
    if settings.telegram_token is None:
        return None
    async with open_bot(settings, Pacer()) as bot:
        try:
            return (await bot.get_me(request_timeout=SIDE_CALL_SECONDS)).username
        except (AiogramError, OSError):
            return None


@dataclass(frozen=True, slots=True)
class Introduction:
    """How the bot presents itself in one language; None for everybody else's."""

    language: str | None
    name: str
    description: str
    short_description: str
    commands: list[tuple[str, str]]


async def introduce(bot: Bot, introductions: Iterable[Introduction]) -> None:
    """Set commands, name and descriptions where they differ. A refusal is logged, never raised.

    To be run beside the polling, which need not wait for it. What is already so is not set again:
    Telegram allows few changes of a name a day.
    """
    unknown: set[str] = set()
    for one in introductions:
        commands = [{"command": c, "description": d} for c, d in one.commands]
        steps: tuple[tuple[Any, Any, dict[str, Any]], ...] = (
            (GetMyCommands, SetMyCommands, {"commands": commands}),
            (GetMyName, SetMyName, {"name": one.name}),
            (GetMyDescription, SetMyDescription, {"description": one.description}),
            (
                GetMyShortDescription,
                SetMyShortDescription,
                {"short_description": one.short_description},
            ),
        )
        for ask, tell, wish in steps:
            name = tell.__api_method__
            if name in unknown or await _is_so(bot, ask(language_code=one.language), wish):
                continue
            try:
                await bot(
                    tell(language_code=one.language, **wish), request_timeout=SIDE_CALL_SECONDS
                )
            except (AiogramError, OSError) as error:
                log.warning("start-up call refused", method=name, outcome=decide(error))
                if isinstance(error, TelegramNotFound):
                    unknown.add(name)


async def _is_so(bot: Bot, ask: TelegramMethod[Any], wish: dict[str, Any]) -> bool:
    try:
        now = await bot(ask, request_timeout=SIDE_CALL_SECONDS)
    except (AiogramError, OSError):
        return False  # then we just say it
    if isinstance(now, list):
        return wish == {"commands": [command.model_dump(exclude_none=True) for command in now]}
    return bool(wish.items() <= now.model_dump().items())
