"""The composer: an announcement written as a normal message, kept from its first word."""

import pytest
from sqlalchemy import delete, select

from storage.tables import Announcement, AnnouncementText, Lease, Role, Stage
from tests.drafts import a_draft, deeds
from tests.entrance import keeper
from tests.pictures import PNG
from tests.town import Resident, Town, open_town

WAY_OUT = "To stop receiving these: /stop"
UNCHOSEN = "👥 To whom it goes is not chosen yet.\n\n"
AT_ONCE = (
    "🕘 It leaves as soon as it is sent.\n"
    "🌙 Whoever has quiet hours then gets it when they are over.\n"
)
LACKS_AUDIENCE = "\nStill missing: to whom it goes\n"
MORE = "[🔗 Link] [🗳 Answers]\n[👥 To whom] [🕘 When]\n[👥 Groups and channels]\n[👁 Preview] [✉️ Test to me]\n"
LAST = "[🗑 Discard] [‹ Announcements]"


async def test_an_announcement_is_written_in_one_language_after_the_other(town: Town):
    sofia = await keeper(town, "Sofia", "en")
    assert await sofia.says("/announce") == [
        "Announcements\nNothing was announced yet. Write the first one: nothing leaves before you "
        "say so.\n[＋ New announcement]"
    ]
    assert await sofia.taps("＋ New announcement") == [
        "New announcement\n\nWrite it in this language: English\n\n"
        "Send it as any message: words with their formatting, a picture or a document with a few "
        "words, or forward one. Nothing leaves before you say so.\n"
        "[In Français] [In العربية]\n[‹ Announcements]"
    ]
    assert await sofia.after(sofia.person.writes("<b>Open day</b> & more")) == [
        "✅ Kept: English\n\nAnd in this language: Français?\n"
        "Write it or forward it. If you skip it, its readers read this text: English\n"
        "[Skip]\n[‹ Back]"
    ]
    assert await sofia.after(sofia.person.forwards("Portes ouvertes", "Consul")) == [
        "✅ Kept: Français\n\nAnd in this language: العربية?\n"
        "Write it or forward it. If you skip it, its readers read this text: English\n"
        "[Skip]\n[‹ Back]"
    ]
    assert await sofia.taps("Skip") == [
        "Skipped: العربية",
        "Noted.\n\nAnnouncement · ✎ draft\n\n✅ Français · 15 characters\n"
        "↪️ العربية · its readers will read this text: English\n✅ English · 15 characters\n\n"
        f"{UNCHOSEN}{AT_ONCE}{LACKS_AUDIENCE}[✅ Français] [✎ العربية] [✅ English]\n"
        f"[↪️ Languages without words]\n{MORE}{LAST}",
    ]
    async with town.app.storage.read() as db:
        texts = (await db.scalars(select(AnnouncementText).order_by("language"))).all()
        assert [(t.language, t.text) for t in texts] == [
            ("en", "<b>Open day</b> &amp; more"),
            ("fr", "Portes ouvertes"),
        ]
    assert await deeds(town) == ["announcement.drafted"]


async def test_the_composer_speaks_french_and_arabic(town: Town):
    karim, fatima = await keeper(town, "Karim", "fr"), await keeper(town, "Fatima", "ar")
    assert (await karim.says("/announce"))[-1] == (
        "Annonces\nRien n'a encore été annoncé. Écrivez la première annonce : rien ne part sans "
        "votre accord.\n[＋ Nouvelle annonce]"
    )
    await karim.taps("＋ Nouvelle annonce")
    assert await karim.says("Permanence samedi") == [
        "✅ Enregistré : Français\n\nEt dans cette langue : العربية ?\nÉcrivez-la ou transférez-la. "
        "Si vous passez, ses lecteurs liront ce texte : Français\n[Passer]\n[‹ Retour]"
    ]
    await fatima.says("/announce")
    assert await fatima.taps("＋ إعلان جديد") == [
        "إعلان جديد\n\nاكتبوه بهذه اللغة: العربية\n\n"
        "أرسلوه كأي رسالة: نصا بتنسيقه، أو صورة أو وثيقة مع بضع كلمات، أو أعيدوا توجيه رسالة. "
        "لن يُرسل شيء قبل موافقتكم.\n[بلغة Français] [بلغة English]\n[‹ الإعلانات]"
    ]
    (card,) = (await fatima.says("يوم مفتوح"))[-1:]
    assert card.startswith("✅ تم الحفظ: العربية\n\nوبهذه اللغة: Français؟\n")


async def test_what_readers_of_a_missing_language_get_is_chosen_and_shown(town: Town):
    sofia = await keeper(town, "Sofia", "en")
    await a_draft(town, sofia)
    assert await sofia.taps("↪️ Languages without words") == [
        "What do those read in whose language nothing is written?\n\n"
        "↪️ Français · its readers will read this text: English\n"
        "↪️ العربية · its readers will read this text: English\n✅ English · 20 characters\n"
        "[✅ English]\n[▫️ They get nothing]\n[‹ Back]"
    ]
    assert await sofia.taps("▫️ They get nothing") == [
        "What do those read in whose language nothing is written?\n\n"
        "▫️ Français · its readers get nothing\n▫️ العربية · its readers get nothing\n"
        "✅ English · 20 characters\n[▫️ English]\n[✅ They get nothing]\n[‹ Back]"
    ]
    await town.member("Amal", "fr")
    (card,) = await sofia.taps("‹ Back")
    assert (
        "👥 To everyone\n1 person gets it\nEnglish: 1\nTelegram: 1\n"
        "▫️ 1 person gets nothing: there are no words in their language\n" in card
    )


async def test_a_picture_and_a_document_are_kept_by_the_messengers_own_name(town: Town):
    sofia = await keeper(town, "Sofia", "en")
    await sofia.says("/announce")
    await sofia.taps("＋ New announcement")
    await sofia.after(sofia.person.sends_photo(PNG, "<i>Open day</i>"))
    large = sofia.last
    await sofia.after(sofia.person.sends_document("jour.pdf", b"%PDF", caption="Programme"))
    await sofia.taps("Skip")
    (shown,) = (await sofia.taps("👁 Preview"))[-1:]
    assert "✅ Français · 9 characters · 📎 jour.pdf\n" in shown
    assert "✅ English · 8 characters · 🖼\n" in shown
    seen = [m for m in sofia.person.chat.messages if m.outgoing and (m.photo or m.document)]
    assert [(bool(m.photo), m.html) for m in seen] == [
        (False, "Programme\n\n<i>Pour ne plus en recevoir\u00a0: /stop</i>"),
        (True, "<i>Open day</i>\n\n<i>لإيقاف هذه الرسائل: /stop</i>"),
        (True, f"<i>Open day</i>\n\n<i>{WAY_OUT}</i>"),
    ]
    # The largest size, not its thumbnail.
    assert seen[-1].photo.data == PNG
    assert not seen[-1].photo.id.endswith("s")
    assert large.outgoing


async def test_words_replace_words_and_a_picture_replaces_the_file(town: Town):
    sofia = await keeper(town, "Sofia", "en")
    await a_draft(town, sofia)
    assert await sofia.taps("✅ English") == [
        "English · 20 characters\n\nOpen day on Saturday\n[✎ Write it anew] [🗑 Remove]\n[‹ Back]"
    ]
    assert await sofia.taps("✎ Write it anew") == [
        "Write it in this language: English\n"
        "Words alone replace the words; a picture or a document alone replaces the file.\n[‹ Back]"
    ]
    (card,) = await sofia.after(sofia.person.sends_photo(PNG))
    assert "✅ English · 20 characters · 🖼\n" in card
    await sofia.taps("✅ English")
    await sofia.taps("✎ Write it anew")
    (card,) = await sofia.says("Sunday")
    assert "✅ English · 6 characters · 🖼\n" in card
    await sofia.taps("✅ English")
    (card,) = await sofia.taps("✕ The picture")
    assert "✅ English · 6 characters\n" in card
    await sofia.taps("✅ English")
    (card,) = await sofia.taps("🗑 Remove")
    assert "▫️ English · its readers get nothing\n" in card
    assert "Still missing: the words\n" in card


async def test_what_can_not_be_announced_is_told_kindly(town: Town):
    sofia = await keeper(town, "Sofia", "en")
    await sofia.says("/announce")
    (question,) = await sofia.taps("＋ New announcement")
    odd = "I can announce words, a picture or a document; this is something else.\n\n"
    assert await sofia.after(sofia.person.sends_voice()) == [odd + question]
    assert await sofia.after(sofia.person.sends_sticker()) == [odd + question]
    several = "These are several pictures, and an announcement has one. Send me one.\n\n"
    sofia.person.sends_album([PNG, PNG, PNG], "Open day")
    await town.sim.settled()
    assert sofia.heard() == [several + question]
    async with town.app.storage.read() as db:
        assert (await db.scalars(select(Announcement))).all() == []
    (refusal,) = await sofia.says("x" * 4096)
    assert refusal.startswith("That is too long: 4,096 characters, and 4,0")
    (kept,) = await sofia.says("x" * 4000)
    assert kept.startswith("✅ Kept: English\n")
    (refusal,) = await sofia.after(sofia.person.sends_photo(PNG, "y" * 1024))
    assert refusal.startswith("That is too long to stand beside a picture or a document: 1,024 ")


async def test_nothing_is_lost_by_leaving_and_two_drafts_live_side_by_side(town: Town):
    sofia = await keeper(town, "Sofia", "en")
    first = await a_draft(town, sofia, "First")
    await sofia.says("/announce")
    await sofia.taps("＋ New announcement")
    assert (await sofia.says("/cancel"))[0].startswith("Nothing was written.\n\nAnnouncements\n")
    await sofia.taps("＋ New announcement")
    await sofia.says("Second")
    (card,) = await sofia.says("/cancel")
    assert card.startswith("Everything written so far is kept.\n\nAnnouncement · ✎ draft\n")
    assert await sofia.says("/announce") == [
        "Announcements\n✎ draft · Second\n✎ draft · First\nChoose one, or write a new one.\n"
        "[✎ Second]\n[✎ First]\n[＋ New announcement]"
    ]
    # The first one's old card, on another device, still works on the first one.
    await sofia.after(sofia.person.taps_data(f"ann:language:{first}:fr"))
    (card,) = await sofia.says("Premier")
    assert "✅ Français · 7 characters\n" in card


async def test_a_draft_outlives_the_program(database_url: str):
    async with open_town(database_url) as town:
        sofia = await keeper(town, "Sofia", "en")
        await sofia.says("/announce")
        await sofia.taps("＋ New announcement")
        await sofia.says("Open day")
        # As the lease of a program that was killed runs out.
        async with town.app.storage.begin() as db:
            await db.execute(delete(Lease))
        updates = town.sim.world.mailbox.next_id
    async with open_town(database_url) as town:
        town.sim.world.mailbox.next_id = updates
        async with town.app.storage.read() as db:
            assert await db.scalar(select(AnnouncementText.text)) == "Open day"
        again = Resident(town, town.sim.person("Sofia", language_code="en"))
        assert again.person.id == sofia.person.id
        # The question for the next language is still open.
        (asked,) = await again.says("Journée portes ouvertes")
        assert asked.startswith("✅ Kept: Français\n")
        (listed,) = await again.says("/announce")
        assert "\n[✎ Open day]\n" in listed


async def test_a_draft_is_thrown_away_after_a_question(town: Town):
    sofia = await keeper(town, "Sofia", "en")
    here = await a_draft(town, sofia)
    assert await sofia.taps("🗑 Discard") == [
        "Throw this announcement away, with all its languages?\n\nOpen day on Saturday\n"
        "[🗑 Yes, discard it] [Keep it]"
    ]
    await sofia.taps("Keep it")
    await sofia.taps("🗑 Discard")
    (listed,) = await sofia.taps("🗑 Yes, discard it")
    assert listed.startswith("Discarded.\n\nAnnouncements\nNothing was announced yet.")
    assert (await sofia.after(sofia.person.taps_data(f"ann:send:{here}:")))[0] == (
        "(This can't be changed any more.)"
    )
    assert await deeds(town) == ["announcement.drafted", "announcement.discarded"]


@pytest.mark.parametrize("verb", ["card", "language", "send", "yes", "discarded", "preview"])
async def test_nobody_but_its_author_touches_a_draft(town: Town, verb: str):
    sofia, karim = await keeper(town, "Sofia", "en"), await keeper(town, "Karim", "en")
    here = await a_draft(town, sofia)
    heard = await karim.says("/announce")
    assert "Open day" not in heard[0]
    heard = await karim.after(karim.person.taps_data(f"ann:{verb}:{here}:fr"))
    assert "Open day" not in "".join(heard)
    async with town.app.storage.read() as db:
        assert (await db.get(Announcement, here)).stage == Stage.DRAFT


async def test_whoever_is_no_longer_of_the_team_has_no_composer(town: Town):
    sofia = await keeper(town, "Sofia", "en")
    here = await a_draft(town, sofia)
    await sofia.taps("✎ Français")
    async with town.app.storage.begin() as db:
        (await town.member_of(db, sofia)).role = Role.MEMBER
    old = ["(This button is from an older message. /help shows the way.)"]
    for verb in ("card", "send", "yes", "test", "preview", "discarded", "when"):
        assert await sofia.after(sofia.person.taps_data(f"ann:{verb}:{here}:")) == old
    assert (await sofia.says("/announce"))[0].startswith("I don't know this command.\n")
    await sofia.says("Portes ouvertes")
    async with town.app.storage.read() as db:
        assert (await db.scalars(select(AnnouncementText.language))).all() == ["en"]
