"""A second account of the same person: linked by a code shown once, and parted again."""

import re
from datetime import timedelta

from sqlalchemy import func, select

from storage import forgetting, linking
from storage.tables import Address, LinkCode, Member, Update
from tests.town import Resident, Town


async def code_of(resident: Resident) -> str:
    (letter,) = await resident.says("/link")
    found = re.search(r"/link (link-\S+)", letter)
    assert found is not None
    return found[1]


async def test_both_accounts_speak_as_one_member(town: Town):
    await town.programme()
    amal = await town.member("Amal", "en", leads=())
    code = await code_of(amal)
    second = town.stranger("Amal at work", "fr")
    assert await second.after(second.person.opens(code)) == [
        "✅ Ce compte est associé : vous êtes désormais le même membre dans les deux. Les messages "
        "vont au premier. /agenda montre le programme, /unlink les sépare."
    ]
    await town.is_now(town.clock.now())
    assert amal.heard() == [
        "🔗 Another account was linked to yours just now and speaks as you. If that was not you, "
        "/unlink ends it."
    ]
    await town.seat(amal, "panel-2")
    # In the member's own language, whatever the second phone's is.
    assert (await second.says("/myagenda"))[0].startswith("My agenda\n\nWednesday")
    # A code works once; the hash alone is kept, and the stored answer says nothing of it.
    third = town.stranger("Third", "en")
    assert (await third.after(third.person.opens(code)))[0].startswith("This code was used before")
    async with town.app.storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(LinkCode)) == 0
        assert code not in str((await db.scalars(select(Update.answer))).all())
    assert await second.says("/unlink") == [
        "Which account is to go its own way? Your profile and your seats stay with the account that "
        "remains.\n[Unlink this account]\n[Unlink all others]"
    ]
    assert await second.taps("Unlink this account") == [
        "This account is on its own again. /start begins, if you wish."
    ]
    assert (await second.says("/myagenda"))[0].startswith("I am Jisr")
    assert (await amal.says("/myagenda"))[0].startswith("My agenda\n\nWednesday")
    assert await amal.says("/unlink") == ["This is your only account. /link adds a second one."]


async def test_codes_that_open_nothing(town: Town):
    amal, bilal = await town.member("Amal", "en"), await town.member("Bilal", "en")
    code = await code_of(amal)
    assert await amal.says(f"/link {code}") == ["This code is for another account: show it there."]
    assert await bilal.says(f"/link {code}") == [
        "This account is registered in its own name. If you no longer need it, /forget erases it; "
        "then show the code again."
    ]
    stale = "This code was used before or is older than ten minutes. /link in your first account "
    newer = await code_of(amal)
    assert await bilal.says(f"/link {code}") == [f"{stale}makes another."]
    assert await bilal.says("/link link-guessed") == [f"{stale}makes another."]
    await town.is_now(town.clock.now() + linking.VALID)
    stranger = town.stranger("Chloé", "en")
    assert await stranger.after(stranger.person.opens(newer)) == [f"{stale}makes another."]


async def test_the_first_account_ends_it_and_nobody_is_left_without_one(town: Town):
    amal = await town.member("Amal", "en")
    second = town.stranger("Amal at work", "en")
    await second.after(second.person.opens(await code_of(amal)))
    await amal.says("/unlink")
    assert await amal.taps("Unlink all others") == ["Only this account speaks as you now."]
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, amal)
        here = ("telegram", str(amal.person.id))
        assert not await linking.unlink(db, member, *here, town.clock.now(), others=False)
        assert not await linking.unlink(db, member, *here, town.clock.now(), others=True)


async def test_an_address_that_was_forgotten_before_it_was_linked_takes_nobody_along(town: Town):
    amal = await town.member("Amal", "en")
    bilal = await town.member("Bilal", "en")
    async with town.app.storage.begin() as db:
        await forgetting.forget(db, await town.member_of(db, bilal), town.clock.now())
    town.clock.jump(town.clock.now() + timedelta(hours=1))
    await bilal.after(bilal.person.opens(await code_of(amal)))
    async with town.app.storage.begin() as db:
        known = await forgetting.erasures(db)
        assert await forgetting.apply_again(db, known, town.clock.now()) == 0
        names = (await db.scalars(select(Member.name).join(Address))).all()
    assert names == ["Amal", "Amal"]
