"""Any update at all: built from aiogram's types, rare kinds too, in every state of a conversation.

Whatever comes, nothing fails, nothing is logged as an error, and whoever sent it is answered after it.
"""

import asyncio
import datetime as dt
import inspect
import types
import typing
from functools import cache
from typing import Any

from aiogram.types import Update as TelegramUpdate
from aiogram.types.base import TelegramObject
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo
from structlog.testing import capture_logs

from bot.callers import Unreadable, caller_of
from bot.door import Door
from bot.flood import Flood
from tests.test_guide import HELP
from tests.town import Town

# How deep an update is filled: a message in a message's reply, and no further.
DEEP = 2
# What people write, what our buttons say, and nonsense.
TEXTS = st.one_of(
    st.sampled_from(
        [
            *(
                "/start",
                "/events",
                "/door",
                "/team",
                "/agenda",
                "/settings",
                "/cancel",
                "/search x",
            ),
            *("/start s_1", "/start invite-x", "/start t_x", "/mydata", "/forget", "/stop", "STOP"),
            *(
                "act:cancel:1",
                "ev:1",
                "tongue:fr",
                "take:1",
                "pick:name:x",
                "tinv:staff:0",
                "fill:",
            ),
            *("12/12", "14:30", "Lyon", "", " ", "\x00", "\u202e", "<b>", "{}"),
        ]
    ),
    st.text(max_size=30),
)
NUMBERS = st.sampled_from([0, 1, -1, 7, 2**31, 2**52])
# The kinds that get to conversations come as often as all the others together.
OURS = ("message", "edited_message", "callback_query", "inline_query", "my_chat_member")


@cache
def of(kind: Any, depth: int) -> st.SearchStrategy[Any]:  # noqa: PLR0911  # a table of kinds
    """A value as JSON has it, of a field with this annotation."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(of(one, depth) for one in arguments if one is not type(None)))
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(of(arguments[0], depth), max_size=2)
    if origin is typing.Annotated:
        return of(arguments[0], depth)
    if inspect.isclass(kind) and issubclass(kind, TelegramObject):
        return st.deferred(lambda: a(kind, depth - 1))
    if kind is bool:
        return st.booleans()
    if kind in {int, dt.datetime, dt.timedelta}:
        return NUMBERS
    if kind is float:
        return st.floats(-90, 90)
    return TEXTS


def kind_of(field: FieldInfo) -> Any:
    return field.annotation


def fields_of(model: type[TelegramObject]) -> dict[str, FieldInfo]:
    """Its fields, with their types: a model that was never used knows only the names of these."""
    model.model_rebuild()
    return model.model_fields


@cache
def a(model: type[TelegramObject], depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """An object of this type, as JSON: what it must have, and some of what it may."""
    must, may = {}, {}
    for name, field in fields_of(model).items():
        key = field.alias or name
        value = of(kind_of(field), depth)
        if field.is_required():
            must[key] = value
        elif depth > 0:
            may[key] = value
    return st.fixed_dictionaries(must, optional=may)


@st.composite
def updates(draw: st.DrawFn) -> dict[str, Any]:
    """Any update that aiogram reads, of any kind: what Telegram never sends is parked
    (`tests/test_intake_failures.py`).
    """
    fields = fields_of(TelegramUpdate)
    rare = sorted(fields.keys() - {"update_id"})
    name = draw(st.one_of(st.sampled_from(OURS), st.sampled_from(rare)))
    raw = {name: draw(of(kind_of(fields[name]), DEEP))}
    try:
        TelegramUpdate.model_validate({"update_id": 1, **raw})
    except ValueError:
        reject()
    return raw


def from_(raw: dict[str, Any], person: int) -> dict[str, Any]:
    """The same update, as that person's own: from them, in their private chat."""
    (value,) = raw.values()
    who = {"id": person, "is_bot": False, "first_name": "Eve", "language_code": "en"}
    for at in (value, value.get("message") or {}):
        if "chat" in at:
            at["chat"] = {"id": person, "type": "private"}
    if "from" in value or "message_id" in value:
        value["from"] = who
    return raw


def is_hers(update: dict[str, Any]) -> bool:
    """Whether a conversation gets to see it."""
    try:
        return caller_of(update) is not None
    except Unreadable:
        return False


async def test_no_update_at_all_is_too_much(town: Town):
    await town.programme()
    eve = await town.member("Eve", "en")
    await eve.says("/help")
    door = Door(town.app.intake, Flood(most=1_000_000))
    loop, taken, reached = asyncio.get_running_loop(), 0, 0

    async def one(raw: dict[str, Any], state: str) -> None:
        nonlocal taken, reached
        taken += 1
        if state:
            await eve.says(state)
        with capture_logs() as logs:
            update = {"update_id": 500_000_000 + taken, **from_(raw, eve.person.id)}
            await door.admit(update)
        reached += is_hers(update)
        # What has no person or chat in it can't be anybody's, and is told in one line.
        loud = [line for line in logs if line["log_level"] not in {"debug", "info"}]
        assert [line for line in loud if line["event"] not in KNOWN] == []
        await eve.says("/cancel")
        (told, *_) = await eve.says("/help")
        assert told.startswith(HELP["en"].split("\n", maxsplit=1)[0])

    @settings(
        max_examples=120,
        deadline=None,
        database=None,
        # What fails is told as it came: making it smaller takes minutes.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(updates(), st.sampled_from(["", "", "/settings", "/agenda", "/start"]))
    def any_update(raw: dict[str, Any], state: str) -> None:
        asyncio.run_coroutine_threadsafe(one(raw, state), loop).result(60)

    await asyncio.to_thread(any_update)
    assert taken >= 100
    # The others are of groups, channels and kinds that are none of our business.
    assert reached >= 20


# What may be said in a log meanwhile.
KNOWN = {"update can't be read"}
