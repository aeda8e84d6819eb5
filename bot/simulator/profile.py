"""The bot's public face: its name, descriptions, commands and menu, per language and scope."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Scope = tuple[str, int, int]
"""Kind of scope, chat id, user id; 0 where the kind names none."""

DEFAULT_SCOPE: Scope = ("default", 0, 0)


def scope_of(scope: dict[str, Any] | None) -> Scope:
    """Turn a BotCommandScope into a key."""
    scope = scope or {"type": "default"}
    return scope["type"], int(scope.get("chat_id", 0)), int(scope.get("user_id", 0))


@dataclass(slots=True)
class Profile:
    """What people see of the bot. The empty language is for everyone without their own."""

    names: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    short_descriptions: dict[str, str] = field(default_factory=dict)
    commands: dict[tuple[Scope, str], list[dict[str, str]]] = field(default_factory=dict)
    menus: dict[int, dict[str, Any]] = field(default_factory=dict)

    def name_for(self, language: str) -> str:
        """Return the bot's name as a person who uses `language` sees it."""
        return self.names.get(language) or self.names.get("", "")

    def description_for(self, language: str) -> str:
        """Return what an empty chat shows before Start is pressed."""
        return self.descriptions.get(language) or self.descriptions.get("", "")

    def commands_for(self, chat_id: int, language: str) -> list[dict[str, str]]:
        """Return the command menu of a private chat: the first list that is set.

        Source of the order: Bot API, "Determining list of commands".
        """
        for key in self._looked_up(chat_id, language):
            if commands := self.commands.get(key):
                return commands
        return []

    @staticmethod
    def _looked_up(chat_id: int, language: str) -> Iterator[tuple[Scope, str]]:
        for scope in (("chat", chat_id, 0), ("all_private_chats", 0, 0), DEFAULT_SCOPE):
            yield scope, language
            yield scope, ""
