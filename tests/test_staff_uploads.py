"""Agenda files sent to the chat: what they would change is shown, and done by a tap."""

from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from bot.agenda_files import read_agenda
from storage import agendas, uploads
from storage.agenda_copies import as_json, from_json, mark
from storage.tables import Event, Session, Upload
from tests.entrance import keeper
from tests.town import EVE, PROGRAMMES, Town

SCHEDULES = Path(__file__).parent / "schedules"
FILE = PROGRAMMES / "rabat-2018.yaml"
RECEIVED = "📄 I am reading rabat.yaml. What it would change follows in a moment."


async def sends(town: Town, person, content: str, name: str = "rabat.yaml") -> list[str]:
    """Send a file, and hear all that comes of it."""
    said = await person.after(person.person.sends_document(name, content.encode()))
    await town.app.read_uploads()
    await town.is_now(town.clock.now())
    return [*said, *person.heard()]


async def test_a_new_event_comes_by_file_and_goes_by_undo(town: Town):
    sofia = await keeper(town, "Sofia")
    received, preview = await sends(town, sofia, FILE.read_text("utf-8"))
    assert received == RECEIVED
    assert preview.startswith(
        "📄 rabat.yaml\n1st Thematic Workshop of Moroccan Experts in France\n\n✨ A new event\n\n"
        "➕ Added: 8\n• Wed, Jul 4 09:00 · Opening\n"
        "• Wed, Jul 4 10:30 · Panel 1: Data and digital technologies\n"
    )
    assert "\n… and 3 more\n\n🏷 Themes: " in preview
    assert preview.endswith("[Apply] [Discard]")
    async with town.app.storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(Event)) == 0
    (card,) = await sofia.taps("Apply")
    assert card.startswith("✅ Done. You can undo this for a minute.\n\n1st Thematic Workshop")
    assert "\n8 sessions\n" in card
    told, _list = await sofia.taps("↩️ Undo")
    assert told == "(Undone.)"
    async with town.app.storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(Session)) == 0


async def test_a_correction_shows_who_is_affected_tells_them_and_can_be_undone(town: Town):
    await town.programme()
    sofia, amal = await keeper(town, "Sofia", "fr"), await town.member("Amal", "en")
    await town.seat(amal, "panel-1")
    before = FILE.read_text("utf-8")
    moved = before.replace("2018-07-04T10:30", "2018-07-04T11:00", 1)
    _received, preview = await sends(town, sofia, moved)
    assert preview == (
        "📄 rabat.yaml\n1er Atelier thématique des experts marocains en France\n\n"
        "🕘 Déplacées : 1\n• Panel 1 : Data et technologies numériques · "
        "mer. 4 juil. 10:30 → mer. 4 juil. 11:00 (1 place concernée)\n[Appliquer] [Abandonner]"
    )
    (card,) = await sofia.taps("Appliquer")
    assert card.startswith("✅ C'est fait. Dans une minute, les personnes concernées seront")
    told, _card = await sofia.taps("↩️ Annuler")
    assert told == "(C'est annulé.)"
    await town.is_now(EVE + timedelta(minutes=2))
    assert amal.heard() == []
    # The same file again, and this time it stays.
    await sends(town, sofia, moved)
    await sofia.taps("Appliquer")
    await town.is_now(EVE + timedelta(minutes=4))
    assert "🕘 11:00 – 13:00 (Rabat time)\n" in amal.heard()[0]
    _received, preview = await sends(town, sofia, moved)
    assert preview.endswith("Il dit ce que le programme dit déjà : rien ne changerait.")


async def test_what_changed_since_is_shown_again_before_it_is_done(town: Town):
    await town.programme()
    sofia = await keeper(town, "Sofia", "ar")
    moved = FILE.read_text("utf-8").replace("2018-07-04T10:30", "2018-07-04T11:00", 1)
    await sends(town, sofia, moved)
    await town.session("panel-3", capacity=7)
    (again,) = await sofia.taps("تطبيق")
    assert again.startswith("⚠️ تغيرت أمور منذ ذلك الحين. هذا ما سيحدث الآن:\n")
    assert "✎ عُدّلت: 1" in again
    assert (await town.session("panel-3")).capacity == 7
    await sofia.taps("تطبيق")
    assert (await town.session("panel-3")).capacity == 30


async def test_a_file_with_mistakes_is_refused_kindly(town: Town):
    sofia = await keeper(town, "Sofia")
    broken = FILE.read_text("utf-8").replace("Africa/Casablanca", "Africa/Casblanca", 1)
    _received, refusal = await sends(town, sofia, broken)
    assert refusal.startswith(
        "⚠️ rabat.yaml can't be imported. Nothing is changed.\n\n• rabat.yaml, line "
    )
    assert 'Did you mean "Africa/Casablanca"?' in refusal
    assert refusal.endswith("Please correct the file and send it again.")
    _received, refusal = await sends(town, sofia, "%PDF-1.7", "agenda.pdf")
    assert "it is a PDF document, whatever its name" in refusal


def with_mistakes() -> str:
    text = FILE.read_text("utf-8")
    for right, wrong in {
        "Africa/Casablanca": "Africa/Casblanca",
        "id: panel-2": "id: panel-1",
        "2018-07-04T10:30": "4 juillet, 10h30",
    }.items():
        text = text.replace(right, wrong, 1)
    return text.replace("minutes:", "minute:", 1)


async def test_mistakes_are_told_in_french(town: Town):
    sofia = await keeper(town, "Sofia", "fr")
    _received, refusal = await sends(town, sofia, with_mistakes())
    assert refusal == (
        "⚠️ rabat.yaml ne peut pas être importé. Rien n'est changé.\n\n"
        "• rabat.yaml, ligne 17 : événement, timezone : il n'y a pas de fuseau horaire « Africa/Casblanca ». Vouliez-vous dire « Africa/Casablanca » ?\n"
        "• rabat.yaml, ligne 36 : séance « opening » : il manque « minutes ». Ajoutez : minutes: 90\n"
        "• rabat.yaml, ligne 40 : séance « opening » : clé inconnue « minute ». Vouliez-vous dire « minutes » ?\n"
        "• rabat.yaml, ligne 45 : séance « panel-1 », start : « 4 juillet, 10h30 » n'est pas une date suivie d'une heure. Écrivez l'heure locale, p. ex. 2018-07-04T10:30.\n"
        "• rabat.yaml, ligne 50 : séance « panel-1 », id : une autre séance plus haut a déjà l'identifiant (id) « panel-1 ». Donnez à chaque élément le sien.\n\n"
        "Corrigez le fichier et renvoyez-le."
    )
    for content, name, told in [
        (
            b"%PDF-1.7",
            "agenda.yaml",
            " : quel que soit son nom, c'est un document PDF. Décompressez-le ou exportez-le d'abord. Je lis ",
        ),
        (
            b"Bonjour",
            "agenda.docx",
            " : je ne peux pas lire les fichiers « .docx ». Je lis les programmes en JSON ou XML",
        ),
        (
            "séance".encode("latin-1"),
            "agenda.yaml",
            ", ligne 1 : ce n'est pas un texte en UTF-8. Enregistrez le fichier avec l'encodage UTF-8.\n",
        ),
    ]:
        await sofia.after(sofia.person.sends_document(name, content))
        await town.app.read_uploads()
        await town.is_now(town.clock.now())
        assert told in sofia.heard()[0]


async def test_mistakes_are_told_in_arabic(town: Town):
    sofia = await keeper(town, "Sofia", "ar")
    _received, refusal = await sends(town, sofia, with_mistakes())
    assert refusal == (
        "⚠️ لا يمكن استيراد rabat.yaml. لم يتغير شيء.\n\n"
        "• rabat.yaml، السطر 17: الفعالية، timezone: لا توجد منطقة زمنية باسم «Africa/Casblanca». هل تقصدون «Africa/Casablanca»؟\n"
        "• rabat.yaml، السطر 36: الجلسة «opening»: ينقص «minutes». أضيفوا: minutes: 90\n"
        "• rabat.yaml، السطر 40: الجلسة «opening»: المفتاح «minute» غير معروف. هل تقصدون «minutes»؟\n"
        "• rabat.yaml، السطر 45: الجلسة «panel-1»، start: «4 juillet, 10h30» ليس تاريخا وتوقيتا. اكتبوا التوقيت المحلي، مثل 2018-07-04T10:30.\n"
        "• rabat.yaml، السطر 50: الجلسة «panel-1»، id: تحمل جلسة أخرى أعلاه المعرّف (id) «panel-1». اختاروا لكل منهما معرّفا خاصا به.\n\n"
        "يرجى تصحيح الملف وإرساله من جديد."
    )


async def test_of_many_mistakes_the_first_are_told_and_old_rows_as_they_are(town: Town):
    sofia = await keeper(town, "Sofia", "fr")
    _received, refusal = await sends(town, sofia, FILE.read_text("utf-8").replace("kind:", "sort:"))
    assert refusal == (
        "⚠️ rabat.yaml ne peut pas être importé. Rien n'est changé.\n\n"
        "• rabat.yaml, ligne 36 : séance « opening » : il manque « kind ». Ajoutez : kind: panel\n"
        "• rabat.yaml, ligne 37 : séance « opening » : clé inconnue « sort ». Vouliez-vous dire « start » ?\n"
        "• rabat.yaml, ligne 42 : séance « panel-1 » : il manque « kind ». Ajoutez : kind: panel\n"
        "• rabat.yaml, ligne 43 : séance « panel-1 » : clé inconnue « sort ». Vouliez-vous dire « start » ?\n"
        "• rabat.yaml, ligne 50 : séance « panel-2 » : il manque « kind ». Ajoutez : kind: panel\n"
        "• rabat.yaml, ligne 51 : séance « panel-2 » : clé inconnue « sort ». Vouliez-vous dire « start » ?\n"
        "• rabat.yaml, ligne 58 : séance « panel-3 » : il manque « kind ». Ajoutez : kind: panel\n"
        "• rabat.yaml, ligne 59 : séance « panel-3 » : clé inconnue « sort ». Vouliez-vous dire « start » ?\n"
        "• … et 8 autres\n\n"
        "Corrigez le fichier et renvoyez-le."
    )
    wrong = FILE.read_text("utf-8").replace("kind: ", "kind: " + "x" * 99)
    _received, refusal = await sends(town, sofia, wrong, "x" * 250 + ".yaml")
    assert refusal.count("n'est pas un type de séance") == 8
    assert len(refusal) < 4096
    async with town.app.storage.begin() as db:
        old = Upload(member_id=1, name="a.yaml", file="1", at=town.clock.now())
        db.add(old)
        await db.flush()
        kept = ["a.yaml, line 2: there is a tab. Use spaces instead."]
        await uploads.keep_reading(db, old.id, town.clock.now(), problems=kept)
    await town.is_now(town.clock.now())
    assert "\n• a.yaml, line 2: there is a tab. Use spaces instead.\n" in sofia.heard()[0]


async def test_a_file_is_applied_once_by_its_sender_within_the_hour(town: Town):
    sofia, omar = await keeper(town, "Sofia"), await keeper(town, "Omar")
    await sends(town, sofia, FILE.read_text("utf-8"))
    data = sofia.last.keyboard[0][0].data or ""
    await omar.says("/events")
    gone = ["(This file is settled or too old. Please send it again.)"]
    assert await omar.after(omar.person.taps_data(data)) == gone
    # A second file replaces the first.
    await sends(town, sofia, FILE.read_text("utf-8"))
    assert await sofia.after(sofia.person.taps_data(data)) == gone
    assert await sofia.taps("Discard") == ["Discarded: nothing is changed."]
    await sends(town, sofia, FILE.read_text("utf-8"))
    await town.is_now(EVE + timedelta(minutes=61))
    assert await sofia.taps("Apply") == gone
    async with town.app.storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(Event)) == 0
    await town.is_now(EVE + timedelta(days=3))
    await town.app.tidy()
    async with town.app.storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(Upload)) == 0


async def test_a_members_file_is_not_read(town: Town):
    amal = await town.member("Amal", "en")
    (said,) = await sends(town, amal, FILE.read_text("utf-8"))
    assert said.startswith("I can only read text and taps on buttons.")


async def test_a_network_that_fails_is_tried_again(town: Town):
    sofia = await keeper(town, "Sofia")
    await sofia.after(sofia.person.sends_document("rabat.yaml", FILE.read_bytes()))
    town.sim.faults.fail(code=502, method="getFile")
    await town.app.read_uploads()
    await town.is_now(EVE)
    assert sofia.heard() == []
    await town.app.read_uploads()
    await town.is_now(EVE)
    assert sofia.heard()[0].startswith("📄 rabat.yaml\n")


@given(st.permutations(range(8)))
def test_a_copy_of_an_agenda_is_the_agenda(order: list[int]):
    agenda = read_agenda(FILE)
    shuffled = agendas.Agenda(agenda.event, agenda.themes, tuple(agenda.sessions[n] for n in order))
    assert from_json(as_json(shuffled)) == shuffled


def test_a_mark_tells_changes_apart():
    agenda = read_agenda(FILE)
    one = agendas.Changes(added=agenda.sessions[:1])
    assert mark(one) == mark(agendas.Changes(added=agenda.sessions[:1]))
    assert mark(one) != mark(agendas.Changes(added=agenda.sessions[1:2]))


async def test_a_congress_of_another_system_fits_into_one_preview(town: Town):
    sofia = await keeper(town, "Sofia")
    congress = (SCHEDULES / "rc3-2021.pretalx.schedule.json").read_text("utf-8")
    _received, preview = await sends(town, sofia, congress, "schedule.json")
    assert len(preview) < 4096
    assert "\n➕ Added: " in preview
    assert "\nℹ️ " in preview
    (card,) = await sofia.taps("Apply")
    assert card.startswith("✅ Done. You can undo this for a minute.\n\n")
    _received, preview = await sends(town, sofia, congress, "schedule.json")
    assert preview.endswith("It says what the agenda says already: nothing would change.")
