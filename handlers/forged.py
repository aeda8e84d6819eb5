"""Taps on buttons that we never made: numbers beyond any row of ours, which a database refuses.

Callback data comes back as a client sends it. What a handler can check it checks itself; how large a
number may be is the same everywhere, and is seen to once, before every conversation.
"""

import re

from aiogram import Router
from aiogram.types import CallbackQuery

from handlers.turns import Turn

# PostgreSQL's `integer`, which all our ids are.
LARGEST = 2**31 - 1


async def refuse(_tap: CallbackQuery, turn: Turn) -> None:
    """The same answer as to any button that nobody knows."""
    turn.say.toast(turn.words.label("This button is from an older message. /help shows the way."))


def _beyond(tap: CallbackQuery) -> bool:
    # As pydantic reads a number: with underscores, and a fraction of nothing.
    numbers = (re.sub(r"[_\s]|\.0*$", "", part) for part in (tap.data or "").split(":"))
    return any(
        len(digits) > len(str(LARGEST)) or int(digits) > LARGEST
        for digits in (number.lstrip("+-") for number in numbers)
        if digits.isdecimal()
    )


def router() -> Router:
    """The guard, wired before every conversation."""
    r = Router(name="forged")
    r.callback_query.register(refuse, _beyond)
    return r
