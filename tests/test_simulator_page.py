"""The page of phones, in a real browser, over a tiny bot that repeats what it hears."""

import asyncio
import contextlib
import shutil
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from aiogram import Bot, Dispatcher
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ContentType
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)
from playwright.async_api import async_playwright, expect

from bot.simulator import Simulator

# One browser for all tests, hence one loop.
pytestmark = [pytest.mark.page, pytest.mark.asyncio(loop_scope="module")]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"width": 1440, "height": 900}
MOBILE = {"width": 390, "height": 844}
GIF = b"GIF89a\x02\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x02\x00\x01\x00\x00\x02\x02D\n\x00;"
HALF_PAST_TWO = 1795530600  # 24 November 2026, 14:30 UTC


class Puppet:
    """A theatre that only remembers what it was asked."""

    def __init__(self):
        self.time = datetime(2026, 11, 24, 13, 50, tzinfo=UTC)
        self.speed = 0.0

    def now(self):
        return self.time

    async def advance(self, seconds):
        self.time += timedelta(seconds=seconds)

    async def to_next_reminder(self):
        return "No reminder is due"

    def set_speed(self, factor):
        self.speed = factor


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chromium():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest.fixture
def sim():
    theatre = Puppet()
    sim = Simulator(now=theatre.now, theatre=theatre)
    sim.phones = [
        sim.person("أمل", last_name="الإدريسي", language_code="ar", zone="Europe/Brussels"),
        sim.person("Bilal", last_name="Chraïbi", language_code="fr", zone="Europe/Paris"),
        sim.person("Nadia", language_code="en", zone="Europe/London"),
    ]
    for number in range(30):
        sim.person(f"Hélène {number}", language_code="fr")
    return sim


class Repeater(Bot):
    """A bot that knows its page."""

    url: str


@pytest_asyncio.fixture(loop_scope="module")
async def bot(sim):
    """Serve the simulator and run the bot that repeats; `bot.url` is the page."""
    talk = Dispatcher()

    @talk.message()
    async def repeat(message: Message) -> None:
        buttons = [[InlineKeyboardButton(text="OK", callback_data="ok")]]
        markup = InlineKeyboardMarkup(inline_keyboard=buttons)
        await message.answer(
            f"<b>{ContentType(message.content_type).value}</b> {message.html_text}",
            reply_markup=markup,
        )

    @talk.callback_query()
    async def agree(tap: CallbackQuery) -> None:
        await tap.answer("Noted")
        await tap.message.edit_text("Thanks")

    async with sim.serve() as url:
        session = AiohttpSession(api=TelegramAPIServer.from_base(url))
        bot = Repeater(sim.token, session, default=DefaultBotProperties(parse_mode="HTML"))
        bot.url = url
        polling = asyncio.ensure_future(talk.start_polling(bot, handle_signals=False))
        yield bot
        await talk.stop_polling()
        await polling
        await session._session.close()


@contextlib.asynccontextmanager
async def page_of(chromium, bot, viewport=DESKTOP, **options):
    """Open the page, and expect it to run without a word in the console."""
    context = await chromium.new_context(viewport=viewport, **options)
    page = await context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    await page.goto(bot.url)
    await expect(page.locator(".phone")).to_have_count(3)
    yield page
    await context.close()
    assert said == []


async def test_three_phones_speak_three_languages(chromium, bot):
    for language, name in (("", "Jisr"), ("fr", "Le pont"), ("ar", "جسر")):
        await bot.set_my_name(name, language_code=language or None)
    async with page_of(chromium, bot) as page:
        phones = page.locator(".phone")
        for index, (language, direction, name, start) in enumerate(
            [
                ("ar", "rtl", "جسر", "ابدأ"),
                ("fr", "ltr", "Le pont", "Démarrer"),
                ("en", "ltr", "Jisr", "Start"),
            ],
        ):
            phone = phones.nth(index)
            await expect(phone).to_have_attribute("lang", language)
            await expect(phone).to_have_attribute("dir", direction)
            await expect(phone.locator(".phone-title strong")).to_have_text(name)
            await expect(phone.get_by_role("button", name=start, exact=True)).to_be_visible()


async def test_a_conversation_by_hand(chromium, sim, bot):
    bilal = sim.phones[1]
    async with page_of(chromium, bot) as page:
        phone = page.locator(".phone").nth(1)
        await phone.get_by_role("button", name="Démarrer").click()
        await expect(phone.locator(".theirs .text")).to_have_text("text /start")
        await phone.get_by_role("textbox", name="Message").fill("/start rabat-2018")
        await page.keyboard.press("Enter")
        await expect(phone.locator(".theirs .text").last).to_have_text("text /start rabat-2018")
        await phone.get_by_role("button", name="OK", exact=True).last.press("Enter")
        await expect(phone.locator(".toast")).to_have_text("Noted")
        await expect(phone.locator(".theirs .text").last).to_have_text("Thanks")
        await expect(phone.locator(".theirs .meta").last).to_contain_text("modifié")
    await sim.settled()
    assert [message.text for message in bilal.chat.messages] == [
        "/start",
        "text /start",
        "/start rabat-2018",
        "Thanks",
    ]


async def test_peoples_words_are_shown_and_never_run(chromium, sim, bot):
    attack = "<img src=x onerror=alert(1)><b>fat</b>"
    async with page_of(chromium, bot) as page:
        sim.phones[2].says(attack)
        mine = page.locator(".phone").nth(2).locator(".mine .text")
        await expect(mine).to_have_text(attack)
        assert await mine.locator("img, b, strong").count() == 0


async def test_what_telegram_marks_up_is_marked_up(chromium, sim, bot):
    bilal = sim.phones[1]
    await bot.send_message(
        bilal.id,
        "🎉 <b>gras <i>et italique</i></b> <code>RBT</code> <tg-spoiler>surprise</tg-spoiler> "
        '<a href="https://t.me/JisrBot?start=agenda">lien</a> '
        f'<tg-time unix="{HALF_PAST_TWO}" format="wDT">mardi à 14 h 30</tg-time>',
    )
    async with page_of(chromium, bot) as page:
        phone = page.locator(".phone").nth(1)
        await expect(phone.locator(".text strong")).to_have_text("gras et italique")
        await expect(phone.locator(".text strong em")).to_have_text("et italique")
        await expect(phone.locator(".text code")).to_have_text("RBT")
        await phone.locator(".spoiler").press("Enter")
        await expect(phone.locator(".spoiler")).to_have_class("spoiler shown")
        await phone.get_by_role("button", name="mardi à 14 h 30").click()
        # The reader's phone is in Paris, one hour ahead of the time that Telegram was given.
        await expect(phone.locator(".toast")).to_have_text(
            "Votre heure (Europe/Paris): mardi 24 novembre à 15:30",
        )
        await phone.get_by_role("link", name="lien").click()
        await expect(phone.locator(".mine .text")).to_have_text("/start agenda")


async def test_files_go_both_ways(chromium, sim, bot):
    nadia = sim.phones[2]
    async with page_of(chromium, bot) as page:
        phone = page.locator(".phone").nth(2)
        nadia.says("hello")
        for name, mime, data in (
            ("programme é.csv", "text/csv", b"a;b"),
            ("plan.gif", "image/gif", GIF),
        ):
            chosen = {"name": name, "mimeType": mime, "buffer": data}
            await phone.locator("input[type=file]").set_input_files(chosen)
        await expect(phone.locator(".mine .photo img")).to_be_visible()
        await bot.send_document(nadia.id, BufferedInputFile(b"1;2", "présents.csv"))
        async with page.expect_download() as download:
            await phone.get_by_role("link", name="présents.csv").click()
        saved = await download.value
        assert saved.suggested_filename == "présents.csv"
    await sim.settled()
    received = [m for m in nadia.chat.messages if not m.outgoing]
    assert [(m.document and m.document.name, m.photo and m.photo.data) for m in received] == [
        (None, None),
        ("programme é.csv", None),
        (None, GIF),
    ]


async def test_commands_are_offered_in_the_persons_language(chromium, sim, bot):
    await bot.set_my_commands([BotCommand(command="help", description="Help")])
    await bot.set_my_commands(
        [BotCommand(command="help", description="مساعدة")], language_code="ar"
    )
    sim.phones[0].says("مرحبا")
    async with page_of(chromium, bot) as page:
        phone = page.locator(".phone").nth(0)
        await phone.get_by_role("button", name="الأوامر").click()
        await phone.get_by_role("button", name="/help مساعدة").press("Enter")
        await expect(phone.locator(".mine .text").last).to_have_text("/help")


async def test_any_phone_can_show_anybody(chromium, bot):
    async with page_of(chromium, bot) as page:
        phone = page.locator(".phone").nth(0)
        await phone.locator(".whose").click()
        await phone.get_by_role("searchbox").fill("helene 17")
        await phone.get_by_role("button", name="Hélène 17").click()
        await expect(phone).to_have_attribute("dir", "ltr")
        await phone.get_by_role("button", name="Démarrer").click()
        await expect(phone.locator(".theirs .text")).to_have_text("text /start")


async def test_an_alert_waits_to_be_dismissed(chromium, sim, bot):
    nadia = sim.phones[2]
    async with page_of(chromium, bot) as page:
        phone = page.locator(".phone").nth(2)
        nadia.says("hello")
        await expect(phone.locator(".theirs .key")).to_be_visible()
        tap = nadia.starts_tap("forged", nadia.chat.messages[-1])
        await bot.answer_callback_query(tap, text="All seats are taken", show_alert=True)
        await expect(phone.locator(".alert-text")).to_have_text("All seats are taken")
        await phone.get_by_role("button", name="OK", exact=True).last.click()
        await expect(phone.locator(".overlay")).to_be_hidden()


async def test_time_is_moved_from_the_page(chromium, sim, bot):
    async with page_of(chromium, bot) as page:
        await expect(page.locator("#clock-utc")).to_have_text("13:50")
        await page.get_by_role("button", name="+15 min").click()
        await expect(page.locator("#clock-utc")).to_have_text("14:05")
        await page.get_by_role("button", name="To the next reminder").click()
        await expect(page.locator("#said")).to_have_text("No reminder is due")
        fast = page.get_by_role("button", name="600×")
        await fast.click()
        await expect(fast).to_have_attribute("aria-pressed", "true")
    assert sim.theatre.speed == 600


async def test_without_a_theatre_there_is_no_time_bar(chromium, sim, bot):
    sim.theatre = None
    async with page_of(chromium, bot) as page:
        await expect(page.locator("#time")).to_be_hidden()


async def test_a_narrow_screen_shows_one_phone_and_nothing_overflows(chromium, sim, bot):
    long_word = "https://example.org/" + "x" * 200
    for phone in sim.phones:
        await bot.send_message(phone.id, f"{long_word}\n<pre>{long_word}</pre>")
    async with page_of(chromium, bot, MOBILE) as page:
        tabs = page.get_by_role("tab")
        for index in range(3):
            await tabs.nth(index).click()
            await expect(page.locator(".phone:visible")).to_have_count(1)
            await expect(page.locator(".phone:visible .text")).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") == 390
            log = page.locator(".phone:visible .log")
            assert await log.evaluate("log => log.scrollWidth <= log.clientWidth")
        await tabs.nth(0).click()
        sim.phones[1].says("hello")
        await expect(tabs.nth(1).locator(".unread")).to_have_text("1")


async def test_the_page_comes_back_after_the_server_was_away(chromium, sim, bot):
    nadia = sim.phones[2]
    async with page_of(chromium, bot) as page:
        await expect(page.locator("#offline")).to_be_hidden()
        await page.route("**/stage/events", lambda route: route.abort())
        sim.world.changes.tell("closing")  # every stream ends, as when the server stops
        await expect(page.locator("#offline")).to_be_visible()
        nadia.says("while you were away")
        await page.unroute("**/stage/events")
        await expect(page.locator("#offline")).to_be_hidden(timeout=15000)
        mine = page.locator(".phone").nth(2).locator(".mine .text")
        await expect(mine).to_have_text("while you were away")
