import os
import subprocess
import sys
from importlib.resources import files

CASABLANCA = """
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
from bot.zones import knows_moroccan_time, prefer_packaged_zones
{first}
noon = datetime(2026, 12, 1, 12, tzinfo=UTC)
print(noon.astimezone(ZoneInfo("Africa/Casablanca")).strftime("%H:%M"), knows_moroccan_time())
"""


def ask_with_stale_zones(folder, first):
    """What a process says whose host still has Morocco an hour ahead, as Paris is in winter."""
    (folder / "Africa").mkdir()
    stale = files("tzdata").joinpath("zoneinfo/Europe/Paris").read_bytes()
    (folder / "Africa" / "Casablanca").write_bytes(stale)
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
