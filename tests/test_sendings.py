"""Announcements that leave: each person once, watched, paused, stopped, corrected."""

import asyncio
from datetime import timedelta

from sqlalchemy import select

from storage import mailings, members, outbox, purposes, recipients, sendings
from storage.tables import Announcement, Purpose, Role, Stage
from tests.sending import TEXTS, audited, far_away, outcomes, ready, rows, sends, staff, stage
from tests.town import EVE, Town


async def test_each_reads_it_once_in_their_language_and_its_author_watches(town: Town):
    emma = await staff(town)
    amal, bilal = await town.member("Amal", "fr"), await town.member("Bilal", "ar")
    chama = await town.member("Chama", "en", agrees=[Purpose.EVENTS])
    announcement = await ready(town, emma)
    await sends(town, seconds=1)
    assert amal.heard() == [
        "Journée portes ouvertes\nLe consulat vous accueille samedi.\n\n"
        "Pour ne plus en recevoir : /stop\n[🔕 Ne plus en recevoir]"
    ]
    assert bilal.heard() == [
        "يوم الأبواب المفتوحة\nتستقبلكم القنصلية يوم السبت.\n\nلإيقاف هذه الرسائل: /stop\n"
        "[🔕 إيقاف هذه الرسائل]"
    ]
    assert chama.heard() == [], "she never agreed to announcements"
    assert emma.heard() == [
        "📣 Open day\n\n📤 It is being sent.\n▱▱▱▱▱▱▱▱▱▱ 0%\n\n📬 Received: 0 of 2\n"
        "⏳ Still to go: 2\n[⏸ Pause] [⏹ Stop]"
    ]
    await sends(town, seconds=5)
    assert emma.heard() == [
        "📣 Open day\n\n✅ Sent.\n▰▰▰▰▰▰▰▰▰▰ 100%\n\n📬 Received: 2 of 2\n[✏️ Send a correction] [📊 Report]"
    ]
    assert await outcomes(town, announcement) == [
        ("Amal", "fr", "sent", None),
        ("Bilal", "ar", "sent", None),
    ]
    await sends(town, minutes=10)
    assert [r.heard() for r in (emma, amal, bilal, chama)] == [[], [], [], []]
    assert await stage(town, announcement) == Stage.SENT


async def test_whose_language_has_no_words_reads_those_that_stand_in_or_is_left_out(town: Town):
    emma, amal = await staff(town), await town.member("Amal", "ar")
    only_french = {"fr": TEXTS["fr"]}
    await ready(town, emma, only_french)
    await ready(town, emma, only_french, fallback=None)
    await sends(town, seconds=1)
    assert amal.heard() == [
        "Journée portes ouvertes\nLe consulat vous accueille samedi.\n\nلإيقاف هذه الرسائل: /stop\n"
        "[🔕 إيقاف هذه الرسائل]"
    ]


async def test_nobody_is_woken_and_a_pause_lasts_until_it_is_resumed(town: Town):
    emma, amal = await staff(town), await town.member("Amal")
    far = await far_away(town, "Bilal")
    announcement = await ready(town, emma, quietly=True)
    await sends(town, seconds=1)
    await sends(town, seconds=5)
    assert (len(amal.heard()), far.heard()) == (1, [])
    assert emma.heard()[-1] == (
        "📣 Open day\n\n📤 It is being sent.\n▰▰▰▰▰▱▱▱▱▱ 50%\n\n📬 Received: 1 of 2\n"
        "⏳ Still to go: 1. Done in 4 hours.\n[⏸ Pause] [⏹ Stop]"
    )
    assert await emma.taps("⏸ Pause") == [
        "📣 Open day\n\n⏸ Paused: nothing leaves.\n▰▰▰▰▰▱▱▱▱▱ 50%\n\n📬 Received: 1 of 2\n"
        "▫️ Not sent: 1\n[▶️ Resume] [⏹ Stop]"
    ]
    await sends(town, hours=5)
    assert far.heard() == []
    await emma.taps("▶️ Resume")
    await sends(town, hours=5, seconds=1)
    assert len(far.heard()) == 1
    assert await audited(town) == ["announcement.paused", "announcement.resumed"]
    assert await stage(town, announcement) == Stage.SENT


async def test_a_pause_takes_back_what_waits_and_nobody_gets_it_twice(town: Town):
    emma = await staff(town)
    amal, bilal = await town.member("Amal"), await town.member("Bilal")
    announcement = await ready(town, emma)
    await town.app.sender.tend()
    assert [one.reason for one in await rows(town)] == [None, None]
    async with town.app.storage.begin() as db:
        assert await sendings.pause(db, announcement, EVE) is not None
    await sends(town, minutes=1)
    assert [(one.state, one.reason) for one in await rows(town)] == [("void", "paused")] * 2
    async with town.app.storage.begin() as db:
        assert await sendings.pause(db, announcement, EVE) is None
        assert await sendings.resume(db, announcement, town.clock.now()) is not None
    await sends(town, minutes=2)
    assert (len(amal.heard()), len(bilal.heard())) == (1, 1)
    assert await stage(town, announcement) == Stage.SENT


async def test_what_is_stopped_stays_stopped(town: Town):
    emma, amal = await staff(town), await town.member("Amal")
    far = await far_away(town, "Bilal")
    announcement = await ready(town, emma, quietly=True)
    await sends(town, seconds=1)
    await sends(town, seconds=5)
    assert len(amal.heard()) == 1
    emma.heard()
    assert (await emma.taps("⏹ Stop"))[-1].endswith(
        "Stop it for good? 1 person would not receive it.\n[⏹ Yes, stop it]\n[‹ Back]"
    )
    question = emma.last
    assert await emma.taps("⏹ Yes, stop it") == [
        "📣 Open day\n\n⏹ Stopped.\n▰▰▰▰▰▱▱▱▱▱ 50%\n\n📬 Received: 1 of 2\n▫️ Not sent: 1\n"
        "[✏️ Send a correction] [📊 Report]"
    ]
    assert question.labels == ["⏹ Yes, stop it", "‹ Back"]
    await sends(town, hours=5)
    assert far.heard() == []
    emma.person.taps_data(f"sending:resume:{announcement}", emma.last)
    await town.sim.settled()
    assert emma.heard()[0] == "(It has changed meanwhile: here is how it stands.)"
    assert await outcomes(town, announcement) == [
        ("Amal", "fr", "sent", None),
        ("Bilal", "fr", None, None),
    ]


async def test_who_can_not_be_reached_and_who_left_at_the_last_moment_are_accounted_for(
    town: Town,
):
    emma = await staff(town)
    amal, bilal = await town.member("Amal"), await town.member("Bilal")
    announcement = await ready(town, emma)
    await town.app.sender.tend()
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, amal)
        gone = [Purpose.ANNOUNCEMENTS]
        await purposes.withdraw(db, member, gone, EVE, version="test", channel="telegram")
    bilal.person.blocks()
    await town.sim.settled()
    async with town.app.storage.begin() as db:
        # As if nobody had told us of the block.
        address = await members.address_on(db, "telegram", str(bilal.person.id))
        assert address is not None
        address.unreachable_at = None
    await sends(town, seconds=1)
    await sends(town, seconds=5)
    assert amal.heard() == []
    assert await outcomes(town, announcement) == [
        ("Amal", "fr", "void", "opted out"),
        ("Bilal", "fr", "failed", "blocked"),
    ]
    assert emma.heard()[-1] == (
        "📣 Open day\n\n✅ Sent.\n▰▰▰▰▰▰▰▰▰▰ 100%\n\n📬 Received: 0 of 2\n"
        "❌ Not delivered: 1\n     blocked the bot: 1\n"
        "🔕 Left out at the last moment: 1\n     opted out: 1\n[✏️ Send a correction] [📊 Report]"
    )


async def test_a_letter_in_doubt_is_held_listed_and_sent_again_if_staff_say_so(town: Town):
    emma, amal = await staff(town), await town.member("Amal")
    announcement = await ready(town, emma)
    await town.app.sender.tend()
    town.sim.faults.drop_after(chat_id=amal.person.id)
    await sends(town, seconds=1)
    await sends(town, seconds=5)
    assert len(amal.heard()) == 1
    assert emma.heard()[-1].split("\n")[5:] == [
        "📬 Received: 0 of 1",
        "❔ In doubt: 1",
        "[❔ In doubt]",
        "[✏️ Send a correction] [📊 Report]",
    ]
    await sends(town, minutes=10)
    assert amal.heard() == [], "who complains of doubles gets none"
    assert await emma.taps("❔ In doubt") == [
        "❔ The answer to these letters was lost: they may have arrived, or not. Nobody gets it "
        "twice unless you say so.\n\nAmal\n[📨 Send them again]\n[‹ Back]"
    ]
    await emma.taps("📨 Send them again")
    await sends(town, minutes=11)
    assert len(amal.heard()) == 1
    assert await outcomes(town, announcement) == [("Amal", "fr", "sent", None)]
    assert await audited(town) == ["announcement.released"]


async def test_a_correction_goes_to_exactly_those_who_received_it(town: Town):
    emma, amal = await staff(town), await town.member("Amal")
    announcement = await ready(town, emma, rule={"language": "fr"})
    await sends(town, seconds=1)
    late = await town.member("Bilal")
    await sends(town, seconds=5)
    amal.heard()
    emma.heard()
    await emma.taps("✏️ Send a correction")
    async with town.app.storage.begin() as db:
        draft = await db.scalar(
            select(Announcement).where(Announcement.corrects_id == announcement)
        )
        assert draft is not None
        assert (draft.stage, draft.rule) == (Stage.DRAFT, {"received": announcement})
        draft.stage = Stage.READY
        draft.quietly = False
    await sends(town, seconds=10)
    assert amal.heard() == [
        "✏️ Rectificatif\n\nJournée portes ouvertes\nLe consulat vous accueille samedi.\n\n"
        "Pour ne plus en recevoir : /stop\n[🔕 Ne plus en recevoir]"
    ]
    assert late.heard() == []


async def test_who_joins_in_time_receives_it_too_and_once(town: Town):
    emma, amal = await staff(town), await town.member("Amal")
    announcement = await ready(town, emma, joiner_days=7)
    await sends(town, seconds=1)
    early = await town.member("Bilal")
    for day in (1, 2, 8):
        if day == 8:
            late = await town.member("Chama")
        await sends(town, days=day)
        await town.app.sender.welcome()
        await sends(town, days=day, seconds=1)
    assert [len(one.heard()) for one in (amal, early, late)] == [1, 1, 0]
    assert await stage(town, announcement) == Stage.SENT


async def test_it_leaves_at_its_time_in_each_readers_own_zone(town: Town):
    emma, amal = await staff(town), await town.member("Amal")
    far = await far_away(town, "Bilal")
    async with town.app.storage.begin() as db:
        members.set_timezone(await town.member_of(db, amal), "Europe/Paris", None)
    await ready(town, emma, local_time="2018-07-03T18:00")
    for hour, heard in ((7.9, (0, 0)), (8, (1, 0)), (13.9, (0, 0)), (14, (0, 1))):
        await sends(town, hours=hour)
        assert (len(amal.heard()), len(far.heard())) == heard


async def test_the_buttons_of_somebody_who_left_the_team_do_nothing(town: Town):
    emma, amal = await staff(town), await town.member("Amal")
    await far_away(town, "Bilal")
    announcement = await ready(town, emma, quietly=True)
    await sends(town, seconds=1)
    async with town.app.storage.begin() as db:
        (await town.member_of(db, emma)).role = Role.MEMBER
    await emma.taps("⏸ Pause")
    assert await stage(town, announcement) == Stage.SENDING
    for verb in ("pause", "stopped", "correct", "release"):
        amal.person.taps_data(f"sending:{verb}:{announcement}")
    await town.sim.settled()
    assert (await stage(town, announcement), await audited(town)) == (Stage.SENDING, [])


async def test_two_engines_at_once_write_each_recipient_down_and_post_each_letter_once(
    town: Town, monkeypatch
):
    monkeypatch.setattr(recipients, "SLICE", 3)
    monkeypatch.setattr(mailings, "LETTERS", 2)
    emma = await staff(town)
    people = [await town.member(f"M{n}") for n in range(10)]
    announcement = await ready(town, emma)
    for second in range(20):
        town.clock.jump(EVE + timedelta(seconds=second))
        await asyncio.gather(*(town.app.sender.tend() for _ in range(3)))
    await sends(town, seconds=30)
    assert [len(one.heard()) for one in people] == [1] * 10
    assert [outcome[2] for outcome in await outcomes(town, announcement)] == ["sent"] * 10
    assert await stage(town, announcement) == Stage.SENT


async def test_a_letter_that_the_operator_releases_is_open_again(town: Town):
    emma, amal = await staff(town), await town.member("Amal")
    announcement = await ready(town, emma)
    await town.app.sender.tend()
    town.sim.faults.drop_after(chat_id=amal.person.id)
    await sends(town, seconds=1)
    assert await outcomes(town, announcement) == [("Amal", "fr", "unknown", "ClientOSError")]
    async with town.app.storage.begin() as db:
        ids = await outbox.release(db, None, town.clock.now())
        await sendings.released(db, ids)
    await sends(town, seconds=9)
    assert await outcomes(town, announcement) == [("Amal", "fr", "sent", None)]
    assert (len(amal.heard()), await stage(town, announcement)) == (2, Stage.SENT)
