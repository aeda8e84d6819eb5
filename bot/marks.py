"""Marks on Telegram: the buttons of a message change, its words and its file stay."""

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import InlineKeyboardMarkup

from bot.channels import Outcome, Sent
from bot.rendering import render
from bot.verdicts import decide
from handlers.letters import Letter

log = structlog.get_logger(__name__)

# Seconds that it may take on the wire. It is tried once: the toast has told what is kept.
_SECONDS = 10


async def mark(bot: Bot, letter: Letter, chat_id: int, message_id: int | None) -> Outcome:
    """Give the tapped message these buttons. What can't be changed any more stays as it is."""
    if message_id is None:
        return Sent("")
    markup = InlineKeyboardMarkup.model_validate(render(letter)[-1].keyboard)
    try:
        await bot.edit_message_reply_markup(
            chat_id=chat_id,
            message_id=message_id,
            reply_markup=markup,
            request_timeout=_SECONDS,
        )
    except (AiogramError, OSError) as error:
        # "message is not modified" is an everyday one: the same answer, tapped twice.
        log.info("buttons were not marked", outcome=decide(error))
    return Sent(str(message_id))
