"""The rehearsal that `make demo` shows: on its page, in three languages, over a whole event."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlalchemy import func, select

from bot.app import App
from bot.demo import stage
from storage import members
from storage.tables import Fate, Outbox, Rsvp, Seat
from tests.screenshots import opened

NO_BREAK = "\u00a0"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'demo.db'}"


async def _counts(app: App) -> dict[Fate, int]:
    async with app.storage.read() as db:
        rows = await db.execute(select(Outbox.state, func.count()).group_by(Outbox.state))
        return dict(rows.all())


async def test_the_rehearsal_begins_with_a_cast_and_a_line(url: str):
    async with stage(0, url) as (_, sim, app):
        async with app.storage.read() as db:
            assert await members.count_registered(db) == 61
            states = await db.execute(select(Rsvp.state, func.count()).group_by(Rsvp.state))
            assert dict(states.all()) == {Seat.CONFIRMED: 228, Seat.WAITLISTED: 12}
        assert [len(person.chat.messages) for person in sim.phones] == [2, 2, 2]


async def test_a_whole_event_is_rehearsed_in_a_moment(url: str):
    async with stage(0, url) as (_, sim, app):
        theatre = sim.theatre
        assert theatre is not None
        assert await theatre.to_next_reminder() is None
        amina = sim.phones[0]
        first = await amina.hears("تذكير")
        assert first.text.startswith("⏰ تذكير: خلال 24 ساعة")
        await theatre.advance(3 * 24 * 3600)
        assert await theatre.to_next_reminder() == (
            "No reminder is due: nobody holds a seat in a session to come."
        )
        async with app.storage.read() as db:
            confirmed = select(func.count()).where(Rsvp.state == Seat.CONFIRMED)
            seats = (await db.scalars(confirmed)).one()
        # Two leads for each seat, each told once and in time; and how it was, asked once.
        states = await _counts(app)
        async with asyncio.timeout(20):
            while states.keys() & {Fate.QUEUED, Fate.STARTED}:
                await asyncio.sleep(0.05)
                states = await _counts(app)
        assert states == {Fate.SENT: 3 * seats}


async def test_a_second_rehearsal_in_the_same_database_doubles_nothing(url: str):
    async with stage(0, url):
        pass
    async with stage(0, url) as (_, _sim, app), app.storage.read() as db:
        assert await members.count_registered(db) == 61
        assert await db.scalar(select(func.count()).select_from(Rsvp)) == 240


@pytest.mark.page
async def test_the_journey_by_hand_in_three_languages(url: str, chromium: str):
    async with stage(0, url) as (page_url, _sim, _app), opened(chromium, page_url) as page:
        french = page.locator(".phone").nth(1)
        # Karim swaps a seat, by hand.
        await french.get_by_role("button", name=re.compile("Panel 3")).click()
        await french.get_by_role("button", name="Réserver ma place").click()
        await expect(french.locator(".theirs .text").last).to_contain_text(
            "a lieu en même temps qu'une place que vous avez déjà"
        )
        await french.get_by_role("button", name="Échanger pour la nouvelle").click()
        await expect(french.locator(".theirs .text").last).to_contain_text("Vous avez une place.")
        # Amina gets her reminder, in Arabic, and answers it.
        arabic = page.locator(".phone").nth(0)
        await expect(arabic).to_have_attribute("dir", "rtl")
        await page.get_by_role("button", name="To the next reminder").click()
        await expect(arabic.locator(".theirs .text").last).to_contain_text("تذكير")
        await arabic.get_by_role("button", name="سأحضر").click()
        await expect(arabic.locator(".theirs .text").last).to_contain_text("حضوركم مؤكد")
        # A newcomer registers in English on the third phone.
        english = page.locator(".phone").nth(2)
        await english.locator(".whose").click()
        await english.get_by_role("searchbox").fill("Emma")
        await english.get_by_role("button", name="Emma Berrada").click()
        await english.get_by_role("textbox", name="Message").fill("/start rabat-2018")
        await english.get_by_role("textbox", name="Message").press("Enter")
        answers = ("English", None, "France", "Lyon", "Skip", "Skip", "None of these")
        for number, label in enumerate(answers, start=1):
            if label is None:
                await english.get_by_role("textbox", name="Message").fill("Emma Berrada")
                await english.get_by_role("textbox", name="Message").press("Enter")
            else:
                await english.get_by_role("button", name=label, exact=True).last.click()
            # Two questions in a row have a button of the same name.
            await expect(english.get_by_text(f"Question {number} of 7")).to_be_visible()
        for label in ("In the diaspora", "Yes, that's right", "I agree"):
            await english.get_by_role("button", name=label, exact=True).last.click()
        await expect(english.locator(".theirs .text").last).to_contain_text(
            "1st Thematic Workshop of Moroccan Experts in France"
        )
