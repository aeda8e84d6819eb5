"""What fails again and again is parked, what passes is waited for, and its chat goes on."""

from typing import Any

import pytest
from sqlalchemy import event, select, text
from structlog.testing import capture_logs

from bot.callers import Caller, Unreadable, caller_of
from storage.conversations import conversation_key
from storage.database import open_storage
from storage.tables import Conversation, Member, Rsvp, Update
from tests.panel import TAKEN, before_a_card, count
from tests.town import Resident, Town
from tests.until import until

SORRY = {
    "fr": (
        "Un problème est survenu de notre côté, et nous en sommes informés. "
        "Merci de réessayer ; /help vous guide."
    ),
    "ar": "حدث خلل من جانبنا وقد أُخبرنا به. يرجى إعادة المحاولة؛ يوضح /help ما العمل.",
    "en": (
        "Something went wrong on our side, and we have been told. "
        "Please try again; /help shows the way."
    ),
}


# --- poison ---------------------------------------------------------------------------------


async def corrupt(town: Town, resident: Resident, data: Any) -> None:
    """Leave a wizard's state that no conversation can go on from."""
    key = conversation_key("telegram", str(resident.person.id))
    async with town.app.storage.begin() as db:
        await db.merge(Conversation(key=key, state="Asking:open", data=data))


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
async def test_an_update_that_fails_is_parked_with_an_apology_and_its_chat_goes_on(
    town: Town, language
):
    amal = await town.member("Amal Benjelloun", language)
    await amal.says("/help")
    await corrupt(town, amal, {})
    with capture_logs() as logs:
        poison = amal.person.says("mon adresse secrète")
        amal.person.says("/agenda")
        heard = await amal.after(poison)
    assert heard[0] == SORRY[language]
    assert len(heard) == 2, "the next word is answered as if nothing had happened"
    tries = [line for line in logs if line["event"] == "update failed"]
    assert [line["failures"] for line in tries] == [1, 2, 3, 4, 5]
    assert tries[0]["update"] == poison
    assert tries[0]["kind"] == "message"
    assert tries[0]["error"] == "KeyError"
    assert tries[0]["trail"][-1].startswith("asking.py:")
    told = repr(logs)
    for private in ("Amal", "Benjelloun", "secrète", str(amal.person.id)):
        assert private not in told
    async with town.app.storage.read() as db:
        parked = (await db.scalars(select(Update.update_id).where(Update.parked))).all()
    assert parked == [poison]


@pytest.mark.parametrize("data", [{}, {"field": "nonsense", "purpose": "nonsense"}, [], "x"])
async def test_a_chat_stuck_in_a_corrupt_state_frees_itself(town: Town, data):
    amal = await town.member("Amal", "en")
    await amal.says("/help")
    await corrupt(town, amal, data)
    assert await amal.says("hello") == [SORRY["en"]]
    assert await amal.says("hello?") == [SORRY["en"]]
    assert (await amal.says("hello!"))[0].startswith("I didn't understand that.")


async def test_one_failure_long_after_another_costs_nobody_their_wizard(town: Town):
    amal = await town.member("Amal", "en")
    await amal.says("/help")
    kept = {"field": "nonsense", "purpose": "settings", "draft": {}}
    await corrupt(town, amal, kept)
    for _ in range(2):
        assert await amal.says("hello") == [SORRY["en"]]
        assert (await amal.says("/agenda"))[0] != SORRY["en"]
    async with town.app.storage.read() as db:
        conversation = await db.scalar(select(Conversation))
    assert conversation is not None
    assert (conversation.state, conversation.data) == ("Asking:open", kept)


async def test_an_update_that_aiogram_cant_read_is_parked_and_acknowledged(town: Town):
    amal = await town.member("Amal", "en")
    mailbox = town.sim.world.mailbox
    person = {"id": amal.person.id, "is_bot": False, "first_name": "Amal", "language_code": "en"}
    chat = {"id": amal.person.id, "type": "private"}
    strange = {"message_id": "many", "chat": chat, "from": person, "date": "yesterday", "text": 7}
    mailbox.post("message", strange, amal.person.id)
    assert await amal.after(0) == [SORRY["en"]]
    with capture_logs() as logs:
        for about in ({}, {"chat": {}}, {"chat": chat}, {"chat": 3, "from": person}):
            mailbox.post("message", about, 0)
        mailbox.post("callback_query", {"id": "1", "from": person, "message": {}}, 0)
        assert await amal.after(0) == []
    assert [(line["event"], line["kind"]) for line in logs if line["log_level"] == "error"] == [
        *[("update can't be read", "message")] * 4,
        ("update can't be read", "callback_query"),
    ]


async def test_groups_channels_and_unknown_kinds_are_acknowledged_in_silence(town: Town):
    amal = town.stranger("Amal", "en")
    group = town.sim.group("Atelier", [amal.person])
    amal.person.says("/start", group)
    mailbox = town.sim.world.mailbox
    mailbox.allow(["message", "channel_post", "poll", "callback_query"])
    mailbox.post("channel_post", {"chat": {"id": -100, "type": "channel"}, "text": "x"}, -100)
    mailbox.post("poll", {"id": "1"}, 0)
    mailbox.post("callback_query", {"id": "1", "from": {"id": 1}, "inline_message_id": "i"}, 0)
    assert await amal.after(0) == []
    assert await count(town, Member) == 0
    assert await count(town, Update) == 0


def test_a_caller_is_read_without_aiogram():
    person = {"id": 7, "language_code": "ar-MA"}
    chat = {"id": 7, "type": "private"}
    tap = {"id": "t", "from": person, "message": {"message_id": 5, "chat": chat, "date": 0}}
    assert caller_of({"update_id": 1, "callback_query": tap}) == Caller(
        1, "callback_query", 7, "ar-MA", tapped=5, callback_id="t"
    )
    with pytest.raises(Unreadable):
        caller_of({"update_id": 1, "message": None})


# --- the database -----------------------------------------------------------------------------


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_busy_sqlite_file_is_waited_for_and_is_no_poison(town: Town, sqlite_url):
    emma = await before_a_card(town)

    @event.listens_for(town.app.storage.engine.sync_engine, "connect")
    def impatient(connection, _entry):
        connection.execute("PRAGMA busy_timeout = 0")

    await town.app.storage.engine.dispose()
    with capture_logs() as logs:
        async with open_storage(sqlite_url) as theirs, theirs.begin() as db:
            await db.execute(text("SELECT 1"))
            tap = emma.person.taps("Take a seat")
            await until(lambda: [e for e in logs if e["event"] == "the database is away"])
        assert (await emma.after(tap))[0] == TAKEN
    assert [e["event"] for e in logs if e["log_level"] == "error"] == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_database_that_is_away_is_waited_for_and_is_no_poison(town: Town, postgres):
    emma = await before_a_card(town)
    name = town.app.storage.engine.url.database
    async with open_storage(postgres.format("postgres")) as server:

        async def say(statement):
            async with server.begin() as db:
                await db.execute(text(statement))

        await say(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await say(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'jisr_%'"
        )
        with capture_logs() as logs:
            tap = emma.person.taps("Take a seat")
            await until(lambda: logs)
            await say(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            assert (await emma.after(tap))[0] == TAKEN
    assert [e["event"] for e in logs if e["log_level"] == "error"] == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_deadlocks_victim_is_tried_again(town: Town):
    emma = await before_a_card(town)
    async with town.app.storage.begin() as db:
        for statement in (
            "CREATE SEQUENCE tries",
            """
            CREATE FUNCTION choose_a_victim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('tries') < 8 THEN
                    RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01';
                END IF;
                RETURN NEW;
            END $$
            """,
            "CREATE TRIGGER victim BEFORE INSERT ON rsvp EXECUTE FUNCTION choose_a_victim()",
        ):
            await db.execute(text(statement))
    assert (await emma.taps("Take a seat"))[0] == TAKEN
    assert await count(town, Rsvp) == 1
