"""An event in a picture: seats, attendance and ratings of each session, in the reader's language."""

from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from bot import pictures, report_pictures
from bot.catalogs import LOCALES_FOLDER
from handlers.letters import Bars, Chart
from handlers.words import LOCALES
from storage import doors, figures, ratings
from storage.doors import Place
from storage.tables import Event, Rsvp
from tests.entrance import keeper, scans, ticket_of
from tests.town import Town

DOORS = datetime(2018, 7, 4, 9, 15, tzinfo=UTC)
LATER = datetime(2018, 7, 4, 12, 0, tzinfo=UTC)
LABELS = {"en": "📊 Chart", "fr": "📊 Graphique", "ar": "📊 رسم بياني"}
TOLD = {
    "en": "(I am drawing; the picture comes in a moment.)",
    "fr": "(Je dessine ; l'image arrive dans un instant.)",
    "ar": "(أرسم الآن، وستصل الصورة بعد لحظة.)",
}
TITLES = {
    "en": "📊 1st Thematic Workshop of Moroccan Experts in France",
    "fr": "📊 1er Atelier thématique des experts marocains en France",
    "ar": "📊 الملتقى الموضوعاتي الأول للخبراء المغاربة بفرنسا",
}


async def an_event(town: Town, language: str = "en"):
    """Amal came to panel 2 with a guest and gave it four stars; Bilal had a seat; one walked in."""
    await town.programme()
    amal, bilal = await town.member("Amal", "en"), await town.member("Bilal", "en")
    for one in (amal, bilal):
        await town.seat(one, "panel-2")
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, amal)
        seat = await db.scalar(select(Rsvp).where(Rsvp.member_id == member.id))
        assert seat is not None
        seat.guests = 1
    salma = await keeper(town, "Salma", language)
    session = await town.session("panel-2")
    ticket = await ticket_of(town, amal, "panel-2")
    town.clock.jump(DOORS)
    await scans(salma, ticket)
    town.clock.jump(LATER)
    async with town.app.storage.begin() as db:
        event = await db.get(Event, session.event_id)
        assert event is not None
        staff, guest = await town.member_of(db, salma), await town.member_of(db, amal)
        await doors.walk_in(db, Place(event, session), staff, LATER)
        assert await ratings.rate(db, guest, session.id, 4, LATER)
    return salma, event


async def test_the_figures_of_an_event(town: Town):
    _salma, event = await an_event(town)
    async with town.app.storage.read() as db:
        found = {one.session.slug: one for one in await figures.of_event(db, event)}
    panel = found["panel-2"]
    assert (panel.seats, panel.taken, panel.attended, panel.average) == (30, 3, 3, 4.0)
    other = found["panel-1"]
    assert (other.seats, other.taken, other.attended, other.average) == (30, 0, 0, None)


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
async def test_staff_get_the_picture_in_their_language(town: Town, language: str):
    salma, _event = await an_event(town, language)
    await salma.taps({"en": "🚪 Door", "fr": "🚪 Entrée", "ar": "🚪 المدخل"}[language])
    assert await salma.taps(LABELS[language]) == [TOLD[language]]
    await town.is_now(LATER)
    heard = [said for said in salma.heard() if said.startswith("📊")]
    assert heard == [TITLES[language]]
    photo = salma.last.photo
    assert photo is not None
    assert photo.width > photo.height > 500


async def test_before_anybody_has_a_seat_there_is_nothing_to_draw(town: Town):
    await town.programme()
    salma = await keeper(town)
    await salma.says("/door")
    await salma.taps("🚪 Entrance: 1st Thematic Workshop of…")
    await salma.taps("📊 Chart")
    await town.is_now(town.clock.now())
    assert salma.heard() == [
        "1st Thematic Workshop of Moroccan Experts in France\n\n"
        "There is nothing to draw yet: no seat is taken."
    ]
    assert salma.last.photo is None


def a_chart(*, right_to_left: bool, label: str = "Panel") -> Chart:
    lines = (Bars(label, 30, 20, 10, 4.5, "4.5"), Bars(label, None, 5, 0, None, ""))
    return Chart(label, ("a", "b", "c", "d"), lines, right_to_left)


async def test_the_picture_is_mirrored_for_arabic():
    """The dark bars of those who came begin at the names: left, or right for Arabic."""
    sides = []
    for right_to_left in (False, True):
        png = await pictures.chart(a_chart(right_to_left=right_to_left))
        pixels = np.asarray(Image.open(BytesIO(png)).convert("RGB")).astype(int)
        came = np.abs(pixels - (0x1F, 0x4E, 0x79)).sum(axis=2) < 6
        came[-60:] = False  # the legend
        columns = came.any(axis=0).nonzero()[0]
        sides.append(columns.mean() < pixels.shape[1] / 2)
    assert sides == [True, False]


async def test_titles_of_all_sorts_are_drawn():
    """No formula, no shape that the font lacks: a warning would fail the test."""
    odd = "Coûts: $1 à $2 \u2068خبراء\u2069 🎉 日本 \\alpha_{1}"
    assert report_pictures.drawable(odd) == r"Coûts: \$1 à \$2 خبراء   \alpha_{1}"
    assert (await pictures.chart(a_chart(right_to_left=False, label=odd))).startswith(b"\x89PNG")


@pytest.mark.parametrize("language", LOCALES)
def test_the_font_has_every_letter_of_our_languages(language: str):
    catalog = (LOCALES_FOLDER / language / "LC_MESSAGES" / "jisr.po").read_text("utf-8")
    letters = "".join(sorted({char for char in catalog if char.isalpha() or char in "’«»،؛؟"}))
    assert report_pictures.drawable(letters) == letters
