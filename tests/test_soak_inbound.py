from tests.soak.inbound import fire


async def test_a_listener_that_is_killed_loses_nothing_and_does_nothing_twice(
    database_url, tmp_path
):
    by_webhook = database_url.startswith("postgresql")
    report = await fire(tmp_path, database_url, webhook=by_webhook, updates=150, kills=2, seed=7)
    assert report.kept, report
