import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from aiohttp.test_utils import unused_port
from rich.console import Console
from sqlalchemy import select, text

from bot import catalogs, doctor
from bot.clock import RealClock
from bot.doctor import Finding, examine, show
from bot.engine import Office
from bot.pace import Pacer
from bot.settings import read_settings
from bot.simulator import Simulator
from bot.telegram import open_bot
from storage import members, outbox
from storage.conversations import Remembered, remember_answers
from storage.database import open_storage
from storage.migrations import migrate
from storage.tables import Fate, Outbox

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN = "4242424242:simulated-and-opens-nothing"


@pytest.fixture
def sim():
    return Simulator(now=lambda: NOON, token=TOKEN)


@pytest.fixture
async def given(sim, tmp_path, monkeypatch):
    """Settings under which all is well."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(catalogs, "check", list)
    url = f"sqlite+aiosqlite:///{tmp_path}/jisr.db"
    async with sim.serve() as server:
        yield {
            "telegram_token": TOKEN,
            "telegram_api_url": server,
            "database_url": url,
            "controller": "Consulate in Lyon",
            "contact": "data@example.org",
        }


async def complaints(given):
    return [f for f in await examine(read_settings(**given)) if f.level != "ok"]


async def test_all_is_well(given):
    async with open_storage(given["database_url"]) as storage:
        await migrate(storage)
    findings = await examine(read_settings(**given))
    assert [f for f in findings if f.level != "ok"] == []
    told = [f.what for f in findings]
    assert f"token: @JisrBot on {given['telegram_api_url']}" in told
    assert "webhook: not set; 0 updates wait" in told
    assert "database: sqlite answers" in told
    assert "migrations: up to date" in told
    assert "outbox: 0 waiting, 0 sent" in told
    assert "privacy notice: Consulate in Lyon, data@example.org" in told


async def test_a_notice_that_names_nobody_is_trouble(given):
    first, second = await complaints(given | {"controller": None, "contact": None})
    wrong = "is not set, so the privacy notice can't say who is responsible"
    assert first == Finding(
        "trouble",
        f"JISR_CONTROLLER {wrong}",
        'write the name of the consulate or association, e.g. "Consulat général du Maroc à Lyon"',
    )
    assert second == Finding(
        "trouble",
        f"JISR_CONTACT {wrong}",
        "write an e-mail address or a page that is read every week",
    )


async def test_looking_makes_no_database(given, tmp_path):
    assert await complaints(given) == []
    assert list(tmp_path.iterdir()) == []


async def test_old_tables(given):
    async with open_storage(given["database_url"]) as storage, storage.begin() as db:
        await db.execute(text("CREATE TABLE older (id INTEGER)"))
    [finding] = await complaints(given)
    assert finding == Finding("warning", "the tables are not up to date", "run: jisr migrate")


async def test_a_folder_that_is_not_there(given, tmp_path):
    given["database_url"] = f"sqlite+aiosqlite:///{tmp_path}/nowhere/jisr.db"
    [finding] = await complaints(given)
    assert finding.level == "trouble"
    assert finding.what == f"the folder {tmp_path}/nowhere can't be written"


async def test_a_database_that_does_not_answer(given):
    given["database_url"] = f"postgresql+asyncpg://jisr:s3cret@127.0.0.1:{unused_port()}/jisr"
    [finding] = await complaints(given)
    assert finding.level == "trouble"
    assert finding.what.startswith("the database can't be reached: ")
    assert "s3cret" not in finding.what


async def test_a_paid_broadcast_is_told_with_its_price(given):
    [finding] = await complaints(given | {"paid_broadcast": True, "pace": 500})
    assert finding == Finding(
        "warning",
        "paid broadcast at 500/s: 100 Stars for 1,000 letters at worst",
        "have 10,000 Stars and Paid Broadcasts on in @BotFather; or JISR_PACE up to 30 without"
        " JISR_PAID_BROADCAST, which is free",
    )


async def test_letters_that_are_late_or_in_doubt_and_updates_that_were_parked(given):
    now = RealClock().now()
    async with open_storage(given["database_url"]) as storage:
        await migrate(storage)
        async with storage.begin() as db:
            amal = await members.meet(db, "telegram", "7", now)
            for key, age in [("late", 150), ("doubtful", 10), ("tomorrow's", -86400)]:
                due = now - timedelta(seconds=age)
                outbox.post(db, key=key, member_id=amal.id, kind="note", about={}, due=due)
            await db.flush()
            doubtful = await db.scalar(select(Outbox).where(Outbox.key == "doubtful"))
            doubtful.state = Fate.UNKNOWN
            for update_id, hours in [(1, 1), (2, 23), (3, 25)]:
                at = now - timedelta(hours=hours)
                answer = Remembered(update_id, [], parked=True)
                await remember_answers(db, "telegram", [answer], at)
            await remember_answers(db, "telegram", [Remembered(4, [])], now)
        unknown = Finding(
            "warning",
            "1 letters may have arrived, or not, and wait for a decision",
            "run: jisr outbox",
        )
        parked = Finding(
            "warning",
            "2 updates of the last day could not be answered",
            'see "update parked" in the log, and mend the fault',
        )
        # Before a start letters may be late; beside an engine that is at work they shouldn't be.
        assert await complaints(given) == [unknown, parked]
        assert await Office(storage).renew()
    late = Finding(
        "warning",
        "a letter is 2 minutes late, though an engine is at work",
        "see the log; a large announcement takes its time at 28/s",
    )
    assert await complaints(given) == [late, unknown, parked]


async def test_no_token(given):
    del given["telegram_token"]
    [finding] = await complaints(given)
    assert finding == Finding(
        "trouble",
        "there is no bot token",
        "write /newbot (or /token) to @BotFather in Telegram and set what it answers"
        " as JISR_TELEGRAM_TOKEN",
    )


async def test_a_wrong_token_is_trouble_and_not_repeated(given):
    given["telegram_token"] = "4242424242:somebody-elses-0123456789-0123456789"
    findings = await examine(read_settings(**given))
    [finding] = [f for f in findings if f.level != "ok"]
    assert finding.what == f"{given['telegram_api_url']} does not know this token"
    assert "somebody" not in str(findings)


async def test_a_server_without_get_me_is_a_warning(sim, given):
    sim.faults.refuse("getMe", "getWebhookInfo")
    first, second = await complaints(given)
    assert (first.level, second.level) == ("warning", "warning")
    assert "refuses getMe, so the token is not proved" in first.what
    assert second.what.startswith("getWebhookInfo is refused")


async def test_a_server_that_can_not_be_reached(given):
    given["telegram_api_url"] = f"http://127.0.0.1:{unused_port()}"
    [finding] = await complaints(given)
    assert finding.level == "trouble"
    assert finding.what.startswith(f"{given['telegram_api_url']} can't be reached: ")
    assert finding.remedy == "check the network and JISR_TELEGRAM_API_URL"


async def test_a_webhook_while_we_would_poll(given):
    await set_webhook(given, "http://127.0.0.1:9/hook")
    [finding] = await complaints(given)
    assert finding == Finding(
        "trouble",
        "a webhook is set while we would poll: nothing would arrive",
        "call deleteWebhook, or set JISR_PUBLIC_URL to use a webhook",
    )
    mine = {"public_url": "http://127.0.0.1:9", "webhook_secret": "hard-to-guess"}
    assert await complaints(given | mine) == []
    other = mine | {"public_url": "http://127.0.0.1:10"}
    [finding] = await complaints(given | other)
    assert finding.what == "the webhook points elsewhere: another bot may use this token"


async def set_webhook(given, url):
    async with open_bot(read_settings(**given), Pacer()) as bot:
        await bot.set_webhook(url)


async def test_a_setting_with_a_typing_error(given, monkeypatch):
    monkeypatch.setenv("JISR_TELEGRAM_TOKENN", "oops")
    [finding] = await complaints(given)
    assert finding == Finding(
        "warning", "JISR_TELEGRAM_TOKENN is no setting of ours", "look for a typing error"
    )


async def test_a_catalog_with_gaps(given, monkeypatch):
    monkeypatch.setattr(catalogs, "check", lambda: ["ar: 2 without words"])
    [finding] = await complaints(given)
    assert finding == Finding(
        "warning", "catalogs: ar: 2 without words", "run: jisr catalogs update; translate"
    )


async def test_old_zones(given, monkeypatch):
    monkeypatch.setattr(doctor, "knows_moroccan_time", lambda: False)
    [finding] = await complaints(given)
    assert finding.level == "trouble"
    assert finding.what.startswith("zones: Morocco's change of 2026-09-20 is not known")


@pytest.mark.parametrize(("free", "level"), [(10**7, "trouble"), (10**8, "warning")])
async def test_little_room(given, monkeypatch, free, level):
    usage = SimpleNamespace(free=free)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    [finding] = await complaints(given)
    assert finding.level == level
    assert finding.what.startswith("disk: 0.")


async def test_one_look_that_fails_hides_no_other(given, monkeypatch):
    def broken():
        raise RuntimeError(f"at /bot{TOKEN}/")

    monkeypatch.setattr(doctor, "knows_moroccan_time", broken)
    findings = await examine(read_settings(**given))
    assert (
        Finding("trouble", "RuntimeError: at /bot<token>/", "see the documentation of this part")
        in findings
    )
    assert findings[-1].what.startswith("disk: ")


def test_findings_are_shown_as_they_are():
    out = io.StringIO()
    show([Finding("warning", "[red] is no colour here", "mend [it]")], Console(file=out, width=80))
    assert " ".join(out.getvalue().split()) == "warning [red] is no colour here mend [it]"
