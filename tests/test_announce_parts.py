"""What a draft carries, when it leaves, and the last steps before that."""

from storage.tables import Announcement, Stage
from tests.drafts import a_draft, deeds
from tests.entrance import keeper
from tests.town import Town

WAY_OUT = "To stop receiving these: /stop"
AT_ONCE = (
    "🕘 It leaves as soon as it is sent.\n"
    "🌙 Whoever has quiet hours then gets it when they are over.\n"
)


async def test_a_link_and_answers_are_named_in_each_language(town: Town):
    sofia = await keeper(town, "Sofia", "en")
    await a_draft(town, sofia)
    await sofia.taps("✎ Français")
    await sofia.says("Portes ouvertes")
    assert await sofia.taps("🔗 Link") == [
        "Which page shall the button open? Write its address, e.g. https://consulat.ma\n[‹ Back]"
    ]
    (hint,) = await sofia.says("our page")
    assert hint.startswith("I can't open this address. Write it like https://consulat.ma/lyon\n")
    (english,) = await sofia.says("consulat.ma/lyon")
    assert english.startswith("What does the button say in this language: English? ")
    await sofia.says("Register")
    (card,) = await sofia.says("S'inscrire https://consulat.ma/fr")
    assert "🔗 Register, S'inscrire → https://consulat.ma/lyon\n" in card
    (asked,) = await sofia.taps("🗳 Answers")
    assert asked.startswith(
        "Which answers may readers tap? Write up to four, one per line, in this language: English\n"
    )
    (hint,) = await sofia.says("1\n2\n3\n4\n5")
    assert hint.startswith("Please write one to four answers, one per line, each at most 40 ")
    await sofia.says("I'll come\nI can't")
    (hint,) = await sofia.says("Je viens")
    assert hint.startswith("There are 2 answers: please write as many lines.\n")
    (card,) = await sofia.says("Je viens\nJe ne peux pas")
    assert "🗳 1. I'll come, Je viens\n🗳 2. I can't, Je ne peux pas\n" in card
    shown = await sofia.taps("👁 Preview")
    assert shown[1:5:2] == [
        "Portes ouvertes\n\nPour ne plus en recevoir : /stop\n[Je viens] [Je ne peux pas]\n"
        "[S'inscrire]\n[🔕 Ne plus en recevoir]",
        "Open day on Saturday\n\nلإيقاف هذه الرسائل: /stop\n[I'll come] [I can't]\n[Register]\n"
        "[🔕 إيقاف هذه الرسائل]",
    ]
    urls = [b.url for m in sofia.person.chat.messages for r in m.keyboard for b in r if b.url]
    assert urls == [f"https://consulat.ma/{page}" for page in ("fr", "lyon", "lyon")]
    await sofia.taps("🔗 Link")
    (card,) = await sofia.taps("🗑 Remove")
    assert "🔗 Register" not in card.partition("[")[0]
    await sofia.taps("🗳 Answers")
    (card,) = await sofia.taps("🗑 Remove")
    assert "🗳 1." not in card


async def test_a_time_is_told_as_people_write_it(town: Town):
    sofia = await keeper(town, "Sofia", "en")
    here = await a_draft(town, sofia)
    choices = (
        "[✅ Not in quiet hours]\n[✅ Nobody who joins later]\n[▫️ Who joins within 7 days]\n"
        "[▫️ Who joins within 30 days]\n[‹ Back]"
    )
    assert await sofia.taps("🕘 When") == [
        f"When does it leave, and for whom?\n{AT_ONCE}[✅ At once]\n[▫️ At a time, by my clocks]\n"
        f"[▫️ At a time, by each reader's clocks]\n{choices}"
    ]
    assert await sofia.taps("▫️ At a time, by my clocks") == [
        "On which day does it leave? For example: 12/12, or 12 December.\n"
        "[Tue, Jul 3] [Wed, Jul 4]\n[Thu, Jul 5] [Fri, Jul 6]\n[‹ Back]"
    ]
    assert (await sofia.says("soon"))[0].startswith("I can't read this day. ")
    assert (await sofia.says("1/7/2018"))[0].startswith("That day is over, or more than a year ")
    await sofia.taps("Tue, Jul 3")
    assert (await sofia.says("8h30"))[0].startswith("That time is over: choose a later one.\n")
    assert (await sofia.says("evening"))[0].startswith("I can't read this time. ")
    (page,) = await sofia.says("18h30")
    assert page.startswith(
        "When does it leave, and for whom?\n🕘 Tuesday, July 3, 2018, 18:30 (Casablanca time)\n"
    )
    await sofia.taps("▫️ At a time, by each reader's clocks")
    await sofia.says("10 July")
    (page,) = await sofia.says("9:00")
    assert "🕘 Tuesday, July 10, 2018, 09:00, by each reader's clocks\n" in page
    await sofia.taps("✅ Not in quiet hours")
    (page,) = await sofia.taps("▫️ Who joins within 30 days")
    assert (
        "🔔 It does not wait for quiet hours.\n➕ Who joins within 30 days gets it too.\n" in page
    )
    async with town.app.storage.read() as db:
        kept = await db.get(Announcement, here)
        assert (kept.local_time, kept.zone) == ("2018-07-10T09:00", None)
        assert (kept.quietly, kept.joiner_days) == (False, 30)


async def test_a_test_sends_the_real_letters_to_oneself(town: Town):
    sofia, amal = await keeper(town, "Sofia", "en"), await town.member("Amal", "fr")
    await a_draft(town, sofia)
    assert await sofia.taps("✉️ Test to me") == ["(On its way to you, in each language.)"]
    await town.is_now(town.clock.now())
    assert sorted(sofia.heard()) == sorted(
        f"Open day on Saturday\n\n{out}"
        for out in (
            "Pour ne plus en recevoir : /stop\n[🔕 Ne plus en recevoir]",
            "لإيقاف هذه الرسائل: /stop\n[🔕 إيقاف هذه الرسائل]",
            f"{WAY_OUT}\n[🔕 Stop these messages]",
        )
    )
    assert amal.heard() == []
    assert await deeds(town) == ["announcement.drafted", "announcement.tested"]


async def test_to_a_few_people_it_leaves_after_one_more_look(town: Town):
    sofia = await keeper(town, "Sofia", "en")
    here = await a_draft(town, sofia)
    assert await sofia.taps("📣 Send …") == [
        "Shall it leave?\n\n↪️ Français · its readers will read this text: English\n"
        "↪️ العربية · its readers will read this text: English\n✅ English · 20 characters\n\n"
        f"👥 To everyone\n1 person gets it\nEnglish: 1\nTelegram: 1\n\n{AT_ONCE}"
        "[📣 Send it]\n[‹ Back]"
    ]
    page = sofia.last
    for name in "ABCDEFG":
        await town.member(name, "fr")
    (again,) = await sofia.taps("📣 Send it")
    assert again.startswith(
        "⚠️ The audience has changed: it was 1, and is 8 now.\n\n↪️ Français · its readers will"
    )
    (card,) = await sofia.taps("📣 Send it")
    assert card.startswith("📣 It is on its way.\n\nAnnouncement · 🕘 ready to leave\n")
    async with town.app.storage.read() as db:
        kept = await db.get(Announcement, here)
        assert (kept.stage, kept.shown, kept.approver_id) == (Stage.READY, 8, None)
    # The page that was tapped already tells what is true now.
    (card,) = await sofia.taps("📣 Send it", page) if page.keyboard else [""]
    assert await deeds(town) == ["announcement.drafted", "announcement.released"]


async def test_whatever_is_changed_after_that_makes_it_a_draft_again(town: Town):
    sofia = await keeper(town, "Sofia", "en")
    await a_draft(town, sofia)
    await sofia.taps("🕘 When")
    await sofia.taps("▫️ At a time, by my clocks")
    await sofia.taps("Fri, Jul 6")
    await sofia.says("9:00")
    await sofia.taps("‹ Back")
    await sofia.taps("📣 Send …")
    (card,) = await sofia.taps("📣 Send it")
    assert card.startswith("📣 It leaves at its time; until then you can take it back.\n")
    await sofia.taps("✅ English")
    await sofia.taps("✎ Write it anew")
    again = "It is a draft again, and must be sent anew."
    told, card = await sofia.says("Open day on Sunday")
    assert told == again
    assert card.startswith("✅ Kept: English\n\nAnnouncement · ✎ draft\n")
    await sofia.taps("📣 Send …")
    await sofia.taps("📣 Send it")
    told, card = await sofia.taps("↩️ Take it back")
    assert told == f"({again})"
    assert card.startswith("Announcement · ✎ draft\n")
