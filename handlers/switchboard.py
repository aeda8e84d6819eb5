"""The switchboard: leads an update to the conversations that it may be for, and to no others.

aiogram asks every router whether an update is its own, one after the other, and takes each filter
that is no coroutine to a thread to ask there. Among sixty conversations that costs more than most
answers. Which buttons a conversation has is known beforehand, and our filters are looks at a field.
Nor does anything of ours stand around all handlers, which is what a dispatcher is for.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from aiogram import Router
from aiogram.dispatcher.event.handler import FilterObject, HandlerObject
from aiogram.filters.callback_data import CallbackQueryFilter
from aiogram.types import CallbackQuery, TelegramObject


class Switchboard:
    """All conversations' handlers, asked in the order in which aiogram would ask them, without those
    that must pass. Raises ValueError for a conversation that has more to it than handlers.
    """

    def __init__(self, conversations: Sequence[Router]) -> None:
        self._listening: Mapping[str, Sequence[HandlerObject]] = {
            kind: [handler for one in conversations for handler in _handlers(one, kind)]
            for kind in Router().observers
        }
        taps = [(handler, _prefix(handler)) for handler in self._listening["callback_query"]]
        self._by_prefix: Mapping[str, Sequence[HandlerObject]] = {
            known: [handler for handler, prefix in taps if prefix in (None, known)]
            for _, known in taps
            if known is not None
        }
        self._any_tap = [handler for handler, prefix in taps if prefix is None]

    async def lead(self, kind: str, event: TelegramObject, **known: Any) -> None:
        """Ask those that may know, until one does. `known`: what filters and handlers may ask for."""
        for handler in self._asked(kind, event):
            fits, told = await handler.check(event, **known)
            if fits:
                await handler.call(event, **told)
                return

    def _asked(self, kind: str, event: TelegramObject) -> Sequence[HandlerObject]:
        if not isinstance(event, CallbackQuery):
            return self._listening[kind]
        prefix, _, _ = (event.data or "").partition(":")
        return self._by_prefix.get(prefix, self._any_tap)


def _handlers(conversation: Router, kind: str) -> Iterator[HandlerObject]:
    for part in conversation.chain_tail:
        observer = part.observers[kind]
        if len(observer.middleware) or len(observer.outer_middleware):
            raise ValueError(f"{part.name}: a conversation has handlers, and nothing around them")
        for handler in observer.handlers:
            for asked in handler.filters or ():
                _ask_at_once(asked)
            yield handler


def _prefix(handler: HandlerObject) -> str | None:
    """The buttons that a handler answers; None: it may answer any."""
    first = handler.filters[0].callback if handler.filters else None
    return first.callback_data.__prefix__ if isinstance(first, CallbackQueryFilter) else None


def _ask_at_once(asked: FilterObject) -> None:
    if not asked.awaitable:
        asked.callback, asked.awaitable = _as_coroutine(asked.callback), True


def _as_coroutine(ask: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def answer(*args: Any, **kwargs: Any) -> Any:
        return ask(*args, **kwargs)

    return answer
