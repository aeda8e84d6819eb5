"""Little data: what is not asked is not kept, groups are not listened to, logs know nobody."""

import io
import re
from pathlib import Path

from sqlalchemy import func, select

from handlers.conversations import kinds
from handlers.profile import questions
from storage.tables import Base, Member
from tests.entrance import keeper
from tests.test_intake_failures import corrupt
from tests.test_registration import to_the_summary
from tests.town import Resident, Town

# What no honest text holds.
CANARY = "Qanari9x"
PHONE = "+212699887766"
# What columns for phones and identity documents are called: CIN and CNIE are Morocco's, NIR France's.
UNASKED = {
    *("phone", "mobile", "telephone", "tel", "msisdn", "gsm", "whatsapp"),
    *("cin", "cnie", "nir", "ssn", "passport", "identity", "national", "idcard", "consular"),
    *("birth", "birthday", "birthdate", "religion", "health"),
}
# Kinds of letters that need no agreement: each answers what its reader did, or is the team's work.
# A new kind has a purpose (`handlers/conversations.py`), or its reason here.
ANSWERS = {
    "ticket": "a tap on My ticket",
    "calendar": "a tap in /myagenda",
    "export": "a tap of the team",
    "figures": "a tap of the team",
    "mydata": "a tap of theirs",
    "still_there": "whoever is about to be forgotten for their silence must be asked",
    "report": "a tap of the team",
    "linked": "whoever links an account must not be able to do so unseen",
    "introduction_figures": "a tap of the team",
    "round_drawn": "the team hears that the round it asked for is drawn",
    "upload": "a file that the team sent",
    "late": "who keeps a door is told who runs late",
    "announcement_test": "its own author tries an announcement",
    "approval": "the team decides about an announcement",
    "approval_verdict": "its author hears what was decided",
    "card": "the edit of a card that its reader posted elsewhere",
    "sending_card": "the author of an announcement watches it leave",
    "group_posting": "posted in a group or channel: written to nobody",
}


def test_every_kind_of_letter_has_a_purpose_or_answers_what_its_reader_did():
    without = {name for name, kind in kinds().items() if kind.purpose is None}
    unexplained = sorted(without - set(ANSWERS))
    assert not unexplained, (
        f"{unexplained}: what must its reader agree to? Give the kind its purpose, or say in "
        "ANSWERS why none is needed."
    )
    assert set(ANSWERS) <= set(kinds())


def test_no_column_is_made_for_a_phone_or_an_identity_number():
    asked = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if set(column.name.split("_")) & UNASKED
    }
    assert asked == set()
    assert set(questions()) & UNASKED == set()


async def holds(town: Town, wanted: str) -> list[str]:
    """Where in the whole database this is found: tables, and on SQLite the file and its journal."""
    found = []
    async with town.app.storage.read() as db:
        for table in Base.metadata.tables.values():
            rows = await db.execute(select(table))
            if any(wanted in repr(tuple(row)) for row in rows):
                found.append(table.name)
    database = town.app.storage.engine.url.database
    if town.app.storage.is_sqlite:
        files = Path(str(database)).parent.glob(f"{Path(str(database)).name}*")
        found += [file.name for file in files if wanted.encode() in file.read_bytes()]
    return found


async def test_a_contact_that_is_shared_is_not_kept(town: Town):
    emma = await town.member(CANARY, "en")
    await emma.after(emma.person.shares_contact(PHONE))
    amal = town.stranger("Amal", "en")
    await amal.says("/start")
    await amal.taps("English")
    await amal.after(amal.person.shares_contact(PHONE))
    assert await holds(town, PHONE) == []
    # The search finds what is there.
    assert "member" in await holds(town, CANARY)


async def say_everything(town: Town, emma: Resident, said: str) -> None:
    """All sorts of things said in a group with the bot in it, and in the supergroup it becomes."""
    world, person = town.sim.world, emma.person
    group = town.sim.group(said, [person])
    for _ in range(2):
        for text in (said, f"@JisrBot {said}", f"/start {said}", f"/agenda@JisrBot {said}", "STOP"):
            await emma.after(person.says(text, group))
        photo = world.files.keep("photo", f"{said}.jpg", "image/jpeg", b"JPEG")
        await emma.after(person._send(group.chat, photo=photo, text=said))
        document = world.files.keep("document", f"{said}.pdf", "application/pdf", b"%PDF")
        await emma.after(person._send(group.chat, document=document, text=said))
        for extra in (
            {"contact": {"phone_number": PHONE, "first_name": said}},
            {"location": {"latitude": 34.0, "longitude": -6.8}},
            {"new_chat_title": said},
            {"forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": said}},
            {"poll": {"id": "1", "question": said, "options": []}},
        ):
            await emma.after(person._send(group.chat, extra=extra))
        message = group.chat.messages[0]
        edited = world.message_json(message) | {"text": said, "edit_date": 1}
        await emma.after(world.mailbox.post("edited_message", edited, group.chat.id))
        if group.chat.id > -1_000_000_000_000:
            group.migrate_to_supergroup()


async def test_what_is_said_in_groups_never_reaches_the_database(town: Town):
    emma = await town.member("Emma", "en")
    await say_everything(town, emma, CANARY)
    assert emma.heard() == []
    assert await holds(town, CANARY) == []
    assert await holds(town, PHONE) == []
    async with town.app.storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(Member)) == 1


async def test_logs_carry_no_person_even_when_debugging(logged: io.StringIO, town: Town):
    await town.programme()
    emma = town.stranger(CANARY, "en")
    await to_the_summary(emma)
    await emma.taps("✎ Name")
    await emma.says(f"{CANARY} Berrada")
    await emma.taps("Yes, that's right")
    await emma.taps("I agree")
    await emma.says(f"find {CANARY}")
    await emma.after(emma.person.shares_contact(PHONE))
    await town.seat(emma, "panel-2")
    # A letter that can't be delivered is told with a pseudonym.
    emma.person.deactivated = True
    await town.passes(days=1)
    told = logged.getvalue()
    assert "letter not sent" in told
    for secret in (CANARY, "Berrada", PHONE, PHONE[1:], "Grenoble", str(emma.person.id)):
        assert not re.search(rf"(?<!\d){re.escape(secret)}(?!\d)", told), secret


async def test_logs_know_nothing_of_what_staff_write_and_of_what_fails(
    logged: io.StringIO, town: Town
):
    await town.programme()
    sofia = await keeper(town, CANARY)
    await sofia.says("/events")
    await sofia.taps("＋ New event")
    for answer in (CANARY, CANARY, CANARY, f"{CANARY}ville", "Paris", "12/12", "12/12"):
        await sofia.says(answer)
    # No conversation can go on from there: what was said then fails, again and again.
    await corrupt(town, sofia, {})
    await sofia.says(f"{CANARY}, {PHONE}")
    told = logged.getvalue()
    assert "update parked" in told
    for secret in (CANARY, PHONE[1:], str(sofia.person.id), town.sim.token):
        assert secret not in told
