"""Whoever was silent for very long is asked once whether to stay; silence then means to be forgotten.

`storage/retention.py` decides who is asked, and forgets.
"""

from collections.abc import Sequence

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.forget import Forget
from handlers.letters import Letter, Tap
from handlers.turns import Turn
from storage import retention


class Stay(CallbackData, prefix="stay"):
    """Keep my profile."""


async def stay(_tap: CallbackQuery, turn: Turn) -> None:
    """The tap itself is the sign of life: the intake has noted it."""
    turn.say.edit(Letter(turn.words("Thank you: your profile stays as it is.")))


async def write(_db: AsyncSession, writings: Sequence[Writing]) -> Sequence[Letter | None]:
    """The question, for those who have stayed silent since."""
    return [_question(one) if retention.is_asked(one.member) else None for one in writings]


def _question(one: Writing) -> Letter:
    words, member = one.words, one.member
    last_day = (one.now + retention.TO_ANSWER).date()
    return Letter(
        words(
            "Are you still there, {name}? I have not heard from you for a long time. Shall I keep "
            "your profile? Without an answer by {day} I forget you, and all that I hold about you.",
            name=member.name or "",
            day=words.day(last_day),
        ),
        (
            (Tap(words.label("Keep my profile"), Stay().pack()),),
            (Tap(words.label("Forget me"), Forget().pack()),),
        ),
    )


def router() -> Router:
    """The answer, wired."""
    r = Router(name="still there")
    r.callback_query.register(stay, Stay.filter())
    return r
