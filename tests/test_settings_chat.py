"""/settings in the chat: language, leads, and every answer of the profile."""

from storage import members
from tests.town import Town

HOME = (
    "Settings\n\nLanguage: English\nReminders: 24 hours and 15 minutes before each session\n"
    "Quiet hours: from 22:00 to 08:00\n"
    "Name: Emma\n[🌐 Language] [⏰ Reminders]\n[🌙 Quiet hours] [👤 Profile]\n"
    "[🔔 What I write to you] [🔒 Your data]"
)
PROFILE = (
    "Your profile\n\nName: Emma\nCountry: France\nCity: Lyon\nProfession: –\nOrganisation: –\n"
    "Themes: –\nSide: In the diaspora\n[✎ Name] [✎ Country]\n[✎ City] [✎ Profession]\n"
    "[✎ Organisation] [✎ Themes]\n[✎ Side]\n[‹ Settings]"
)


async def test_the_language_changes_at_once(town: Town):
    emma = await town.member("Emma", "en")
    assert await emma.says("/settings") == [HOME]
    assert await emma.taps("🌐 Language") == [
        "Which language shall I speak?\n[Français]\n[العربية]\n[✅ English]\n[‹ Settings]"
    ]
    assert await emma.taps("العربية") == [
        "الإعدادات\n\nاللغة: العربية\nالتذكيرات: 24 ساعة و15 دقيقة قبل كل جلسة\n"
        "ساعات الهدوء: من 22:00 إلى 08:00\nالاسم: Emma\n"
        "[🌐 اللغة] [⏰ التذكيرات]\n[🌙 ساعات الهدوء] [👤 الملف الشخصي]\n"
        "[🔔 ما أكتبه إليكم] [🔒 معطياتكم]"
    ]
    (help_,) = await emma.says("/help")
    assert help_.startswith("ما يمكنني فعله\n")


async def test_leads_are_ticked_one_by_one(town: Town):
    emma = await town.member("Emma", "en")
    await emma.says("/settings")
    await emma.taps("⏰ Reminders")
    assert await emma.taps("▫️ 1 hour") == [
        "How long before each of your sessions shall I remind you?\n"
        "[✅ 24 hours]\n[✅ 1 hour]\n[✅ 15 minutes]\n[▫️ No reminders]\n[‹ Settings]"
    ]
    await emma.taps("✅ 24 hours")
    async with town.app.storage.read() as db:
        assert await members.leads_of(db, await town.member_of(db, emma)) == {60, 15}
    assert await emma.taps("‹ Settings") == [
        HOME.replace("24 hours and 15 minutes", "1 hour and 15 minutes")
    ]


async def test_any_answer_is_corrected_or_left_alone(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await emma.says("/settings")
    assert await emma.taps("👤 Profile") == [PROFILE]
    assert await emma.taps("✎ Name") == [
        "What is your name? Please write your first name and family name.\n[‹ Back]"
    ]
    assert await emma.taps("‹ Back") == [PROFILE]
    await emma.taps("✎ Name")
    corrected = PROFILE.replace("Emma", "Emma Berrada")
    assert await emma.says("Emma Berrada") == [f"Noted.\n\n{corrected}"]
    await emma.taps("✎ Themes")
    corrected = corrected.replace("Themes: –", "Themes: Education and training")
    assert await emma.says("٣") == [f"Noted.\n\n{corrected}"]
    await emma.taps("✎ City")
    (kept,) = await emma.says("/cancel")
    assert kept == f"Nothing is changed.\n\n{corrected}"
    # A profession that was skipped stays skipped; one that was given can be taken back.
    await emma.taps("✎ Profession")
    await emma.says("Engineer")
    await emma.taps("✎ Profession")
    assert (await emma.taps("Skip"))[1] == f"Noted.\n\n{corrected}"


async def test_help_in_the_middle_of_a_correction_asks_again(town: Town):
    emma = await town.member("Emma", "en")
    await emma.says("/settings")
    await emma.taps("👤 Profile")
    await emma.taps("✎ City")
    help_, question = await emma.says("/help")
    assert help_.startswith("What I can do\n")
    assert question.startswith("In which city? Tap it, or write its name.\n")
    # The agenda can be read meanwhile; the question waits.
    await emma.says("/agenda")
    assert (await emma.says("Grenoble"))[0].startswith("Noted.\n\nYour profile\n\nName: Emma\n")


async def test_a_stranger_is_asked_to_register_first(town: Town):
    emma = town.stranger("Emma", "en")
    await emma.says("/start")
    await emma.taps("English")
    assert await emma.says("/settings") == [
        "Question 1 of 7\nWhat is your name? Please write your first name and family name."
    ]
