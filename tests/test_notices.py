"""The privacy notice: what it tells, that its version follows it, and that members are asked again."""

import gettext
from dataclasses import replace

import pytest
from sqlalchemy import select

from handlers import notices
from handlers.words import read_catalogs
from storage import purposes
from storage.tables import Consent, Purpose
from storage.terms import Operator, Retention, Terms
from tests.test_registration import to_the_summary
from tests.town import Resident, Town, words_of

TERMS = Terms(
    Operator("Consulat général du Maroc à Lyon", "donnees@example.org", "CNDP D-12/2026"),
    Retention(answers_hours=72, texts_days=2, seats_months=1, inactive_months=11, audit_years=3),
)
CATALOGS = read_catalogs()
RENEWAL = (
    "🔒 Our privacy notice has changed.\n\nYou agreed to: Events you register for, Reminders of "
    "your seats, Announcements of the team.\n\nIs that still right? Until you answer, it stays as "
    "it is.\n[Yes, I still agree]\n[Read the notice]\n[Let me choose]"
)


def test_it_tells_who_why_how_long_who_else_which_rights_and_where_to_complain():
    told = words_of(notices.text(CATALOGS["en"], TERMS))
    for said in (
        "Who is responsible:</b> Consulat général du Maroc à Lyon.",
        "Questions and requests: donnees@example.org. Registered as: CNDP D-12/2026.",
        "to run the events you choose and to remind you of them; and, only if you agree to each:",
        "you may take it back at any time",
        "Nothing is sold. I ask for no phone number and no identity number.",
        "a transfer abroad",
        "My answers to what you write or tap, 72 hours; the texts of my letters, 2 days. "
        "Your seats lose your name 1 month after the event. After 11 months of silence",
        "What the team did is kept 3 years",
        "everything: /mydata. Correct it: /settings. Have it erased: /forget. "
        "Stop what I send: /stop.",
        "in France to the CNIL (cnil.fr)",
        "in Morocco to the CNDP (cndp.ma).",
    ):
        assert said in told
    french = words_of(notices.text(CATALOGS["fr"], TERMS))
    assert "72 heures ; les textes de mes messages, 2 jours. " in french
    assert "perdent votre nom 1 mois après l'événement. Après 11 mois de silence" in french
    arabic = words_of(notices.text(CATALOGS["ar"], TERMS))
    assert "72 ساعة؛ نصوص رسائلي: يومين. تُفصل مقاعدكم عن أسمائكم بعد شهر واحد" in arabic
    assert "وبعد 11 شهرا من الصمت" in arabic
    assert "وتُحفظ أعمال فريق العمل 3 سنوات" in arabic


@pytest.mark.parametrize("language", CATALOGS)
def test_it_fits_into_one_message_in_each_language(language: str):
    # Bot API, sendMessage.text: 4096 characters; every setting as long as it may be.
    longest = replace(TERMS, operator=Operator("x" * 120, "x" * 120, "x" * 200))
    assert len(notices.text(CATALOGS[language], longest)) < 4096


def test_its_version_follows_every_word_and_number_of_it():
    retention, operator = TERMS.retention, TERMS.operator
    french = CATALOGS["fr"]

    class Reworded(gettext.NullTranslations):
        """French, with a word of the notice changed."""

        def gettext(self, message: str) -> str:
            return french.catalog.gettext(message).replace("Réclamations", "Plaintes")

        def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
            return french.catalog.ngettext(msgid1, msgid2, n)

    others = [
        *(replace(TERMS, retention=replace(retention, answers_hours=48)),),
        *(replace(TERMS, retention=replace(retention, texts_days=3)),),
        *(replace(TERMS, retention=replace(retention, seats_months=2)),),
        *(replace(TERMS, retention=replace(retention, inactive_months=12)),),
        *(replace(TERMS, retention=replace(retention, audit_years=4)),),
        *(replace(TERMS, operator=replace(operator, controller="Somebody else")),),
        *(replace(TERMS, operator=replace(operator, contact="else@example.org")),),
        *(replace(TERMS, operator=replace(operator, registration="")),),
    ]
    versions = [notices.dated(one, CATALOGS).version for one in [TERMS, *others]]
    versions.append(
        notices.dated(TERMS, {**CATALOGS, "fr": replace(french, catalog=Reworded())}).version
    )
    assert len(set(versions)) == len(versions)
    assert {len(version) for version in versions} == {16}
    # The same words are the same version, whatever it was called before.
    assert notices.dated(replace(TERMS, version="old"), CATALOGS).version == versions[0]


async def test_anybody_may_read_it_at_any_time(town: Town):
    amal = town.stranger("Amal", "ar")
    (told,) = await amal.says("/privacy")
    assert told.startswith("معطياتكم الشخصية\n\nالمسؤول: منظمو الفعاليات.")
    emma = await town.member("Emma", "en")
    (told,) = await emma.says("/privacy")
    assert told.startswith("Your data\n\nWho is responsible: the organisers of the events.")
    assert told.endswith("\n[🔔 What I write to you]\n[‹ Settings]")
    await emma.says("/settings")
    assert await emma.taps("🔒 Your data") == [told]
    (page,) = await emma.taps("🔔 What I write to you")
    assert page.startswith("What I write to you\n")


async def registered(town: Town) -> Resident:
    """Emma, who ticked announcements when she registered."""
    await town.programme()
    emma = town.stranger("Emma", "en")
    await to_the_summary(emma)
    await emma.taps("Yes, that's right")
    await emma.taps("▫️ Announcements of the team")
    await emma.taps("I agree")
    return emma


def change(town: Town) -> tuple[str, str]:
    """The operator has a new address; returns the old and the new version of the notice."""
    old = town.app.terms
    new = notices.dated(replace(old, operator=Operator("", "new@example.org")), town.app.catalogs)
    town.app.intake._terms = town.app.terms = new
    return old.version, new.version


async def recorded(town: Town) -> list[tuple[str, bool, str]]:
    async with town.app.storage.read() as db:
        rows = await db.scalars(select(Consent).order_by(Consent.id))
        return [(row.purpose, row.given, row.version) for row in rows]


async def test_a_new_version_asks_again_once_and_blocks_nothing(town: Town):
    emma = await registered(town)
    assert len(await emma.says("/myagenda")) == 1
    old, new = change(town)
    agenda, card = await emma.says("/myagenda")
    assert agenda.startswith("You have no seat yet.")
    assert card == RENEWAL
    assert len(await emma.says("/myagenda")) == 1
    first = [("events", True, old), ("reminders", True, old), ("announcements", True, old)]
    assert await recorded(town) == first
    (notice,) = await emma.taps("Read the notice")
    assert "Questions and requests: new@example.org." in notice
    assert await emma.taps("‹ Back") == [RENEWAL]
    assert await emma.taps("Yes, I still agree") == [
        "Thank you. /privacy shows the notice at any time."
    ]
    again = [("events", True, new), ("reminders", True, new), ("announcements", True, new)]
    assert sorted(await recorded(town)) == sorted(first + again)


async def test_it_is_asked_after_a_tap_too_and_what_stood_stands(town: Town):
    emma = await registered(town)
    await emma.says("/settings")
    change(town)
    page, card = await emma.taps("🔔 What I write to you")
    assert "[✅ Announcements of the team]" in page
    assert card == RENEWAL
    async with town.app.storage.read() as db:
        agreed = await purposes.agreed_to(db, await town.member_of(db, emma))
    assert agreed == {Purpose.EVENTS, Purpose.REMINDERS, Purpose.ANNOUNCEMENTS}


async def test_who_asks_from_another_chat_or_has_not_registered_is_not_asked(town: Town):
    emma, amal = await registered(town), town.stranger("Amal", "en")
    await amal.says("/start")
    change(town)
    await emma.asks("panel")
    assert emma.heard() == []
    assert all("privacy notice" not in told for told in await amal.taps("English"))
    assert (await emma.says("/help"))[1] == RENEWAL
