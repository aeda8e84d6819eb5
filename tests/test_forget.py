"""/forget, as a conversation: the warning, the tap, and the stranger that is left."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from handlers.forget import STANDS
from storage.tables import Address, Audit, Member, Role
from tests.town import EVE, Town

BUTTONS = "[📄 First show me my data]\n[Yes, forget me]\n[Keep everything]"
GONE = (
    "Shall I forget you?\n\n"
    "Gone at once: your name and profile, your addresses, tickets, introductions, answers and "
    "drafts, what you agreed to, and every letter to you.\n\n"
)
STAYS = (
    "Stays, without your name: how many people came to past events and how many stars they gave, "
    "how many received an announcement, and what the team's log says was done.\n\n"
    "This can't be taken back.\n"
)
WARNING = f"{GONE}{STAYS}{BUTTONS}"
DONE = (
    "It is done: I have forgotten you. What you still see of our conversation is on your phone and "
    "at Telegram: delete this chat there.\n\nIf you write again, we begin anew."
)
LAST_ADMIN = (
    "You are the only administrator: without you nobody could name members of the team. Please make "
    "somebody else an administrator first, then write /forget again.\n"
    "[📄 First show me my data]\n[Keep everything]"
)


async def of_the_team(town: Town, person, role: Role):
    async with town.app.storage.begin() as db:
        (await town.member_of(db, person)).role = role


async def test_their_seat_goes_to_the_line_and_they_are_a_stranger_again(town: Town):
    await town.programme()
    await town.session("panel-2", capacity=1)
    amal, bilal = await town.member("Amal", "en"), await town.member("Bilal", "en")
    for one in (amal, bilal):
        await town.seat(one, "panel-2")
    assert await amal.says("/forget") == [
        f"{GONE}You have 1 seat or place in line to come. It goes to somebody else.\n\n"
        f"{STAYS}{BUTTONS}"
    ]
    assert await amal.taps("Yes, forget me") == [DONE]
    await town.is_now(EVE + timedelta(seconds=1))
    assert bilal.heard()[0].startswith("✨ A seat is free for you\n")
    assert amal.heard() == []
    assert await amal.says("Hello") == [
        "Welcome! Which language shall we speak?\n"
        "Bienvenue ! En quelle langue nous parlons-nous ?\nمرحبا! بأي لغة نتحدث؟\n"
        "[English]\n[Français]\n[العربية]"
    ]


@pytest.mark.parametrize(
    ("language", "tap", "said"),
    [
        (
            "fr",
            "Oui, oubliez-moi",
            "C'est fait : je vous ai oublié. Ce que vous voyez encore de notre conversation est sur "
            "votre téléphone et chez Telegram : supprimez-y cette discussion.\n\n"
            "Si vous m'écrivez de nouveau, nous recommencerons depuis le début.",
        ),
        (
            "ar",
            "نعم، انسوني",
            "تم الأمر: لقد نسيتكم. ما زال من محادثتنا ظاهرا هو في هاتفكم ولدى تيليغرام: احذفوا هذه "
            "المحادثة هناك.\n\nإذا كتبتم من جديد، فسنبدأ من البداية.",
        ),
    ],
)
async def test_it_is_said_in_their_language(town: Town, language, tap, said):
    amal = await town.member("Amal", language)
    await amal.says("/forget")
    assert await amal.taps(tap) == [said]


async def test_whoever_thinks_again_keeps_everything(town: Town):
    amal = await town.member("Amal", "en")
    assert await amal.says("/forget") == [WARNING]
    assert await amal.taps("Keep everything") == ["Nothing is erased. I am glad that you stay."]
    async with town.app.storage.read() as db:
        assert (await town.member_of(db, amal)).name == "Amal"


async def test_an_old_warning_warns_again(town: Town):
    amal = await town.member("Amal", "en")
    await amal.says("/forget")
    await town.is_now(EVE + STANDS + timedelta(minutes=1))
    assert await amal.taps("Yes, forget me") == [WARNING]
    assert await amal.taps("Yes, forget me") == [DONE]


async def test_the_last_administrator_names_another_first(town: Town):
    amal, bilal = await town.member("Amal", "en"), await town.member("Bilal", "en")
    await of_the_team(town, bilal, Role.ADMIN)
    await amal.says("/forget")
    stale = amal.last
    await of_the_team(town, bilal, Role.MEMBER)
    await of_the_team(town, amal, Role.ADMIN)
    assert await amal.taps("Yes, forget me", stale) == [LAST_ADMIN]
    assert await amal.says("/forget") == [LAST_ADMIN]


async def test_a_member_of_the_team_leaves_it_and_the_audit_says_so(town: Town):
    amal = await town.member("Amal", "en")
    await of_the_team(town, amal, Role.STAFF)
    assert "You leave the team, too" in (await amal.says("/forget"))[0]
    assert await amal.taps("Yes, forget me") == [DONE]
    async with town.app.storage.read() as db:
        last = await db.scalar(select(Audit).order_by(Audit.id.desc()).limit(1))
        assert last is not None
        assert (last.action, last.about) == ("team.left", {})
        assert await db.scalar(select(func.count()).select_from(Address)) == 0
        assert await db.scalar(select(func.count(Member.name))) == 0
