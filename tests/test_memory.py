"""aiogram's memory of a conversation is its row."""

import pytest
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import StorageKey
from sqlalchemy import select

from bot.memory import ConversationMemory
from storage.conversations import keep_conversation, new_conversation
from storage.tables import Conversation

KEY = StorageKey(bot_id=1, chat_id=2, user_id=2)


class Steps(StatesGroup):
    first = State()


def state_of(conversation):
    return FSMContext(ConversationMemory(conversation), KEY)


async def test_a_step_and_its_effect_are_kept_together_or_not_at_all(storage):
    async with storage.begin() as db:
        conversation = new_conversation("telegram", "2")
        state = state_of(conversation)
        await state.set_state(Steps.first)
        await state.update_data(draft={"name": "سلمى"})
        keep_conversation(db, conversation)

    async def stumble():
        async with storage.begin() as db:
            state = state_of(await db.get(Conversation, "telegram:2"))
            await state.update_data(draft={"name": "Amal"})
            await state.set_state(None)
            raise LookupError

    with pytest.raises(LookupError):
        await stumble()
    async with storage.read() as db:
        kept = await db.scalar(select(Conversation))
    assert (kept.state, kept.data) == ("Steps:first", {"draft": {"name": "سلمى"}})


async def test_a_change_to_what_was_read_is_no_change_to_the_row():
    conversation = Conversation(key="telegram:2", state=None, data={"field": "name"})
    state = state_of(conversation)
    (await state.get_data())["field"] = "city"
    assert await state.get_data() == {"field": "name"}
    await state.clear()
    assert conversation.state is None
    assert conversation.data == {}
