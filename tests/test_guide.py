"""No word meets silence: help, the way out, invitations, and what nobody understood."""

from datetime import timedelta

import pytest

from storage import invitations
from storage.tables import Role
from tests.town import Town

HELP = {
    "en": (
        "What I can do\n\n/agenda · The agenda, day by day\n/myagenda · My seats\n"
        "/now · What is on now and next\n/search · Find a session by a word\n"
        "/meet · Introductions: people worth meeting\n"
        "/people · Find people: the directory\n"
        "/settings · Language, reminders, profile\n"
        "/stop · Stop what I send you\n"
        "/privacy · Your data: who keeps it, why, how long\n"
        "/mydata · What I hold about you\n/forget · Forget me\n/link · Use a second account\n"
        "/cancel · Stop what we are doing\n"
        "/start · Begin, or begin again"
    ),
    "fr": (
        "Ce que je sais faire\n\n/agenda · Le programme, jour par jour\n/myagenda · Mes places\n"
        "/now · Ce qui se passe maintenant et ensuite\n/search · Trouver une séance par un mot\n"
        "/meet · Mises en relation : des personnes à rencontrer\n"
        "/people · Trouver quelqu'un : l'annuaire\n"
        "/settings · Langue, rappels, profil\n"
        "/stop · Ne plus recevoir mes messages\n"
        "/privacy · Vos données : qui les garde, pourquoi, combien de temps\n"
        "/mydata · Ce que je conserve sur vous\n/forget · Oubliez-moi\n/link · Utiliser un second compte\n"
        "/cancel · Interrompre ce que nous faisons\n"
        "/start · Commencer ou recommencer"
    ),
    "ar": (
        "ما يمكنني فعله\n\n/agenda · البرنامج يوما بيوم\n/myagenda · مقاعدي\n"
        "/now · ما يجري الآن وما يليه\n/search · البحث عن جلسة بكلمة\n"
        "/meet · التعارف: أشخاص يستحقون اللقاء\n"
        "/people · البحث عن أشخاص: الدليل\n"
        "/settings · اللغة والتذكيرات والملف الشخصي\n"
        "/stop · إيقاف ما أرسله إليكم\n"
        "/privacy · معطياتكم: من يحفظها، ولماذا، وكم من الوقت\n"
        "/mydata · ما أحتفظ به عنكم\n/forget · انسوني\n/link · استعمال حساب ثان\n"
        "/cancel · إيقاف ما نحن بصدده\n"
        "/start · البدء أو البدء من جديد"
    ),
}


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
async def test_help_is_told_in_the_readers_language(town: Town, language: str):
    amal = await town.member("Amal", language)
    assert await amal.says("/help") == [HELP[language]]


async def test_whatever_is_not_understood_is_answered_with_help(town: Town):
    amal = await town.member("Amal", "en")
    person = amal.person
    assert await amal.says("hello") == [f"I didn't understand that.\n\n{HELP['en']}"]
    assert await amal.says("/dance") == [f"I don't know this command.\n\n{HELP['en']}"]
    deaf = [f"I can only read text and taps on buttons.\n\n{HELP['en']}"]
    assert await amal.after(person.sends_sticker()) == deaf
    assert await amal.after(person.sends_voice()) == deaf
    assert await amal.after(person.shares_contact()) == deaf
    assert await amal.after(person.forwards("read this", "A friend")) == [
        f"I didn't understand that.\n\n{HELP['en']}"
    ]


async def test_there_may_be_nothing_to_cancel(town: Town):
    amal = await town.member("Amal", "fr")
    assert await amal.says("/cancel") == [
        "Il n'y a rien à interrompre. /help dit ce que je sais faire."
    ]


async def test_a_phone_in_another_language_is_greeted_in_the_houses(town: Town):
    jan = town.stranger("Jan", "nl")
    assert (await jan.says("hallo"))[0].startswith("Bienvenue ! En quelle langue")


async def _invitation(town: Town, role: Role) -> str:
    async with town.app.storage.begin() as db:
        return await invitations.invite(db, role, town.clock.now())


async def test_an_invitation_works_once(town: Town):
    await town.programme()
    emma, eve = await town.member("Emma", "en"), await town.member("Eve", "en")
    link = await _invitation(town, Role.STAFF)
    told, _agenda = await emma.says(f"/start {link}")
    assert told == "Your invitation is accepted: you are now member of the team."
    refused = "This invitation was used before or has expired. Please ask for a new one."
    assert (await eve.says(f"/start {link}"))[0] == refused
    assert (await eve.says("/start invite-guess"))[0] == refused
    # An administrator who opens a lesser invitation stays one.
    await emma.says(f"/start {await _invitation(town, Role.ADMIN)}")
    await emma.says(f"/start {await _invitation(town, Role.STAFF)}")
    async with town.app.storage.read() as db:
        assert (await town.member_of(db, emma)).role == Role.ADMIN
        assert (await town.member_of(db, eve)).role == Role.MEMBER


async def test_an_invitation_expires(town: Town):
    emma = await town.member("Emma", "fr")
    link = await _invitation(town, Role.ADMIN)
    town.clock.jump(town.clock.now() + invitations.VALID + timedelta(seconds=1))
    told, _agenda = await emma.says(f"/start {link}")
    assert told == ("Cette invitation a déjà servi ou a expiré. Merci d'en demander une nouvelle.")


async def test_an_invited_stranger_registers_as_anybody(town: Town):
    emma = town.stranger("Emma", "en")
    link = await _invitation(town, Role.STAFF)
    told, welcome = await emma.says(f"/start {link}")
    assert told == "Your invitation is accepted: you are now member of the team."
    assert welcome.startswith("Welcome! Which language shall we speak?\n")
