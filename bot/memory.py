"""aiogram's memory of conversations, kept in the update's own transaction.

A wizard's step and its effect commit together, or not at all: the intake loads the conversation,
says which one is being served, and everything aiogram reads or writes here is that row.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey

from storage.tables import Conversation

_served: ContextVar[Conversation] = ContextVar("conversation")


@contextmanager
def serving(conversation: Conversation) -> Iterator[None]:
    """Let this conversation be the one that aiogram remembers, inside the block."""
    token = _served.set(conversation)
    try:
        yield
    finally:
        _served.reset(token)


class ConversationMemory(BaseStorage):
    """aiogram's `BaseStorage` over the conversation that is being served."""

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        """Where the conversation stands now."""
        del key
        _served.get().state = state.state if isinstance(state, State) else state

    async def get_state(self, key: StorageKey) -> str | None:
        """Where the conversation stands."""
        del key
        return _served.get().state

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        """The answers so far. A new dict each time, so that the change is seen."""
        del key
        _served.get().data = dict(data)

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """A copy of the answers so far."""
        del key
        return dict(_served.get().data)

    async def close(self) -> None:
        """Nothing is held."""
