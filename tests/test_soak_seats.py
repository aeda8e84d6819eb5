"""Workers that are killed while they take and give back seats: a short while of what the soak does.

`python -m tests.soak seats` does it at full size.
"""

from tests.soak.seats import fire


async def test_workers_that_are_killed_leave_no_seat_twice_taken_and_none_forgotten(database_url):
    report = await fire(database_url, wishes=600, kills=3, seed=7)
    assert report.kept, report
    assert report.kills == 3
    assert report.wishes >= 600
