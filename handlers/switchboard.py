"""The switchboard: leads an update to the conversations that it may be for, and to no others.

aiogram asks every router whether an update is its own, one after the other, and takes each filter
that is no coroutine to a thread to ask there. Among sixty conversations that costs more than most
answers. Which buttons a conversation has is known beforehand, and our filters are looks at a field.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from aiogram import Router
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.dispatcher.event.handler import FilterObject, HandlerObject
from aiogram.filters.callback_data import CallbackQueryFilter
from aiogram.types import CallbackQuery, TelegramObject

_TAP = "callback_query"


class Switchboard(Router):
    """All conversations, asked in the given order as aiogram would, without those that must pass."""

    def __init__(self, conversations: Sequence[Router]) -> None:
        super().__init__(name="switchboard")
        self.include_routers(*conversations)
        self._listening: Mapping[str, Sequence[Router]] = {
            kind: [one for one in conversations if any(_handlers(one, kind))]
            for kind in self.observers
        }
        taps = [(one, _prefixes(one)) for one in self._listening[_TAP]]
        known = {prefix for _, prefixes in taps for prefix in prefixes or ()}
        self._by_prefix: Mapping[str, Sequence[Router]] = {
            prefix: [one for one, prefixes in taps if prefixes is None or prefix in prefixes]
            for prefix in known
        }
        self._any_tap = [one for one, prefixes in taps if prefixes is None]
        for conversation in conversations:
            for kind in self.observers:
                for handler in _handlers(conversation, kind):
                    for asked in handler.filters or ():
                        _ask_at_once(asked)

    async def propagate_event(self, update_type: str, event: TelegramObject, **kwargs: Any) -> Any:
        """Ask those that may know, until one does."""
        for conversation in self._asked(update_type, event):
            answer = await conversation.propagate_event(update_type, event, **kwargs)
            if answer is not UNHANDLED:
                return answer
        return UNHANDLED

    def _asked(self, update_type: str, event: TelegramObject) -> Sequence[Router]:
        if not isinstance(event, CallbackQuery):
            return self._listening[update_type]
        prefix, _, _ = (event.data or "").partition(":")
        return self._by_prefix.get(prefix, self._any_tap)


def _handlers(conversation: Router, kind: str) -> Iterator[HandlerObject]:
    for part in conversation.chain_tail:
        yield from part.observers[kind].handlers


def _prefixes(conversation: Router) -> frozenset[str] | None:
    """The buttons that a conversation answers; None: it may answer any."""
    prefixes = set()
    for handler in _handlers(conversation, _TAP):
        first = handler.filters[0].callback if handler.filters else None
        if not isinstance(first, CallbackQueryFilter):
            return None
        prefixes.add(first.callback_data.__prefix__)
    return frozenset(prefixes)


def _ask_at_once(asked: FilterObject) -> None:
    if not asked.awaitable:
        asked.callback, asked.awaitable = _as_coroutine(asked.callback), True


def _as_coroutine(ask: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def answer(*args: Any, **kwargs: Any) -> Any:
        return ask(*args, **kwargs)

    return answer
