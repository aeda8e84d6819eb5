import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib.resources import files

from sqlalchemy import select

from storage.database import open_storage
from storage.tables import Session
from tests.processes import process

CASABLANCA = """
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
from bot.zones import knows_moroccan_time, prefer_packaged_zones
{first}
noon = datetime(2026, 12, 1, 12, tzinfo=UTC)
print(noon.astimezone(ZoneInfo("Africa/Casablanca")).strftime("%H:%M"), knows_moroccan_time())
"""


def make_stale(folder):
    """Zone files of a host that still has Morocco an hour ahead, as Paris is in winter."""
    (folder / "Africa").mkdir()
    stale = files("tzdata").joinpath("zoneinfo/Europe/Paris").read_bytes()
    (folder / "Africa" / "Casablanca").write_bytes(stale)


def ask_with_stale_zones(folder, first):
    """What a process says on such a host."""
    make_stale(folder)
    answer = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", CASABLANCA.format(first=first)],
        env=os.environ | {"PYTHONTZPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.strip()


def test_a_host_with_old_rules_would_be_an_hour_wrong(tmp_path):
    assert ask_with_stale_zones(tmp_path, first="") == "13:00 False"


def test_packaged_rules_win_over_the_hosts(tmp_path):
    assert ask_with_stale_zones(tmp_path, first="prefer_packaged_zones()") == "12:00 True"


def test_zones_read_before_are_read_again(tmp_path):
    first = 'ZoneInfo("Africa/Casablanca"); prefer_packaged_zones()'
    assert ask_with_stale_zones(tmp_path, first=first) == "12:00 True"


PROGRAMME = """
event: {id: rabat, title: {fr: Rabat, ar: Rabat, en: Rabat}, city: Rabat, timezone: Africa/Casablanca,
        starts: 2026-12-01, ends: 2026-12-01}
sessions:
  - {id: noon, kind: talk, title: {fr: Midi, ar: Midi, en: Noon}, start: 2026-12-01T12:00,
     minutes: 30}
"""


async def test_on_a_host_with_old_rules_jisr_itself_is_right(sqlite_url, tmp_path, monkeypatch):
    zones = tmp_path / "zones"
    zones.mkdir()
    make_stale(zones)
    monkeypatch.setenv("PYTHONTZPATH", str(zones))
    (tmp_path / "rabat.yaml").write_text(PROGRAMME, "utf-8")
    async with process(tmp_path, "import", "rabat.yaml", database_url=sqlite_url) as jisr:
        await jisr.start()
        assert await jisr.running.wait() == 0, jisr.log
    async with open_storage(sqlite_url) as storage, storage.read() as db:
        starts = (await db.scalars(select(Session.starts_at))).all()
    assert starts == [datetime(2026, 12, 1, 12, tzinfo=UTC)]
