"""Who an update is from, read from its JSON with as few assumptions as can be.

An update that aiogram can't read must still be answered and acknowledged: unread, it would come
back for ever and hold up its chat. So what the intake itself needs is read here, before aiogram.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Bot API, Update: the kinds that are a person's (see `bot.telegram.ALLOWED_UPDATES`).
KINDS = ("message", "edited_message", "callback_query", "my_chat_member")
# Bot API, ChatMember.status: the person has blocked the bot.
_LEFT = {"kicked", "left"}


class Unreadable(Exception):  # noqa: N818 - a property of what came
    """An update of a kind we take, without a chat or a person in it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who an update is from, and where the answer goes."""

    update_id: int
    kind: str
    chat_id: int
    phone_language: str = ""
    tapped: int | None = None
    callback_id: str | None = None
    # The person has just blocked the bot: they can't be answered.
    left: bool = False

    @property
    def address(self) -> str:
        """The chat, as the address book keeps it."""
        return str(self.chat_id)


def caller_of(raw: Mapping[str, Any]) -> Caller | None:
    """The person behind an update; None for what doesn't concern us: groups, channels, others.

    Raises Unreadable.
    """
    kind = next((kind for kind in KINDS if kind in raw), None)
    if kind is None:
        return None
    about = raw[kind]
    match about:
        case {"inline_message_id": _} if kind == "callback_query":
            return None
        case {"message": {"chat": {"id": int(chat), "type": str(sort)}, **card}, "from": person}:
            pass
        case {"chat": {"id": int(chat), "type": str(sort)}, **rest} if kind != "callback_query":
            card, person = {}, rest.get("from", {})
        case _:
            raise Unreadable(kind)
    if sort != "private":
        return None
    match raw, person, card:
        case {"update_id": int(update_id)}, {**who}, {**shown}:
            language = who.get("language_code")
        case _:
            raise Unreadable(kind)
    return Caller(
        update_id,
        kind,
        chat,
        language if isinstance(language, str) else "",
        shown.get("message_id"),
        about.get("id") if kind == "callback_query" else None,
        _left(about) if kind == "my_chat_member" else False,
    )


def _left(change: Mapping[str, Any]) -> bool:
    match change:
        case {"new_chat_member": {"status": str(status)}}:
            return status in _LEFT
    return False
