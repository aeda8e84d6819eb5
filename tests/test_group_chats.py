"""Groups and channels: known by what the messenger tells, posted to once, silent otherwise."""

import pytest
from sqlalchemy import func, select, text

from storage import group_chats
from storage.tables import Announcement, GroupPosting, Member, Stage
from tests.sending import audited, ready, sends, staff
from tests.town import Resident, Town, drawn


async def opened(town: Town, emma: Resident) -> int:
    """A draft of Emma's, with the page of groups on her screen."""
    announcement = await ready(town, emma, rule={"language": "none"})
    async with town.app.storage.begin() as db:
        found = await db.get(Announcement, announcement)
        assert found is not None
        found.stage = Stage.DRAFT
    await emma.says("/help")
    emma.person.taps_data(f"groups:{announcement}:show:")
    await town.sim.settled()
    return announcement


async def leaves(town: Town, announcement: int, **after: float) -> None:
    async with town.app.storage.begin() as db:
        found = await db.get(Announcement, announcement)
        assert found is not None
        found.stage = Stage.READY
    await sends(town, **after)
    await sends(town, **{unit: n + 10 for unit, n in after.items()})


async def told_of(town: Town) -> list[tuple[str, str, bool]]:
    async with town.app.storage.read() as db:
        return [
            (one.kind, one.title, one.left_at is None) for one in await group_chats.open_to_us(db)
        ]


async def test_it_is_posted_where_the_bot_is_an_administrator_in_one_language_or_all(town: Town):
    emma = await staff(town)
    group, channel = town.sim.group("Diaspora Lyon"), town.sim.channel("Consulat")
    group.makes_bot_administrator(emma.person)
    channel.makes_bot_administrator(emma.person)
    await town.sim.settled()
    assert await told_of(town) == [
        ("channel", "Consulat", True),
        ("group", "Diaspora Lyon", True),
    ]
    announcement = await opened(town, emma)
    assert emma.heard()[-1] == (
        "Groups and channels\n\n"
        "Where should it be posted, too? Readers there can't be asked what they agree to.\n"
        "[⬜️ Consulat]\n[⬜️ Diaspora Lyon]\n[‹ Back]"
    )
    await emma.taps("⬜️ Diaspora Lyon")
    assert (await emma.taps("⬜️ Consulat"))[-1].split("\n")[3:] == [
        "[☑️ Consulat]",
        "[☑️ Diaspora Lyon]",
        "[Français] [العربية] [English]",
        "[● All languages in one message]",
        "[‹ Back]",
    ]
    await leaves(town, announcement, seconds=1)
    assert drawn(group.chat.messages[-1]) == (
        "Journée portes ouvertes\nLe consulat vous accueille samedi.\n\n———\n\n"
        "يوم الأبواب المفتوحة\nتستقبلكم القنصلية يوم السبت.\n\n———\n\n"
        "Open day\nThe consulate welcomes you on Saturday."
    )
    assert [len(one.chat.messages) for one in (group, channel)] == [1, 1]
    assert "👥 Groups and channels: 2 of 2" in emma.heard()[-1]
    assert await audited(town) == ["announcement.groups"] * 2


async def test_one_language_may_be_chosen_and_a_group_that_closed_is_told(town: Town):
    emma = await staff(town)
    group, gone = town.sim.group("Diaspora Lyon"), town.sim.group("Casablanca")
    for one in (group, gone):
        one.makes_bot_administrator(emma.person)
    await town.sim.settled()
    announcement = await opened(town, emma)
    await emma.taps("⬜️ Diaspora Lyon")
    await emma.taps("⬜️ Casablanca")
    assert "● العربية" in (await emma.taps("العربية"))[-1]
    gone.removes_bot()
    await leaves(town, announcement, seconds=1)
    assert drawn(group.chat.messages[-1]) == "يوم الأبواب المفتوحة\nتستقبلكم القنصلية يوم السبت."
    assert "👥 Groups and channels: 1 of 2" in emma.heard()[-1]
    async with town.app.storage.read() as db:
        found = await db.execute(
            select(GroupPosting.outcome, GroupPosting.reason).order_by("outcome")
        )
        assert [tuple(row) for row in found] == [("failed", "forbidden"), ("sent", None)]
    assert await told_of(town) == [("group", "Diaspora Lyon", True)]


async def test_a_group_that_became_a_supergroup_is_followed(town: Town):
    emma = await staff(town)
    group = town.sim.group("Diaspora Lyon", [emma.person])
    group.makes_bot_administrator(emma.person)
    await town.sim.settled()
    announcement = await opened(town, emma)
    await emma.taps("⬜️ Diaspora Lyon")
    group.migrate_to_supergroup()
    await leaves(town, announcement, seconds=1)
    assert drawn(group.chat.messages[-1]).startswith("Journée portes ouvertes")
    assert await told_of(town) == [("supergroup", "Diaspora Lyon", True)]


async def test_a_channel_without_the_right_to_post_and_a_group_that_removed_us_are_not_offered(
    town: Town,
):
    emma, stranger = await staff(town), town.sim.person("Nobody we know")
    channel, group = town.sim.channel("Consulat"), town.sim.group("Diaspora Lyon")
    channel.makes_bot_administrator(stranger, may_post=False)
    group.makes_bot_administrator(stranger)
    await town.sim.settled()
    group.removes_bot(stranger)
    await town.sim.settled()
    assert await told_of(town) == []
    await opened(town, emma)
    assert emma.heard()[-1] == (
        "Groups and channels\n\nI am not an administrator of any group or channel yet. Make me one "
        "(in a channel with the right to post), then come back.\n[‹ Back]"
    )
    async with town.app.storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(Member)) == 1, "no trace of them"


async def test_what_is_said_in_a_group_is_neither_answered_nor_kept(town: Town):
    emma = await staff(town)
    group = town.sim.group("Diaspora Lyon", [emma.person])
    group.makes_bot_administrator(emma.person)
    emma.person.says("/help qanari", group)
    await town.sim.settled()
    assert [message.outgoing for message in group.chat.messages] == [False]
    async with town.app.storage.read() as db:
        for table in ("update", "conversation", "group_chat"):
            rows = await db.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608  # ours
            assert "qanari" not in str(rows.all())


@pytest.mark.parametrize("verb", ["tick", "speak", "show"])
async def test_nobody_but_its_author_chooses_its_groups(town: Town, verb: str):
    emma, amal = await staff(town), await town.member("Amal")
    group = town.sim.group("Diaspora Lyon")
    group.makes_bot_administrator(emma.person)
    announcement = await opened(town, emma)
    await amal.says("/help")
    amal.person.taps_data(f"groups:{announcement}:{verb}:1")
    await town.sim.settled()
    async with town.app.storage.read() as db:
        assert await group_chats.postings(db, announcement) == []
    assert all("Groups" not in said for said in amal.heard())
