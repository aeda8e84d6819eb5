"""Announcements by engines that are killed: real processes, and a short while.

`python -m tests.soak announcements` does it at full size.
"""

from tests.soak.announcements import fire


async def test_everybody_hears_it_once_though_engines_are_killed_and_nobody_after_a_stop(
    database_url, tmp_path
):
    report = await fire(tmp_path, database_url, members=200, kills=2, seed=7)
    assert report.kept, report
    assert report.stopped_at + report.after_stop < 200
