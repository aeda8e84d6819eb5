"""Who an update is from, read from its JSON with as few assumptions as can be.

An update that aiogram can't read must still be answered and acknowledged: unread, it would come
back for ever and hold up its chat. So what the intake itself needs is read here, before aiogram.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Asked, and told, from other chats: the person's own chat is not where an answer is expected.
WORDLESS = ("inline_query", "chosen_inline_result")
# Bot API, Update: the kinds that are a person's (see `bot.telegram.ALLOWED_UPDATES`).
KINDS = ("message", "edited_message", "callback_query", "my_chat_member", *WORDLESS)
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
    # The tap, or the question from another chat.
    callback_id: str | None = None
    # The person has just blocked the bot: they can't be answered.
    left: bool = False
    # Somebody made us an administrator of a group or channel, or took that back: nobody is to hear
    # of it, and whoever did it need not have written to us.
    elsewhere: bool = False

    @property
    def wordless(self) -> bool:
        """Whether nothing may be said in the person's chat, which they may never have opened."""
        return self.elsewhere or self.kind in WORDLESS

    @property
    def address(self) -> str:
        """The chat, as the address book keeps it."""
        return str(self.chat_id)


def caller_of(raw: Mapping[str, Any]) -> Caller | None:
    """The person behind an update; None for what doesn't concern us: what is said in groups and
    channels, and others.

    Raises Unreadable.
    """
    kind = next((kind for kind in KINDS if kind in raw), None)
    if kind is None:
        return None
    about, tap = raw[kind], kind == "callback_query"
    try:
        if kind in WORDLESS:
            # A private chat has the id of its person.
            who, query = about["from"], about.get("id")
            language = str(who.get("language_code") or "")
            asked = None if query is None else str(query)
            return Caller(int(raw["update_id"]), kind, int(who["id"]), language, callback_id=asked)
        if tap and "message" not in about:
            return None  # of a message that the bot has no part in
        card = about["message"] if tap else about
        if card["chat"]["type"] != "private":
            if kind == "my_chat_member":
                # In order with what that person does; nothing else of groups is ours to read.
                return Caller(int(raw["update_id"]), kind, int(about["from"]["id"]), elsewhere=True)
            return None
        return Caller(
            int(raw["update_id"]),
            kind,
            int(card["chat"]["id"]),
            str(about["from"].get("language_code") or ""),
            tapped=int(card["message_id"]) if tap else None,
            callback_id=str(about["id"]) if tap else None,
            left=kind == "my_chat_member" and about["new_chat_member"]["status"] in _LEFT,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unreadable(kind) from None
