"""What is for the team is for the team alone: every button and command, however it was come by.

The walk finds the team's handlers by their filters, so what is added later is walked through too.
"""

import enum
import inspect
import itertools
import re
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from aiogram import Router
from aiogram.dispatcher.event.handler import HandlerObject
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData, CallbackQueryFilter
from sqlalchemy import select

from handlers.conversations import routers
from storage import members, team
from storage.database import Storage
from storage.tables import Base, Conversation, Outbox, Role, Update
from tests.test_team import admin, lyon
from tests.town import EVE, Resident, Town

# The modules in which every tap and command is the team's.
OF_THE_TEAM = re.compile(
    r"handlers\.(staff_|team|posts|invitations|doors|figures|announce\b|audiences|sendings|reports)"
)
# What a field of text may hold: verbs, forms, roles, formats; what else is asked for is nonsense.
TEXTS = (
    *("cancel", "delete", "guests", "event", "session", "new", "name", "staff", "admin", "xlsx"),
    *("entrance", "title_en", "everyone", "send", "yes", "go", "start", "stop"),
)
COMBINATIONS = 6


def handlers_of(router: Router, observer: str) -> list[HandlerObject]:
    return list(router.observers[observer].handlers)


def guarded(handler: HandlerObject) -> bool:
    """Whether it asks who taps: a filter that names the staff or the admins."""
    return any(
        re.search("staff|admin", getattr(inspect.unwrap(one.callback), "__name__", ""))
        for one in handler.filters or ()
    )


def button_of(handler: HandlerObject) -> type[CallbackData] | None:
    for one in handler.filters or ():
        if isinstance(one.callback, CallbackQueryFilter):
            return one.callback.callback_data
    return None


def team_buttons() -> list[type[CallbackData]]:
    found = {
        button_of(one)
        for router in routers()
        for one in handlers_of(router, "callback_query")
        if guarded(one)
    }
    return sorted((one for one in found if one), key=lambda one: one.__prefix__)


def team_commands() -> set[str]:
    return {
        str(command)
        for router in routers()
        for one in handlers_of(router, "message")
        if guarded(one)
        for filter_ in one.filters or ()
        if isinstance(filter_.callback, Command)
        for command in filter_.callback.commands
    }


def packed(button: type[CallbackData], ids: list[int]) -> Iterator[str]:
    """Data as its buttons carry it, of things that are there."""
    values = [list(_values(field.annotation, ids)) for field in button.model_fields.values()]
    longest = max(map(len, values), default=1)
    for number in range(min(COMBINATIONS, longest)):
        row = [options[number % len(options)] for options in values]
        yield ":".join([button.__prefix__, *row])


def _values(kind: Any, ids: list[int]) -> Iterator[str]:
    if kind is bool:
        yield from ("1", "0")
    elif kind is int:
        yield from map(str, ids)
    elif inspect.isclass(kind) and issubclass(kind, enum.Enum):
        yield from (str(one.value) for one in kind)
    elif typing.get_args(kind):
        yield from itertools.chain.from_iterable(_values(k, ids) for k in typing.get_args(kind))
    else:
        yield from TEXTS


def test_all_of_the_teams_modules_ask_who_it_is() -> None:
    asked = 0
    for router in routers():
        for observer in ("message", "callback_query"):
            for one in handlers_of(router, observer):
                if OF_THE_TEAM.match(one.callback.__module__):
                    assert guarded(one), f"{one.callback.__module__}.{one.callback.__name__}"
                    asked += 1
    assert asked > 40
    assert len(team_buttons()) > 20
    assert {"events", "door", "team"} <= team_commands()


def test_a_button_of_the_team_has_no_other_handler() -> None:
    buttons = set(team_buttons())
    for router in routers():
        for one in handlers_of(router, "callback_query"):
            assert guarded(one) or button_of(one) not in buttons, one.callback


async def everything(town: Town) -> dict[str, list[Any]]:
    """All rows but what an update itself leaves behind."""
    passing = {Update.__tablename__, Conversation.__tablename__}
    async with town.app.storage.read() as db:
        return {
            name: [
                tuple(row) for row in await db.execute(select(table).order_by(*table.primary_key))
            ]
            for name, table in Base.metadata.tables.items()
            if name not in passing
        }


async def demoted(town: Town) -> tuple[Resident, list[int]]:
    """Somebody who was an admin until just now, and ids of what is there."""
    await town.programme()
    nadia, omar = await admin(town), await admin(town, "Omar")
    await lyon(town)
    await omar.says("/events")
    # In the middle of a form, too.
    await omar.taps("＋ New event")
    session = await town.session("panel-1")
    async with town.app.storage.begin() as db:
        first, second = await town.member_of(db, nadia), await town.member_of(db, omar)
        await team.remove(db, first, second.id, town.clock.now())
    return omar, [session.event_id, session.id, 1, 2, 0]


async def test_a_demoted_persons_old_buttons_do_nothing(town: Town):
    omar, ids = await demoted(town)
    before, walked = await everything(town), 0
    for button in team_buttons():
        for data in packed(button, ids):
            heard = await omar.after(omar.person.taps_data(data))
            assert [one[:1] for one in heard] == ["("], (data, heard)
            walked += 1
    for command in sorted(team_commands() - {"help", "cancel"}):
        (told,) = await omar.says(f"/{command}")
        assert told.startswith("I don't know this command."), command
    # Words, in the middle of what was a form: its question is forgotten.
    (told,) = await omar.says("A stolen event")
    assert told.startswith("I didn't understand that.")
    assert "/events" not in (await omar.says("/help"))[0]
    await omar.says("/cancel")
    assert await everything(town) == before
    assert walked > 60


async def test_a_letter_of_the_team_is_void_for_who_left_it(town: Town):
    await town.programme()
    nadia, omar = await admin(town), await admin(town, "Omar")
    event = (await town.session("panel-1")).event_id
    await omar.says("/door")
    for data in (f"figures:{event}", f"export:{event}:frab", f"exportfor:{event}:xlsx:report"):
        await omar.after(omar.person.taps_data(data))
    async with town.app.storage.begin() as db:
        first, second = await town.member_of(db, nadia), await town.member_of(db, omar)
        await team.remove(db, first, second.id, town.clock.now())
    await town.is_now(town.clock.now())
    assert omar.heard() == []
    async with town.app.storage.read() as db:
        states = await db.scalars(select(Outbox.state).where(Outbox.member_id == second.id))
        assert set(states) == {"void"}


@pytest.mark.parametrize("role", [Role.STAFF, Role.MEMBER])
async def test_only_admins_decide(storage: Storage, role: Role):
    async with storage.begin() as db:
        now = EVE
        somebody = await members.meet(db, "telegram", "1", now)
        other = await members.meet(db, "telegram", "2", now)
        somebody.role, other.role = role, Role.STAFF
        await db.flush()
        removed = await team.remove(db, somebody, other.id, now)
        assert removed == team.Removed.NOT_THERE
        assert other.role == Role.STAFF
