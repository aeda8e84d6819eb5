"""The nights on which clocks change, lived through in seconds: a short while of what the soak does.

`python -m tests.soak clocks` does it at full size.
"""

import pytest

from tests.soak.clocks import NIGHTS, fire


@pytest.mark.parametrize("night", NIGHTS)
async def test_each_reminder_comes_once_and_in_time_though_clocks_change_and_jump(
    database_url, tmp_path, night
):
    report = await fire(tmp_path, database_url, night=night, jumps=5, seed=7)
    assert report.kept, report
    assert (report.jumps > 0, report.sleeps > 0) == (True, True)
