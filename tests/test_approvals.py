"""Four eyes: a second person approves or sends back; nobody their own, and of two at once one."""

import asyncio
from datetime import timedelta

import pytest

from storage import approvals, readers
from storage.approvals import Decision
from storage.tables import Announcement, Post, Role, Stage
from tests.drafts import a_draft, deeds
from tests.entrance import keeper
from tests.town import Resident, Town

ASKED = "👀 A second member of the team is asked."


async def a_crowd(town: Town, above: int = 3) -> None:
    """Five members, and a house that wants four eyes above three."""
    town.app.intake._known["approval_above"] = above
    for name in "ABCDE":
        await town.member(name, "fr")


async def submitted(town: Town, author: Resident) -> int:
    """An announcement that waits for approval; whoever is asked has heard."""
    here = await a_draft(town, author)
    await author.taps("📣 Send …")
    (card,) = await author.taps("👀 Ask for approval")
    assert card.startswith(ASKED)
    await town.is_now(town.clock.now())
    return here


async def stage(town: Town, here: int) -> Stage:
    async with town.app.storage.read() as db:
        found = await db.get(Announcement, here)
        assert found is not None
        return found.stage


async def version_of(town: Town, here: int) -> str:
    async with town.app.storage.read() as db:
        found = await db.get(Announcement, here)
        assert found is not None
        return approvals.version(found)


async def test_a_second_person_reads_everything_and_approves(town: Town):
    await a_crowd(town)
    sofia, karim = await keeper(town, "Sofia", "en"), await keeper(town, "Karim", "fr")
    here = await submitted(town, sofia)
    assert (
        "\n👀 Asked to approve it: Karim\n"
        in sofia.last.text.translate({0x2068: "", 0x2069: ""}) + "\n"
    )
    assert karim.heard() == [
        "👀 Sofia vous demande d'approuver une annonce\n\n"
        "— English · 20 caractères\nOpen day on Saturday\n\n"
        "↪️ Français · ses lecteurs liront ce texte : English\n"
        "↪️ العربية · ses lecteurs liront ce texte : English\n✅ English · 20 caractères\n\n"
        "👥 À tout le monde\n7 personnes la recevront\nEnglish : 7\nTelegram : 7\n\n"
        "🕘 Elle part dès que vous l'envoyez.\n"
        "🌙 Les personnes qui sont alors dans leurs heures calmes la reçoivent ensuite.\n"
        "[👁 Comme les lecteurs la verront]\n[✅ Approuver] [↩️ Renvoyer…]"
    ]
    seen = await karim.taps("👁 Comme les lecteurs la verront")
    assert seen[1] == (
        "Open day on Saturday\n\nPour ne plus en recevoir : /stop\n[🔕 Ne plus en recevoir]"
    )
    assert await karim.taps("✅ Approuver") == [
        "✅ Vous l'avez approuvée pour 7 personnes.\n🕘 Elle part dès que vous l'envoyez."
    ]
    await town.is_now(town.clock.now())
    assert "✅ Karim has approved your announcement.\n[Open it]" in sofia.heard()
    async with town.app.storage.read() as db:
        found = await db.get(Announcement, here)
        assert (found.shown, found.approver_id is not None) == (7, True)
    assert await deeds(town) == [
        "announcement.drafted",
        "announcement.submitted",
        "announcement.approved",
    ]


async def test_it_goes_back_with_a_comment_and_comes_again(town: Town):
    await a_crowd(town)
    sofia, karim = await keeper(town, "Sofia", "en"), await keeper(town, "Karim", "ar")
    here = await submitted(town, sofia)
    karim.heard()
    assert await karim.taps("↩️ إعادة…") == [
        "ما الذي ينبغي تغييره؟ اكتبوه في جملة أو جملتين: سيقرأه صاحبه.\n[‹ رجوع]"
    ]
    assert (await karim.after(karim.person.sends_sticker()))[0].startswith(
        "اكتبوا نصا قصيرا، لا يتجاوز 500 حرفا.\n"
    )
    assert await karim.says("Quel jour <exactement> ?") == ["↩️ أُعيد إلى صاحبه مع ملاحظتكم."]
    sofia.heard()
    await town.is_now(town.clock.now())
    assert sofia.heard() == [
        "↩️ Karim sends your announcement back:\n\nQuel jour <exactement> ?\n[Open it]"
    ]
    (card,) = await sofia.taps("Open it")
    assert "↩️ Sent back: “Quel jour <exactement> ?”\n" in card
    assert await stage(town, here) == Stage.DRAFT
    await sofia.taps("📣 Send …")
    town.clock.jump(town.clock.now() + timedelta(seconds=1))
    await sofia.taps("👀 Ask for approval")
    await town.is_now(town.clock.now())
    assert len(karim.heard()) == 1
    assert "announcement.sent_back" in await deeds(town)


async def test_nobody_approves_their_own(town: Town):
    await a_crowd(town)
    sofia, _karim = await keeper(town, "Sofia", "en"), await keeper(town, "Karim", "en")
    here = await submitted(town, sofia)
    version = await version_of(town, here)
    own = ["Nobody approves their own announcement."]
    forged = f"annyes:{here}:{version}:7"
    assert await sofia.after(sofia.person.taps_data(forged)) == own
    await sofia.says("/help")
    assert await sofia.after(sofia.person.taps_data(f"annback:{here}:{version}")) == own
    assert await stage(town, here) == Stage.AWAITING
    amal = await town.member("Amal", "en")
    await amal.says("/help")
    assert (await amal.after(amal.person.taps_data(forged)))[0].startswith("(This button is from")
    assert await stage(town, here) == Stage.AWAITING


async def test_an_edit_takes_it_back_from_approval(town: Town):
    await a_crowd(town)
    sofia, karim = await keeper(town, "Sofia", "en"), await keeper(town, "Karim", "en")
    here = await submitted(town, sofia)
    await sofia.taps("✅ English")
    await sofia.taps("✎ Write it anew")
    town.clock.jump(town.clock.now() + timedelta(seconds=1))
    assert (await sofia.says("Open day on Sunday"))[0].startswith("It is a draft again")
    karim.heard()
    assert await karim.taps("✅ Approve") == ["It was changed or taken back since you were asked."]
    assert await stage(town, here) == Stage.DRAFT


async def test_a_letter_that_was_overtaken_never_leaves(town: Town):
    await a_crowd(town)
    sofia, karim = await keeper(town, "Sofia", "en"), await keeper(town, "Karim", "en")
    await a_draft(town, sofia)
    await sofia.taps("📣 Send …")
    await sofia.taps("👀 Ask for approval")
    town.clock.jump(town.clock.now() + timedelta(seconds=1))
    await sofia.taps("↩️ Take it back")
    await town.is_now(town.clock.now())
    assert karim.heard() == []


async def test_whoever_is_second_to_decide_is_told_who_was_first(town: Town):
    await a_crowd(town)
    sofia = await keeper(town, "Sofia", "en")
    karim, lina = await keeper(town, "Karim", "en"), await keeper(town, "Lina", "en")
    await submitted(town, sofia)
    await karim.taps("✅ Approve")
    lina.heard()
    assert await lina.taps("✅ Approve") == ["Karim has approved it already."]


async def test_a_count_that_has_changed_is_shown_before_it_counts(town: Town):
    await a_crowd(town)
    sofia, karim = await keeper(town, "Sofia", "en"), await keeper(town, "Karim", "en")
    here = await submitted(town, sofia)
    for name in "FGHIJKL":
        await town.member(name, "fr")
    karim.heard()
    told, letter = await karim.taps("✅ Approve")
    assert told == "(The audience has changed: please look again.)"
    assert "14 people get it\n" in letter
    assert "⚠️ When it was submitted, it was 7; now it is 14.\n" in letter
    assert await stage(town, here) == Stage.AWAITING
    (done,) = await karim.taps("✅ Approve")
    assert done.startswith("✅ You have approved it for 14 people.\n")


async def test_without_a_second_person_the_draft_waits(town: Town):
    await a_crowd(town)
    sofia = await keeper(town, "Sofia", "en")
    here = await a_draft(town, sofia)
    await sofia.taps("📣 Send …")
    assert await sofia.taps("👀 Ask for approval") == [
        "There is no second person yet who reaches all these people, and one must approve it. "
        "An administrator can invite a colleague with /team; your draft waits here until then.\n"
        "[‹ Back]"
    ]
    assert await stage(town, here) == Stage.DRAFT


async def test_only_who_reaches_the_whole_audience_is_asked(town: Town):
    await a_crowd(town)
    people = {name: await keeper(town, name, "en") for name in ("Sofia", "Lyon", "Paris", "Chief")}
    async with town.app.storage.begin() as db:
        posts = [
            Post(name={"fr": city}, country="FR", cities=[city.lower()])
            for city in ("Lyon", "Paris")
        ]
        db.add_all(posts)
        await db.flush()
        for post in posts:
            (await town.member_of(db, people[post.name["fr"]])).post_id = post.id
        chief = await town.member_of(db, people["Chief"])
        chief.role, chief.post_id = Role.ADMIN, posts[1].id
    here = await submitted(town, people["Sofia"])
    # Everybody in town lives in Lyon.
    assert [len(people[name].heard()) for name in ("Lyon", "Paris", "Chief")] == [1, 0, 1]
    version = await version_of(town, here)
    async with town.app.storage.begin() as db:
        paris = await town.member_of(db, people["Paris"])
        now = town.clock.now()
        decided = await approvals.decide(db, paris, here, version, now, people=8)
    assert decided == Decision.NOT_YOURS


async def test_of_two_who_approve_at_once_one_does(town: Town):
    await a_crowd(town)
    sofia = await keeper(town, "Sofia", "en")
    others = [await keeper(town, name, "en") for name in ("Karim", "Lina")]
    here = await submitted(town, sofia)
    version = await version_of(town, here)

    async def approve(who: Resident) -> Decision:
        async with town.app.storage.begin() as db:
            member = await town.member_of(db, who)
            await asyncio.sleep(0)
            now = town.clock.now()
            return await approvals.decide(db, member, here, version, now, people=8)

    decided = await asyncio.gather(*map(approve, others))
    assert sorted(decided) == [Decision.DONE, Decision.LATE]
    assert (await deeds(town)).count("announcement.approved") == 1


@pytest.mark.parametrize(
    ("before", "after", "marked"),
    [(10, 15, False), (10, 16, True), (1000, 1050, False), (1000, 949, True), (0, 6, True)],
)
def test_what_a_marked_change_is(before, after, marked):
    assert readers.changed(before, after) is marked
