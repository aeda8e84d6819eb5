"""The team: the first admin, invitations, posts, who reaches whom, and who is of it no longer."""

import pytest
from sqlalchemy import String, cast, select

from storage import audit, invitations, team
from storage.tables import Audit, Member, Post, Role, Update
from tests.town import Resident, Town

OPEN = "Invitations (1)"


async def admin(town: Town, name: str = "Nadia", language: str = "en") -> Resident:
    """Somebody who followed the operator's link."""
    nadia = await town.member(name, language)
    async with town.app.storage.begin() as db:
        link = await invitations.invite(db, Role.ADMIN, town.clock.now())
    await nadia.says(f"/start {link}")
    return nadia


async def invited(by: Resident, *labels: str) -> str:
    """The payload of an invitation that an admin makes by these taps."""
    await by.says("/team")
    for label in ("＋ Invite somebody", *labels[:-1]):
        await by.taps(label)
    heard = await by.taps(labels[-1])
    return next(word for word in " ".join(heard).split() if "invite-" in word).rpartition("=")[2]


async def test_the_first_admin_is_alone_and_is_told_what_to_do(town: Town):
    nadia = await admin(town)
    assert await nadia.says("/team") == [
        "The team\n\nNadia\nadministrator\nreaches: everybody\nsince Tuesday, July 3, 2018\n\n"
        "You are alone so far. Invite a colleague: you get a link to forward.\n"
        "[Nadia]\n[＋ Invite somebody]\n[Invitations (0)] [Posts]"
    ]
    assert "/team · The team: people, posts, invitations" in (await nadia.says("/help"))[0]
    await nadia.taps("Nadia")
    await nadia.taps("Remove from the team")
    told, _card = await nadia.taps("Yes, remove")
    assert told == "(The last administrator stays: invite another one first.)"


async def test_a_post_is_made_by_short_questions(town: Town):
    nadia = await admin(town)
    await nadia.says("/team")
    (empty,) = await nadia.taps("Posts")
    assert empty.startswith("Posts\n\nThere is no post yet. A post is where people of the team")
    assert await nadia.taps("＋ New post") == [
        "What is the post called? For example: Consulate in Lyon.\n[‹ Back]"
    ]
    assert await nadia.says("Consulate in Lyon") == [
        "And what is it called in this language: Français?\n[Skip]\n[‹ Back]"
    ]
    await nadia.says("Consulat à Lyon")
    await nadia.taps("Skip")
    (again,) = await nadia.says("Frankreich?")
    assert again.startswith("I don't know a country of that name.")
    await nadia.says("frança")
    (cities,) = await nadia.says("france")
    assert cities.startswith("In which cities?")
    assert await nadia.says("LYON, saint-étienne ،,Lyon") == [
        "✅ Done.\n\nConsulate in Lyon\nConsulat à Lyon\n"
        "reaches: Lyon, Saint Etienne (France)\n0 people work here\n"
        "[✎ Name] [✎ Area]\n[Delete the post]\n[‹ Posts]"
    ]
    async with town.app.storage.read() as db:
        post = (await db.scalars(select(Post))).one()
    assert post.name["ar"] == "Consulate in Lyon"
    assert (post.country, post.cities) == ("FR", ["lyon", "saint etienne"])
    await nadia.taps("✎ Area")
    (changed,) = (await nadia.taps("Everybody"))[1:]
    assert "reaches: everybody" in changed
    await nadia.taps("✎ Name")
    assert (await nadia.says("/cancel"))[0].startswith("Nothing is changed.\n\nConsulate in Lyon")
    await nadia.taps("✎ Name")
    assert (await nadia.taps("‹ Back"))[0].startswith("Nothing is changed.\n\nConsulate in Lyon")
    await nadia.taps("Delete the post")
    assert (await nadia.taps("Yes, delete"))[0] == "(Deleted.)"
    async with town.app.storage.read() as db:
        assert (await db.scalars(select(Post))).all() == []
    assert [action for action, _ in await acts(town)][2:] == [
        "post.created",
        "post.changed",
        "post.deleted",
    ]


async def lyon(town: Town) -> int:
    async with town.app.storage.begin() as db:
        post = Post(name={"fr": "Lyon", "ar": "ليون", "en": "Lyon"}, country="FR", cities=["lyon"])
        db.add(post)
        await db.flush()
        return post.id


async def test_a_colleague_is_invited_to_a_post_and_reaches_its_area(town: Town):
    nadia, emma = await admin(town), await town.member("Emma", "en")
    post = await lyon(town)
    await nadia.says("/team")
    await nadia.taps("＋ Invite somebody")
    (question,) = await nadia.taps("Member of the team")
    assert question == (
        "At which post will they work? They reach its area; with none, everybody.\n"
        "[Lyon]\n[No post] [‹ Back]"
    )
    listed, invitation, told = await nadia.taps("Lyon")
    assert listed == (
        "Open invitations\n\nNo. 2: member of the team · Lyon\n"
        "made by Nadia, until Tuesday, July 10, 2018\n"
        "[Revoke no. 2]\n[＋ Invite somebody] [‹ Team]"
    )
    link = next(word for word in invitation.split() if "invite-" in word)
    assert invitation == (
        f"🔑 You are invited to the team: member of the team.\n\n{link}\n\n"
        "The link works once, until Tuesday, July 10, 2018."
    )
    assert told.startswith("Forward the message above to the person, and to nobody else")
    payload = link.rpartition("=")[2]
    # Nobody who reads the database finds the link: neither the invitation nor the answer has it.
    async with town.app.storage.read() as db:
        kept = await db.scalars(select(cast(Update.answer, String)))
        assert payload not in str(kept.all())
    await emma.says(f"/start {payload}")
    async with town.app.storage.read() as db:
        hers = await town.member_of(db, emma)
        assert (hers.role, hers.post_id) == (Role.STAFF, post)
        assert await team.area(db, hers) == {
            "all": [{"country": "FR"}, {"any": [{"city": "lyon"}]}]
        }
    assert await emma.says("/team") == [
        "The team\n\nNadia\nadministrator\nreaches: everybody\nsince Tuesday, July 3, 2018\n\n"
        "Emma\nmember of the team · Lyon\nreaches: Lyon (France)\nsince Tuesday, July 3, 2018\n\n"
        "Only administrators invite and remove people."
    ]
    await nadia.says("/team")
    await nadia.taps("Emma")
    done, card = await nadia.taps("Let them reach everybody")
    assert (done, card.split("\n")[2]) == ("(Done.)", "reaches: everybody")
    async with town.app.storage.read() as db:
        assert await team.area(db, await town.member_of(db, emma)) is None
    # Where somebody works stays, until they work elsewhere.
    await nadia.taps("‹ Team")
    await nadia.taps("Posts")
    await nadia.taps("Lyon")
    assert (await nadia.taps("Delete the post"))[0] == (
        "(Somebody works or is expected here: give them another post first.)"
    )
    await nadia.says("/team")
    await nadia.taps("Emma")
    await nadia.taps("✎ Post")
    await nadia.taps("No post")
    assert [action for action, _ in await acts(town)][2:] == [
        "invitation.made",
        "invitation.accepted",
        "reach.set",
        "post.assigned",
    ]


async def test_who_is_removed_comes_back_by_no_old_way(town: Town):
    nadia, eve = await admin(town), await town.member("Eve", "en")
    omar = await town.member("Omar", "en")
    payload = await invited(nadia, "Administrator", "No post")
    await omar.says(f"/start {payload}")
    theirs = await invited(omar, "Administrator", "No post")
    await nadia.says("/team")
    await nadia.taps("Omar")
    (question,) = await nadia.taps("Remove from the team")
    assert question.startswith("Remove Omar from the team? Their commands and buttons stop")
    told, _list = await nadia.taps("Yes, remove")
    assert told == "(This person is no longer of the team.)"
    # Neither his own old link nor one he handed out.
    refused = "This invitation was used before or has expired. Please ask for a new one."
    assert (await omar.says(f"/start {payload}"))[0] == refused
    assert (await eve.says(f"/start {theirs}"))[0] == refused
    assert (await omar.says("/team"))[0].startswith("I don't know this command.")
    async with town.app.storage.read() as db:
        rows = await db.scalars(select(Member).where(Member.role != Role.MEMBER))
        assert [row.name for row in rows] == ["Nadia"]
        assert (await audit.verify(db)).breaks == ()
    assert (await acts(town))[-1] == ("role.taken", 1)


async def test_an_invitation_is_revoked(town: Town):
    nadia, eve = await admin(town), await town.member("Eve", "en")
    payload = await invited(nadia, "Member of the team")
    await nadia.says("/team")
    await nadia.taps(OPEN)
    told, empty = await nadia.taps("Revoke no. 2")
    assert told == "(Revoked: its link opens nothing any more.)"
    assert "No invitation is open. Each works once, for a week." in empty
    assert (await eve.says(f"/start {payload}"))[0].startswith("This invitation was used before")
    # An old button: it is so already.
    assert await nadia.after(nadia.person.taps_data("tinvx:2")) == [
        "(This invitation isn't open any more.)"
    ]


async def test_two_admins_do_not_remove_each_other_at_once(town: Town):
    nadia, omar = await admin(town), await admin(town, "Omar")
    async with town.app.storage.begin() as db:
        first, second = await town.member_of(db, nadia), await town.member_of(db, omar)
        now = town.clock.now()
        assert await team.remove(db, first, second.id, now) == team.Removed.DONE
        # He is no admin any more: what he does has no effect, wherever it comes from.
        assert await team.remove(db, second, first.id, now) == team.Removed.LAST_ADMIN


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "fr",
            "L'équipe\n\nNadia\nadministrateur\ns'adresse à : tout le monde\n"
            "depuis le mardi 3 juillet 2018\n\nVous êtes seul(e) pour l'instant. Invitez un ou une "
            "collègue : vous recevrez un lien à transférer.\n"
            "[Nadia]\n[＋ Inviter quelqu'un]\n[Invitations (0)] [Postes]",
        ),
        (
            "ar",
            "فريق العمل\n\nNadia\nمسؤول\nيخاطب: الجميع\nمنذ الثلاثاء، 3 يوليوز 2018\n\n"
            "أنتم وحدكم حتى الآن. ادعوا زميلا أو زميلة: ستتلقون رابطا لإعادة توجيهه.\n"
            "[Nadia]\n[＋ دعوة شخص]\n[الدعوات (0)] [المراكز]",
        ),
    ],
)
async def test_the_team_in_french_and_arabic(town: Town, language: str, said: str):
    nadia = await admin(town, language=language)
    assert await nadia.says("/team") == [said]


async def acts(town: Town) -> list[tuple[str, int | None]]:
    async with town.app.storage.read() as db:
        rows = await db.scalars(select(Audit).order_by(Audit.id))
        return [(row.action, row.people) for row in rows]
