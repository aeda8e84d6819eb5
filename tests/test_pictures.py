"""Pictures that the channel draws when it sends: trouble on the way loses no letter."""

from datetime import UTC, datetime

import pytest

from bot.bulk import open_bulk
from bot.channels import Later, Refused, Sent
from bot.pace import Pacer
from bot.settings import read_settings
from bot.simulator import Simulator
from handlers.letters import Bars, Chart, Letter, Scannable

TOKEN = "4242424242:simulated-and-opens-nothing"
TICKET = Letter("Your ticket", picture=Scannable("t_code"))


@pytest.fixture
def sim():
    return Simulator(now=lambda: datetime(2026, 11, 22, 12, tzinfo=UTC), token=TOKEN)


@pytest.fixture
async def bulk(sim):
    async with sim.serve() as url:
        settings = read_settings(telegram_token=TOKEN, telegram_api_url=url)
        async with open_bulk(settings, Pacer(rate=1_000, per_chat=0)) as bulk:
            yield bulk


async def test_the_name_of_the_bot_is_asked_once(bulk, sim):
    amal = sim.person("Amal")
    for _ in range(2):
        assert isinstance(await bulk.send(TICKET, str(amal.id)), Sent)
    assert len([m for m in amal.chat.messages if m.photo]) == 2
    # Asked again it would be refused.
    sim.faults.refuse("getMe")
    assert isinstance(await bulk.send(TICKET, str(amal.id)), Sent)


@pytest.mark.parametrize("trouble", ["drop_before", "drop_after", "fail"])
async def test_without_an_answer_the_ticket_comes_later(bulk, sim, trouble: str):
    amal = sim.person("Amal")
    getattr(sim.faults, trouble)(method="getMe")
    assert isinstance(await bulk.send(TICKET, str(amal.id)), Later)
    assert amal.chat.messages == []
    assert isinstance(await bulk.send(TICKET, str(amal.id)), Sent)


async def test_what_cannot_be_drawn_is_refused(bulk, sim):
    amal = sim.person("Amal")
    beyond_all_floats = Bars("Panel", None, 10**400, 0, None, "")
    chart = Chart("An event", ("a", "b", "c", "d"), (beyond_all_floats,), right_to_left=False)
    outcome = await bulk.send(Letter("Figures", picture=chart), str(amal.id))
    assert outcome == Refused("can't be made")
