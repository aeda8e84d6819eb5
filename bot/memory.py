"""aiogram's memory of a conversation, kept in the update's own transaction.

A wizard's step and its effect commit together, or not at all: what aiogram reads or writes here is
the row of the conversation that the intake has loaded.
"""

from collections.abc import Mapping
from typing import Any

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey

from storage.tables import Conversation


class ConversationMemory(BaseStorage):
    """aiogram's `BaseStorage` over one conversation, whatever key it is asked by."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        """Where the conversation stands now."""
        del key
        self._conversation.state = state.state if isinstance(state, State) else state

    async def get_state(self, key: StorageKey) -> str | None:
        """Where the conversation stands."""
        del key
        return self._conversation.state

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        """The answers so far. A new dict each time, so that the change is seen."""
        del key
        self._conversation.data = dict(data)

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """A copy of the answers so far."""
        del key
        return dict(self._conversation.data)

    async def close(self) -> None:
        """Nothing is held."""
