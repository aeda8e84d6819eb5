"""The switchboard leads every update where aiogram itself would, and asks nobody in a thread."""

import asyncio
import itertools
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from aiogram import Router
from aiogram.types import CallbackQuery, Chat, Message, User

from handlers.conversations import routers
from handlers.letters import Say
from handlers.switchboard import Switchboard
from handlers.turns import Turn
from handlers.words import read_catalogs
from storage.database import open_storage
from storage.tables import Member, Role
from tests.test_team_gates import button_of, handlers_of, packed
from tests.town import EVE

AMAL = User(id=7, is_bot=False, first_name="Amal")
WORDS = ("/help", "/agenda", "/team", "/unheard_of", "hello", "STOP", "سلمى")
STATES = (None, "Asking:open", "Registration:summary", "Composing:text", "Filling:open")
MEMBERS = (
    Member(role=Role.MEMBER, created_at=EVE),
    Member(role=Role.MEMBER, created_at=EVE, language="ar"),
    Member(role=Role.MEMBER, created_at=EVE, language="fr", registered_at=EVE),
    Member(role=Role.STAFF, created_at=EVE, language="en", registered_at=EVE),
    Member(role=Role.ADMIN, created_at=EVE, language="en", registered_at=EVE),
)


class NoThreads(ThreadPoolExecutor):
    def submit(self, *_args: Any, **_kwargs: Any) -> Any:
        raise AssertionError("somebody was asked in a thread")


def tap(data: str | None) -> CallbackQuery:
    return CallbackQuery(id="1", from_user=AMAL, chat_instance="1", data=data)


def word(text: str) -> Message:
    chat = Chat(id=7, type="private")
    return Message(message_id=1, date=datetime.now(UTC), chat=chat, from_user=AMAL, text=text)


def updates() -> Iterable[tuple[str, Any]]:
    yield from (("message", word(text)) for text in WORDS)
    yield from (("callback_query", tap(data)) for data in (None, "", "nobody:1", "take", "a:b:c"))
    buttons = {button_of(h) for r in routers() for h in handlers_of(r, "callback_query")}
    for button in sorted(filter(None, buttons), key=lambda one: one.__prefix__):
        yield from (("callback_query", tap(data)) for data in packed(button, [1, 2**31]))


def listening(conversations: Iterable[Router], answered: list[str]) -> None:
    """Let every handler only tell that it was chosen."""
    for conversation in conversations:
        for kind, observer in conversation.observers.items():
            for number, handler in enumerate(observer.handlers):
                name = f"{conversation.name} {kind} {number}"

                async def tell(*_args: Any, told: str = name, **_kwargs: Any) -> None:
                    answered.append(told)

                handler.call = tell  # type: ignore[method-assign]  # the last step, and only that


async def test_every_update_is_led_where_it_would_find_its_way_by_itself(
    sqlite_url: str,
) -> None:
    switched, plain = list(routers()), list(routers())
    led: list[str] = []
    found: list[str] = []
    listening(switched, led)
    listening(plain, found)
    switchboard, by_itself, catalogs = Switchboard(switched), Router(), read_catalogs()
    by_itself.include_routers(*plain)
    loop = asyncio.get_running_loop()
    threads, no_threads = ThreadPoolExecutor(1), NoThreads()
    async with open_storage(sqlite_url) as storage, storage.read() as db:
        for (kind, event), state, member in itertools.product(updates(), STATES, MEMBERS):
            turn = Turn(
                db=db,
                member=member,
                say=Say(),
                now=EVE,
                channel="telegram",
                catalogs=catalogs,
                first_language="fr",
            )
            given = {"turn": turn, "raw_state": state, "purposes": {}, "bot": None}
            before = len(led)
            loop.set_default_executor(no_threads)
            await switchboard.lead(kind, event, **given)
            loop.set_default_executor(threads)
            await by_itself.propagate_event(kind, event, **given)
            assert led[before:] == found[before:], (kind, event, state, member.role)
    assert len(set(led)) > 140
