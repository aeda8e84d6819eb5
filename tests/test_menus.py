"""Staff's command menu: in their own chat, in their language, for as long as they are staff."""

from aiogram.types import BotCommandScopeChat
from structlog.testing import capture_logs

from storage.tables import Role
from tests.entrance import keeper
from tests.town import Town


async def menu(town: Town, resident) -> list[str]:
    """The first line of somebody's own menu; empty while they have everybody's."""
    scope = BotCommandScopeChat(chat_id=resident.person.id)
    commands = await town.app.bot.get_my_commands(scope)
    return [f"{one.command}: {one.description}" for one in commands[:1]]


async def test_who_joins_the_team_has_its_menu_until_they_leave(town: Town):
    sofia, amal = await keeper(town, "Sofia", "fr"), await town.member("Amal", "fr")
    await town.app.tidy()
    assert await menu(town, sofia) == ["events: Gérer les événements et les séances"]
    assert await menu(town, amal) == []
    async with town.app.storage.begin() as db:
        (await town.member_of(db, sofia)).language = "en"
    await town.app.tidy()
    assert await menu(town, sofia) == ["events: Manage events and sessions"]
    async with town.app.storage.begin() as db:
        (await town.member_of(db, sofia)).role = Role.MEMBER
    await town.app.tidy()
    assert await menu(town, sofia) == []


async def test_a_refusal_is_logged_once_and_stops_nothing(town: Town):
    await keeper(town, "Sofia")
    town.sim.faults.refuse("setMyCommands", code=400)
    with capture_logs() as logs:
        await town.app.tidy()
        await town.app.tidy()
    assert [entry["event"] for entry in logs] == ["a menu was not set"]
