"""Answers to who asks the bot from another chat: what they may choose to post there."""

from collections.abc import Sequence

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import (
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InlineQueryResultUnion,
    InputTextMessageContent,
    LinkPreviewOptions,
)

from bot.channels import Outcome, Sent
from bot.rendering import render
from bot.verdicts import decide
from handlers.letters import Choice

log = structlog.get_logger(__name__)

# Seconds that the servers may repeat an answer to the same person: seats are taken meanwhile.
CACHE_SECONDS = 5
_CALL_SECONDS = 10


async def offer(bot: Bot, query_id: str, choices: Sequence[Choice]) -> Outcome:
    """Answer a question. One that is too old is an everyday thing, and nobody waits for it."""
    try:
        await bot.answer_inline_query(
            query_id,
            [_result(one) for one in choices],
            cache_time=CACHE_SECONDS,
            is_personal=True,
            request_timeout=_CALL_SECONDS,
        )
    except (AiogramError, OSError) as error:
        outcome = decide(error)
        log.info("a question was not answered", outcome=outcome)
        return outcome
    return Sent("")


def _result(choice: Choice) -> InlineQueryResultUnion:
    piece = render(choice.letter)[0]
    markup = InlineKeyboardMarkup.model_validate(piece.keyboard) if piece.keyboard else None
    return InlineQueryResultArticle(
        id=choice.key,
        title=choice.title,
        description=choice.description,
        input_message_content=InputTextMessageContent(
            message_text=piece.text,
            parse_mode="HTML",
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        ),
        reply_markup=markup,
    )
