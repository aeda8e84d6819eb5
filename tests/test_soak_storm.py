"""A messenger in fire, and a real engine: a short while of what the soak does.

`python -m tests.soak storm` does it at full size, and measures how soon the full pace is back.
"""

from tests.soak.storm import TROUBLES, fire


async def test_whatever_the_messenger_does_the_ledger_is_the_outbox_row_by_row(
    database_url, tmp_path
):
    report = await fire(tmp_path, database_url, seconds=0.5, seed=7, patience=0)
    assert report.kept, report
    assert set(report.back) == set(TROUBLES)
    assert report.doubts > 3, "connections were cut in the middle of letters"
